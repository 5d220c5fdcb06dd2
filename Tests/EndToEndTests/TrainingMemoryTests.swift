import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// The training file: what it keeps out of memory, and what becomes of it when something happens to it or to the training.
    @Suite struct TrainingMemoryTests {
        /// A database with that many made-up interactions of 2,000 users with 500 items.
        private static func bench(interactions: Int) throws -> Workbench {
            let bench = try Workbench()
            try bench.database.sql(
                """
                insert into interactions (event_time, event_id, type, user_id, item_id, source_partition, source_offset, payload_hash)
                select timestamptz '2025-01-01' + i * interval '1 second', 'e' || i, 1 + i % 3, 'u' || abs(hashint8(i)::bigint) % 2000,
                    'i' || floor(500 * power(abs(hashint8(i + 77)::bigint) / 2147483649.0::float8, 2)), i % 4, i / 4, i
                from generate_series(1, \(interactions)::bigint) i
                """)
            return bench
        }

        /// Little to learn from many interactions. Rivals and blends that a judged model is compared with learn from at most a fixed number
        /// of interactions, which is more than a test has time for; `ops/measure-memory` measures with them.
        private static let settings = [
            "train", "--preset", "small", "--epochs", "1", "--set", "patience=0", "--set", "examples_per_user=2", "--set", "threads=1",
            "--set", "holdout=none",
        ]

        /// The most memory of a training that is no file's.
        private static func peak(interactions: Int) throws -> Int {
            let bench = try bench(interactions: interactions)
            let role = try bench.program().start(settings)
            var peak = 0
            let end = Date(timeIntervalSinceNow: 120)
            while role.isRunning, Date() < end {
                peak = max(peak, role.anonymousKiB ?? 0)
                Thread.sleep(forTimeInterval: 0.005)
            }
            #expect(role.ended(within: 1) == 0, "\(role.log)")
            #expect(role.log.contains("from \(interactions) interactions"), "\(role.log)")
            return peak
        }

        @Test("twenty times the interactions of the same users and items take the same memory")
        func memory() throws {
            let (few, many) = (try Self.peak(interactions: 50_000), try Self.peak(interactions: 1_000_000))
            #expect(few > 10_000, "\(few) KiB")
            #expect(many * 10 <= few * 12, "\(few) KiB with 50,000 interactions, \(many) KiB with 1,000,000")
        }

        @Test("a training that is asked to stop does so within an epoch, and ends with the model that it would have made")
        func stopWithinAnEpoch() throws {
            let bench = try Self.bench(interactions: 60_000), program = bench.program()
            let settings = [
                "train", "--preset", "small", "--epochs", "4", "--set", "patience=0", "--set", "threads=1", "--set", "batch_size=16",
                "--set", "final_fit=false", "--set", "refused_status=0", "--json",
            ]
            let whole = try program.run(settings)
            #expect(whole.status == 0, "\(whole.errors)")
            let role = try program.start(settings)
            // It is told after the first steps, and an epoch has 3,500.
            #expect(role.waitFor("epoch 1/4", limit: 60), "\(role.log)")
            let asked = Date()
            #expect(role.stop(limit: 20) == 1, "\(role.log)")
            #expect(Date().timeIntervalSince(asked) < 5, "\(role.log)")
            #expect(role.log.contains("freshet train --resume goes on from there"), "\(role.log)")
            for changed in ["content.share_cost_percent=3", "serve.trending_items=70", "ingest.history_limit_events=40", "gate_margin=0.01"]
            {
                let other = try program.run(settings + ["--resume", "--set", changed], limit: 20)
                EndToEnd.expectFailure(other, status: 1, saying: "\(changed.prefix { $0 != "=" }) was")
            }
            let resumed = try program.run(settings + ["--resume"])
            #expect(resumed.status == 0 && resumed.errors.contains("going on from a checkpoint"), "\(resumed.errors)")
            let recorded = try bench.database.sql("select configuration->>'serve.trending_items' from models order by version limit 1")
            #expect(!recorded.isEmpty && recorded.allSatisfy(\.isNumber), "\(recorded)")
            let models = try bench.database.sql("select artifact_path from models order by version").split(separator: "\n")
                .map { FileManager.default.contents(atPath: bench.path("artifacts/\($0)/model.safetensors")) }
            #expect(models.count == 2 && models[0] != nil && models[0] == models[1])
        }

        @Test("a training file that was cut, changed or swapped is refused by name")
        func damage() throws {
            let bench = try Self.bench(interactions: 3_000), program = bench.program()
            let settings = ["train", "--preset", "small", "--epochs", "10000", "--set", "patience=0"]
            let file = URL(fileURLWithPath: bench.path("artifacts/training/log.freshet-training"))
            /// The file of a training that was killed.
            func killed() throws -> Data {
                let role = try program.start(settings)
                #expect(role.waitFor("epoch=3", limit: 20), "\(role.log)")
                role.killNow()
                return try Data(contentsOf: file)
            }
            let first = try killed()
            for place in [9, 40, 200, first.count / 2, first.count - 30] {
                var changed = first
                changed[place] ^= 0x20
                try changed.write(to: file)
                EndToEnd.expectFailure(
                    try program.run(settings + ["--resume"], limit: 20), status: 1, saying: file.path, "damaged", "start without --resume")
            }
            for length in [0, 7, 100, first.count - 1, first.count + 1] {
                try (first + [0]).prefix(length).write(to: file)
                EndToEnd.expectFailure(
                    try program.run(settings + ["--resume"], limit: 20), status: 1, saying: file.path, "start without --resume")
            }
            try FileManager.default.removeItem(at: file)
            EndToEnd.expectFailure(
                try program.run(settings + ["--resume"], limit: 20), status: 1, saying: file.path, "start without --resume")
            try bench.database.sql("update interactions set item_id = 'i1' where event_id = 'e5'")
            let second = try killed()
            #expect(second != first)
            try first.write(to: file)
            EndToEnd.expectFailure(
                try program.run(settings + ["--resume"], limit: 20), status: 1, saying: file.path, "another snapshot",
                "start without --resume")
            try second.write(to: file)
            let role = try program.start(settings + ["--resume"])
            #expect(role.waitFor("going on from a checkpoint", limit: 20), "\(role.log)")
            role.killNow()
        }
    }
}

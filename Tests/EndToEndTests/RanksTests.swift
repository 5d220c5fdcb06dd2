import Foundation
import Testing
import TestSupport

/// `mpirun` for two ranks on this machine, however many processors it has.
private enum Launcher {
    /// Nil where it is not installed.
    static let command: [String]? = {
        let path = ["/usr/bin/mpirun", "/usr/local/bin/mpirun"].first { FileManager.default.isExecutableFile(atPath: $0) }
        return path.map { [$0, "--allow-run-as-root", "--oversubscribe", "-n", "2"] }
    }()
}

extension EndToEnd {
    /// Trainings of several processes, as `mpirun` starts them.
    @Suite(.enabled(if: Launcher.command != nil, "needs OpenMPI's mpirun (Debian: openmpi-bin)"))
    struct RanksTests {
        private static func bench() throws -> (alone: Program, together: Program, bench: Workbench) {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program(broker: nil, SmallShop.training)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            return (program, program.started(by: Launcher.command ?? []), bench)
        }

        /// The losses of the epochs that a training logged, in their order.
        private static func losses(_ log: String) -> [Double] {
            log.split(separator: "\n").filter { $0.contains(" epoch ") }.compactMap { line in
                line.split(separator: " ").first { $0.hasPrefix("loss=") }.flatMap { Double($0.dropFirst(5)) }
            }
        }

        @Test(
            "two ranks have the loss curve of one process with the doubled batch, and one model is registered",
            arguments: ["full", "sampled"])
        func curve(loss: String) throws {
            let (alone, together, bench) = try Self.bench()
            let settings = ["train", "--epochs", "3", "--set", "threads=1", "--set", "loss=\(loss)", "--set", "negatives=64"]
            let one = try alone.run(settings + ["--set", "batch_size=256"])
            let two = try together.run(settings + ["--set", "batch_size=128"])
            #expect(one.status == 0 && two.status == 0, "\(one.errors) \(two.errors)")
            let curves = (Self.losses(one.errors), Self.losses(two.errors))
            // Three epochs to be judged and three on everything.
            #expect(curves.0.count == 6 && curves.1.count == 6, "\(two.errors)")
            for (a, b) in zip(curves.0, curves.1) { #expect(abs(a - b) < 1e-3 * a, "\(curves)") }
            #expect(two.errors.contains("ranks=2") && two.errors.contains("sparse_bytes_a_step="), "\(two.errors)")
            #expect(try bench.database.sql("select count(*) from models") == "2")
            #expect(try FileManager.default.contentsOfDirectory(atPath: bench.directory.appendingPathComponent("artifacts").path)
                .allSatisfy { !$0.hasPrefix("training") })
        }

        @Test("tables that lie on two ranks by row give the model's file of whole ones, in less memory")
        func shardedTables() throws {
            let (_, together, bench) = try Self.bench()
            let settings = [
                "train", "--epochs", "2", "--set", "threads=1", "--set", "loss=sampled", "--set", "negatives=32", "--set", "batch_size=32",
            ]
            var files: [[UInt8]] = [], bytes: [Int] = []
            for sharding in ["none", "rows"] {
                let run = try together.run(settings + ["--set", "table_sharding=\(sharding)"])
                #expect(run.status == 0, "\(run.errors)")
                let name = try bench.database.sql("select artifact_path from models order by version desc limit 1")
                files.append([UInt8](try Data(contentsOf: bench.directory.appendingPathComponent("artifacts/\(name)/model.safetensors"))))
                let found = run.errors.split(separator: " ").last { $0.hasPrefix("table_bytes_a_rank=") }
                bytes.append(found.flatMap { Int($0.split(separator: "=")[1].prefix { $0.isNumber }) } ?? 0)
                #expect(run.errors.contains("fetched_bytes_a_step=0") == (sharding == "none"), "\(run.errors)")
            }
            #expect(files[0] == files[1] && !files[0].isEmpty, "\(files.map(\.count))")
            // A batch takes a part of these few rows again.
            #expect(bytes[0] > 0 && Double(bytes[1]) < 0.8 * Double(bytes[0]), "\(bytes)")
        }

        @Test("with tables on several ranks a stopped stage begins anew, and what cannot be shared is refused")
        func shardedStop() throws {
            let (_, together, bench) = try Self.bench()
            let settings = ["train", "--set", "threads=1", "--set", "table_sharding=rows", "--set", "holdout=none"]
            let refused = try together.run(settings + ["--set", "loss=full"], limit: 60)
            EndToEnd.expectFailure(refused, status: 1, saying: "train.table_sharding")
            let role = try together.start(settings + ["--epochs", "400"])
            #expect(role.waitFor("epoch=2 ", limit: 60), "\(role.log)")
            // Any rank that is asked to stop stops all of them.
            let rank = try #require(role.children.first { $0.environment.contains("OMPI_COMM_WORLD_RANK=1\0") })
            kill(rank.id, SIGTERM)
            let status = role.ended(within: 30)
            #expect(status != nil && status != 0 && role.log.contains("begins this stage anew"), "\(role.log)")
            let resumed = try together.start(settings + ["--epochs", "400", "--resume"])
            #expect(resumed.waitFor("resuming", limit: 60) && resumed.waitFor("epoch=1 ", limit: 60), "\(resumed.log)")
            for rank in resumed.children { kill(rank.id, SIGTERM) }
            _ = resumed.ended(within: 30)
            #expect(try bench.database.sql("select count(*) from models") == "0")
        }

        @Test("a killed rank ends the others with a sentence, and --resume goes on")
        func lostRank() throws {
            let (alone, together, bench) = try Self.bench()
            let settings = ["train", "--epochs", "400", "--set", "patience=0", "--set", "threads=1", "--set", "holdout=none"]
            let role = try together.start(settings)
            #expect(role.waitFor("epoch=3 ", limit: 60), "\(role.log)")
            let ranks = role.children
            let second = try #require(ranks.first { $0.environment.contains("OMPI_COMM_WORLD_RANK=1\0") }, "\(ranks.map(\.id))")
            kill(second.id, SIGKILL)
            let status = role.ended(within: 30)
            #expect(status != nil && status != 0, "\(role.log)")
            // Whoever notices first says it: the rank that is left, or mpirun, which then ends that rank.
            let isOurs = role.log.contains("seems to be lost") && role.log.contains("--resume")
            #expect(isOurs || role.log.contains("mpirun noticed that process rank 1"), "\(role.log)")
            #expect(eventually(within: 10) { ranks.allSatisfy { kill($0.id, 0) != 0 } }, "a rank is left")
            #expect(try bench.database.sql("select count(*) from models") == "0")
            // A run goes on with as many ranks as there are: here with one.
            let resumed = try alone.start(settings + ["--resume"])
            #expect(resumed.waitFor("going on from a checkpoint", limit: 30), "\(resumed.log)")
            #expect(resumed.waitFor("epoch=9 ", limit: 60), "\(resumed.log)")
            #expect(!resumed.log.contains("epoch=2 "), "\(resumed.log)")
            resumed.stop()
        }

        @Test("a rank that hangs is taken for lost after a time, and nothing is left")
        func hangingRank() throws {
            let (_, together, _) = try Self.bench()
            let role = try together.start(
                "train", "--epochs", "400", "--set", "patience=0", "--set", "threads=1", "--set", "holdout=none", "--set",
                "rank_timeout_seconds=1")
            #expect(role.waitFor("epoch=2 ", limit: 60), "\(role.log)")
            let ranks = role.children
            let second = try #require(ranks.first { $0.environment.contains("OMPI_COMM_WORLD_RANK=1\0") }, "\(ranks.map(\.id))")
            kill(second.id, SIGSTOP)
            let status = role.ended(within: 30)
            #expect(status != nil && status != 0, "\(role.log)")
            #expect(role.log.contains("train.rank_timeout_seconds"), "\(role.log)")
            #expect(eventually(within: 10) { ranks.allSatisfy { kill($0.id, 0) != 0 } }, "a rank is left")
        }

        @Test("what fails before the ranks learn ends all of them with status 1")
        func earlyFailure() throws {
            let bench = try Workbench()
            let program = bench.program(broker: nil, SmallShop.training).started(by: Launcher.command ?? [])
            let result = try program.run("train", limit: 60)
            EndToEnd.expectFailure(result, status: 1, saying: "train.min_interactions")
        }
    }
}

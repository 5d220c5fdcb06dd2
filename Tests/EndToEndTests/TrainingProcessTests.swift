import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Trainings as jobs: one at a time, resumable, and taken over by a running service.
    @Suite struct TrainingProcessTests {
        private static func trainedBench(learning: Bool = true) throws -> (bench: Workbench, program: Program) {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program(broker: nil, SmallShop.training)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            if learning { try SmallShop.check(program.run("train", "--set", "holdout=none")) }
            return (bench, program)
        }

        @Test("of two trainings at once the second ends and names the first")
        func twoAtOnce() throws {
            let (bench, program) = try Self.trainedBench(learning: false)
            let first = try program.start("train", "--epochs", "2000", "--set", "patience=0")
            #expect(first.waitFor("stage=judged", limit: 20), "\(first.log)")
            let second = try program.run("train", limit: 20)
            EndToEnd.expectFailure(second, status: 1, saying: "training")
            let lines = second.errors.split(separator: "\n")
            #expect(lines.count == 1, "\(second.errors)")
            first.killNow()
            // The lock goes with its holder.
            #expect(try eventually(within: 10) { try program.run("train").status == 0 })
            #expect(try bench.database.sql("select count(*) from models") == "1")
        }

        @Test("a killed training goes on, and ends with the model that it would have made")
        func resume() throws {
            let (bench, program) = try Self.trainedBench(learning: false)
            let settings = ["train", "--epochs", "40", "--set", "patience=0", "--set", "seed=5", "--set", "threads=1"]
            let whole = try program.run(settings + ["--json"])
            #expect(whole.status == 0, "\(whole.errors)")
            let role = try program.start("train", "--epochs", "40", "--set", "patience=0", "--set", "seed=5", "--set", "threads=1")
            #expect(role.waitFor("epoch=7", limit: 30), "\(role.log)")
            role.killNow()
            #expect(try bench.database.sql("select count(*) from models") == "1")
            let other = try program.run(
                "train", "--resume", "--epochs", "39", "--set", "patience=0", "--set", "seed=5", "--set", "threads=1")
            EndToEnd.expectFailure(other, status: 1, saying: "--resume")
            let resumed = try program.run(settings + ["--resume", "--json"])
            #expect(resumed.status == 0, "\(resumed.errors)")
            #expect(resumed.errors.contains("going on from a checkpoint"), "\(resumed.errors)")
            let artifacts = try bench.database.sql("select artifact_path from models order by version").split(separator: "\n")
                .map { path in bench.directory.appendingPathComponent("artifacts/\(path)") }
            let models = artifacts.map { FileManager.default.contents(atPath: $0.appendingPathComponent("model.safetensors").path) }
            #expect(models.count == 2 && models[0] != nil && models[0] == models[1], "\(artifacts)")
            #expect(try program.run(settings + ["--resume"]).status == 0, "nothing to resume is a new run")
        }

        @Test("too little to learn from is a sentence")
        func tooLittle() throws {
            let bench = try Workbench()
            EndToEnd.expectFailure(try bench.program().run("train"), status: 1, saying: "train.min_interactions")
            EndToEnd.expectFailure(try bench.program().run("models", "rollback"), status: 1)
            EndToEnd.expectFailure(try bench.program().run("models", "promote", "7"), status: 1, saying: "7")
            EndToEnd.expectFailure(try bench.program().run("models", "show", "7"), status: 1, saying: "7")
            EndToEnd.expectFailure(try bench.program().run("evaluate"), status: 1, saying: "freshet train")
            #expect(try bench.program().run("models").status == 0)
        }

        @Test("a new model takes over without a failed request, a rollback too, and a damaged one is refused")
        func takeOver() throws {
            let shop = try SmallShop()
            let service = shop.service
            let traffic = Traffic(service)
            let users = (1...20).map { "u\($0)" }
            traffic.start(users: users + ["nobody"])
            for version in 2...3 {
                try SmallShop.check(shop.program.run("train", "--set", "holdout=none", "--set", "seed=\(version)"))
                #expect(try eventually(within: 10) { try service.recommendations(user: "u1").modelVersion == version })
            }
            #expect(try shop.program.run("models", "rollback").status == 0)
            #expect(try eventually(within: 10) { try service.recommendations(user: "u1").modelVersion == 2 })
            #expect(try service.http.send("POST", "/v1/models/3/promote").status == 200)
            #expect(try eventually(within: 10) { try service.recommendations(user: "u1").modelVersion == 3 })
            let missing = try service.http.send("POST", "/v1/models/99/promote")
            #expect(missing.status == 404, "\(missing.body)")

            // A file that was changed on disk is not served.
            try SmallShop.check(shop.program.run("train", "--set", "holdout=none", "--set", "seed=4", "--set", "patience=0"))
            #expect(try eventually(within: 10) { try service.recommendations(user: "u1").modelVersion == 4 })
            let path = try shop.bench.database.sql("select artifact_path from models where version = 2")
            let file = shop.bench.directory.appendingPathComponent("artifacts/\(path)/model.safetensors")
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count - 5] ^= 0x40
            try bytes.write(to: file)
            let refused = try service.http.send("POST", "/v1/models/2/promote")
            #expect(refused.status == 409 && refused.body.contains("its files cannot be used"), "\(refused.body)")
            #expect(try service.http.send("POST", "/v1/models/2/promote?force=true").status == 200)
            #expect(
                service.role.waitFor("version 2 is promoted and cannot be used yet; version 4 serves on", limit: 10), "\(service.role.log)")
            #expect(try service.recommendations(user: "u1").modelVersion == 4)
            let problems = traffic.stop()
            #expect(problems == [], "of \(traffic.count) requests")
            #expect(traffic.count > 100)
            #expect(service.role.stop() == 0)
            // Starting on a damaged model: answers come, from what is trending.
            let again = try shop.bench.startService(broker: shop.address)
            #expect(try again.recommendations(user: "u1").items.count == 10)
            EndToEnd.expectFailure(
                try shop.program.run("recommend", "--users", try shop.bench.write(["u1"], to: "u.txt")), status: 1, saying: "checksum")
        }
    }

    /// Requests one after another from a thread of their own, until told to stop.
    final class Traffic: @unchecked Sendable {
        // Everything mutable is read and written under the lock.
        private let lock = NSLock()
        private let service: Service
        private var stopping = false
        private var problems: [String] = []
        private var made = 0
        private let done = DispatchSemaphore(value: 0)

        init(_ service: Service) { self.service = service }

        var count: Int { lock.withLock { made } }

        func start(users: [String]) {
            let thread = Thread { [self] in
                while !lock.withLock({ stopping }) {
                    let user = users[count % users.count]
                    var problem: String?
                    do {
                        let list = try service.recommendations(user: user)
                        if list.items.count != 10 {
                            problem = "\(user) got \(list.items.count) items from version \(list.modelVersion ?? 0)"
                        }
                    } catch {
                        problem = "\(error)"
                    }
                    lock.withLock {
                        made += 1
                        if let problem, problems.count < 10 { problems.append(problem) }
                    }
                    Thread.sleep(forTimeInterval: 0.002)
                }
                done.signal()
            }
            thread.start()
        }

        /// Ends the requests; what went wrong, ten at most.
        func stop() -> [String] {
            lock.withLock { stopping = true }
            done.wait()
            return problems
        }
    }
}

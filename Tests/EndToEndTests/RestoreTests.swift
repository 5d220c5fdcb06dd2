import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// What a service learnt of a database and of a folder that are not what they were.
    @Suite struct RestoreTests {
        private static func items(_ service: Service) throws -> [String] {
            try service.recommendations(user: "nobody", n: 400).items
        }

        @Test("a database that went back is read again, and a model whose files come late serves when they are there")
        func restored() throws {
            let shop = try SmallShop()
            let (bench, service, program) = (shop.bench, shop.service, shop.program)
            let database = bench.database
            // The service has seen versions that the backup does not know.
            let backup = try #require(Int(try database.sql("select version from catalogue_state")))
            for number in 0..<6 { try service.put(item: "later\(number)", "\"title\":\"later\"") }
            #expect(try Self.items(service).contains("later3"))
            let shown = try #require(try Self.items(service).first { !$0.hasPrefix("later") })
            try database.sql(
                """
                begin; delete from items where catalogue_version > \(backup); update catalogue_state set version = \(backup); commit
                """)
            // Deleted under a number that the service has passed.
            #expect(try service.http.send("DELETE", "/v1/items/\(shown)?wait=true").status == 202)
            #expect(
                try eventually(within: 10) { try !Self.items(service).contains { $0 == shown || $0.hasPrefix("later") } },
                "\(service.role.log)")
            #expect(service.role.log.contains("does not go on from version"), "\(service.role.log)")
            #expect(try service.http.send("GET", "/metrics").body.contains("freshet_catalogue_rereads_total"))
            // A number that was passed again between two looks.
            let other = try #require(try Self.items(service).first)
            try database.sql(
                """
                begin; update items set deleted = true where item_id = '\(other)'; update catalogue_state set version = 0;
                update catalogue_state set version = \(backup + 100); commit
                """)
            #expect(try eventually(within: 10) { try !Self.items(service).contains(other) }, "\(service.role.log)")

            // A second version, and the first one's files not there yet.
            try SmallShop.check(program.run("train", "--set", "holdout=none", "--set", "seed=9"))
            #expect(try eventually(within: 30) { try service.recommendations(user: "u1").modelVersion == 2 }, "\(service.role.log)")
            let name = try database.sql("select artifact_path from models where version = 1")
            let folder = bench.path("artifacts/" + name), aside = bench.path("aside")
            try FileManager.default.moveItem(atPath: folder, toPath: aside)
            EndToEnd.expectFailure(try program.run("models", "rollback"), status: 1, saying: "version 1 is not promoted", name)
            EndToEnd.expectFailure(try program.run("models", "promote", "1"), status: 1, saying: "version 1 is not promoted", "force")
            #expect(try service.http.send("POST", "/v1/models/1/promote").status == 409)
            try SmallShop.check(program.run("models", "promote", "1", "--force"))
            #expect(service.role.waitFor("version 1 is promoted and cannot be used yet; version 2 serves on"), "\(service.role.log)")
            #expect(try service.recommendations(user: "u1").modelVersion == 2)
            #expect(try service.http.send("GET", "/readyz").body.contains("version 1 "))
            // Half of it comes, then the rest.
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for file in try FileManager.default.contentsOfDirectory(atPath: aside).sorted().reversed() {
                try FileManager.default.copyItem(atPath: aside + "/" + file, toPath: folder + "/" + file)
                Thread.sleep(forTimeInterval: 0.2)
            }
            #expect(try eventually(within: 40) { try service.recommendations(user: "u1").modelVersion == 1 }, "\(service.role.log)")
            #expect(service.role.waitFor("version 1 can be used now"), "\(service.role.log)")
            #expect(service.role.log.components(separatedBy: "version 1 is promoted and cannot be used yet").count == 2, "said once")

            // A training is killed, and one of its users erased.
            let training = try program.start("train", "--epochs", "2000", "--set", "patience=0")
            #expect(training.waitFor("stage=judged", limit: 30), "\(training.log)")
            training.killNow()
            let path = bench.path("artifacts/training")
            #expect(FileManager.default.fileExists(atPath: path + "/log.freshet-training"))
            let user = try database.sql("select user_id from user_features where clicks > 0 order by 1 limit 1")
            #expect(try service.http.send("DELETE", "/v1/users/\(user)").status == 202)
            #expect(eventually(within: 60) { !FileManager.default.fileExists(atPath: path) }, "\(service.role.log)")
            #expect(service.role.log.contains("the files of a training that was killed are removed: 1 of the users"), "\(service.role.log)")
            #expect(service.role.stop() == 0, "\(service.role.log)")
        }

        @Test("a training that goes on does not go on with users who were erased meanwhile")
        func resumed() throws {
            let bench = try Workbench()
            try SmallShop.writePast(into: bench)
            let program = bench.program(broker: nil, SmallShop.training)
            try SmallShop.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
            let training = try program.start("train", "--epochs", "2000", "--set", "patience=0", "--set", "holdout=none")
            #expect(training.waitFor("epoch=1", limit: 30), "\(training.log)")
            training.killNow()
            try bench.database.sql(
                """
                insert into erasures (user_id, erased_at) select user_id, now() from user_features order by 1 limit 2
                """)
            let result = try program.run("train", "--resume", "--set", "holdout=none")
            #expect(result.status == 0 && result.errors.contains("2 of the users in the run to resume were erased"), "\(result.errors)")
            #expect(!result.errors.contains("going on from a checkpoint"), "\(result.errors)")
        }
    }
}

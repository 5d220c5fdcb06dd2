import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Parts of records, over HTTP and on topics, through a consumer.
    @Suite struct PatchProcessTests {
        @Test("a patch over HTTP, from a file and of an unknown item changes what it names; a deletion empties both keys")
        func patches() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let ingest = try bench.program(broker: address).start("ingest")
            defer { _ = ingest.stop() }
            let service = try bench.startService(broker: address)
            defer { _ = service.role.stop() }
            #expect(ingest.waitFor("partitions taken over", limit: 30), "\(ingest.log)")
            func send(_ method: String, _ path: String, _ body: String? = nil) throws -> HTTPAnswer {
                let answer = try service.http.send(method, path, body: body)
                #expect(answer.status == 202, "\(method) \(path): \(answer.status) \(answer.body)")
                return answer
            }
            _ = try send("PUT", "/v1/items/i1?wait=true", #"{"title":"Shoe","price":89.9,"currency":"EUR","attributes":{"brand":"Acme"}}"#)
            let patched = try send("PATCH", "/v1/items/i1?wait=true", #"{"price":79.9,"attributes":{"brand":null,"colour":"red"}}"#)
            #expect(patched.object["accepted"] as? Int == 1 && patched.object["committed"] as? Bool == true, "\(patched.body)")
            var found = try service.http.send("GET", "/v1/items/i1").body
            #expect(found.contains("79.9") && found.contains("Shoe") && found.contains("colour") && !found.contains("brand"), "\(found)")
            // What is wrong is said at once; PUT is no patch.
            #expect(try send("PATCH", "/v1/items/i1", #"{"price":-1}"#).object["rejected"] as? Int == 1)
            #expect(try send("PUT", "/v1/items/i1", #"{"patch":true,"price":1}"#).object["rejected"] as? Int == 1)
            // A feed that runs ahead of the catalogue.
            _ = try send("PATCH", "/v1/items/i2?wait=true", #"{"price":5}"#)
            #expect(try service.http.send("GET", "/v1/items/i2").status == 404)
            _ = try send("PUT", "/v1/items/i2?wait=true", #"{"title":"Hat","price":9,"updated_at":"2026-01-01T00:00:00Z"}"#)
            found = try service.http.send("GET", "/v1/items/i2").body
            #expect(found.contains("Hat") && found.contains("5") && !found.contains("\"price\":9"), "\(found)")
            // Users, of whom nothing waits.
            _ = try send("PATCH", "/v1/users/u1?wait=true", #"{"attributes":{"age":"25"}}"#)
            #expect(try service.http.send("GET", "/v1/users/u1").body.contains("25"))
            _ = try send("DELETE", "/v1/users/u1?wait=true")
            _ = try send("DELETE", "/v1/items/i1?wait=true")
            #expect(try bench.database.sql("select count(*) from users where user_id = 'u1'") == "0")
            #expect(try bench.database.sql("select deleted from items where item_id = 'i1'") == "t")
            #expect(try bench.database.sql("select count(*) from dead_letters") == "0")
        }
    }
}

import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Interactions
import NIOCore
import RecommendationAPI
import Testing

/// What clients of other systems rely on beside the values: paths, statuses, forms of answers and errors.
@Suite struct ForeignDoorTests {
    private static let feedback = Feedback(
        userID: "u", itemID: "i0", type: "like", value: 2, time: EventTime(milliseconds: 1_700_000_000_000),
        updated: EventTime(milliseconds: 1_700_000_000_000))

    private static func service(_ configuration: APIConfiguration = APIConfiguration()) -> TestService {
        TestService(configuration) { operations in
            operations.foreign = ForeignDoors(
                typeNames: ["click", "purchase"],
                feedback: { $0.userID == "u" ? [feedback] : [] },
                items: { after, limit in (0..<limit).map { ItemRecord(itemID: after + "\($0)") } },
                users: { _, _ in [UserRecord(userID: "1")] },
                search: { words, _ in [ItemRecord(itemID: words.joined(separator: "+"))] },
                newest: { _, limit in (0..<limit).map { ItemRecord(itemID: "n\($0)", publishedAt: EventTime(milliseconds: 5_000)) } },
                unknownItems: { $0.filter { $0.hasPrefix("new") } })
        }
    }

    private struct Answer {
        var status: Int, text: String, type: String
    }

    private static func ask(
        _ client: any TestClientProtocol, _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        let bytes = body.map { ByteBuffer(string: $0) }
        return try await client.execute(uri: path, method: method, headers: headers, body: bytes) { response in
            Answer(
                status: response.status.code, text: String(buffer: response.body), type: response.headers[.contentType] ?? "")
        }
    }

    @Test("a slash more or less at the end or between means nothing; a body of GET and DELETE means nothing")
    func paths() async throws {
        let service = Self.service()
        try await service.test { client async throws in
            for path in ["/api/recommend/u/?n=3", "/api/recommend/u?n=3", "//api//recommend//u//?n=3", "/api/recommend/u/shoes/?n=3"] {
                let answer = try await Self.ask(client, .get, path, "null")
                #expect(answer.status == 200 && answer.text == #"["i0","i1","i2"]"#, "\(path): \(answer)")
            }
            #expect(try await Self.ask(client, .get, "/api/latest/?n=1").text == #"[{"Id":"n0","Score":5}]"#)
            #expect(try await Self.ask(client, .delete, "/api/item/i1/", "null").text == #"{"RowAffected":1}"#)
            // Of our own paths a doubled slash is another path.
            #expect(try await Self.ask(client, .get, "/v1//models").status == 404)
        }
        let asked = service.seen.withLock { $0.recommendations }
        // What the user has feedback on stays out.
        #expect(asked.allSatisfy { $0.excludedItemIDs == ["i0"] && $0.userID == "u" })
    }

    @Test("version 2 has scores, offsets cut, and what is beyond the end is an empty list")
    func forms() async throws {
        try await Self.service().test { client async throws in
            var headers: HTTPFields = [:]
            headers[.init("X-API-Version")!] = "2"
            let scores = try await Self.ask(client, .get, "/api/recommend/x?n=2&offset=1", headers: headers)
            #expect(scores.text == #"[{"Id":"i1","Score":0.9921875},{"Id":"i2","Score":0.984375}]"#)
            #expect(try await Self.ask(client, .get, "/api/recommend/x?n=5&offset=9223372036854775807").text == "[]")
            #expect(try await Self.ask(client, .get, "/api/recommend/x?n=0").text == "[]")
            // Nothing has both categories: the double's answers tell none.
            #expect(try await Self.ask(client, .get, "/api/recommend/x?category=a&category=b").text == "[]")
            for bad in ["n=x", "offset=1.5", "write-back-type=read&write-back-delay=soon"] {
                let answer = try await Self.ask(client, .get, "/api/recommend/x?\(bad)")
                #expect(answer.status == 400 && answer.type.hasPrefix("text/plain"), "\(bad): \(answer)")
            }
        }
    }

    @Test("errors are plain text with the status of Gorse; success is 200 and JSON")
    func errors() async throws {
        try await Self.service().test { client async throws in
            for (path, status) in [
                ("/api/user/nobody", 404), ("/api/item/nothing", 404), ("/api/user/u/neighbors", 404), ("/api/none", 404),
                ("/api/feedback?cursor=zz", 400),
            ] {
                let answer = try await Self.ask(client, .get, path)
                #expect(answer.status == status && answer.type.hasPrefix("text/plain") && !answer.text.hasPrefix("{"), "\(path): \(answer)")
            }
            for body in ["{", "[1]", #"{"UserId":"u","Labels":true}"#, "{}"] {
                let answer = try await Self.ask(client, .post, "/api/user", body)
                #expect(answer.status == 400 && answer.type.hasPrefix("text/plain"), "\(body): \(answer)")
            }
            let user = try await Self.ask(client, .get, "/api/user/u")
            #expect(user.status == 200 && user.text == #"{"UserId":"u","Labels":{"age":25},"Comment":""}"#)
            #expect(try await Self.ask(client, .get, "/api/feedback/like/x/i").text == "{}")
            #expect(try await Self.ask(client, .get, "/api/items?q=toy%20story&n=2").text.contains(#""ItemId":"toy+story""#))
            #expect(try await Self.ask(client, .get, "/api/items?n=2").text.hasPrefix(#"{"Cursor":"1","Items":[{"ItemId":"0","#))
            #expect(try await Self.ask(client, .get, "/api/health/live").text.hasPrefix(#"{"Ready":true,"#))
        }
        let keyed = Self.service(APIConfiguration(apiKeys: [APIKey(name: "w", secret: "secret", scopes: [.read, .write])]))
        try await keyed.test { client async throws in
            let refused = try await Self.ask(client, .get, "/api/user/u")
            #expect(refused.status == 401 && refused.type.hasPrefix("text/plain"))
            var headers: HTTPFields = [:]
            headers[.init("X-API-Key")!] = "secret"
            #expect(try await Self.ask(client, .get, "/api/user/u", headers: headers).status == 200)
            #expect(try await Self.ask(client, .get, "/api/health/ready").status == 200)
        }
    }

    @Test("feedback becomes events that wait for their commit; new items get a record; PUT takes back what was")
    func feedback() async throws {
        let service = Self.service()
        let body =
            #"[{"FeedbackType":"like","UserId":"u","ItemId":"new1","Value":3,"Timestamp":"2024-01-01T00:00:00Z"},"#
            + #"{"FeedbackType":"like","UserId":"u","ItemId":"new1","Value":9,"Timestamp":"2024-01-02T00:00:00Z"},"#
            + #"{"FeedbackType":"purchase","UserId":"u","ItemId":"i2","Timestamp":"2024-01-01"}]"#
        try await service.test { client async throws in
            #expect(try await Self.ask(client, .post, "/api/feedback", body).text == #"{"RowAffected":3}"#)
            #expect(try await Self.ask(client, .put, "/api/feedback", body).text == #"{"RowAffected":3}"#)
            #expect(try await Self.ask(client, .delete, "/api/feedback/u/i0").text == #"{"RowAffected":1}"#)
            #expect(try await Self.ask(client, .delete, "/api/feedback/nobody/i0").text == #"{"RowAffected":0}"#)
            var headers: HTTPFields = [:]
            headers[.init("Idempotency-Key")!] = "k1"
            for _ in 0..<2 {
                #expect(try await Self.ask(client, .post, "/api/feedback", body, headers: headers).status == 200)
            }
        }
        let seen = service.seen.withLock { $0 }
        #expect(seen.waited.allSatisfy { $0 })
        #expect(seen.records.first?.id == "new1" && seen.records.first?.body.contains("1970-01-02") == true)
        #expect(seen.events.map(\.count) == [2, 4, 1, 2])
        #expect(seen.events[0][0].contains(#""type":"click""#) && seen.events[0][0].contains(#""feedback_type":"like""#))
        #expect(seen.events[0][1].contains(#""type":"purchase""#))
        #expect(seen.events[1][0].contains(#""type":"feedback_deletion""#))
        #expect(seen.events[2][0] == #"{"type":"feedback_deletion","user_id":"u","item_id":"i0"}"#)
    }

    @Test("every event of Metarank, in every form of a body; all ranked items come back")
    func metarank() async throws {
        let service = Self.service()
        let click = #"{"event":"interaction","type":"click","id":"x1","item":"i1","user":"u","session":"s","timestamp":1661345223008}"#
        let ranking = #"{"event":"ranking","id":"r1","items":[{"id":"i1"},{"id":"i2"}],"user":"u","timestamp":"1661345221008"}"#
        let item = #"{"event":"item","id":"m","item":"new9","timestamp":"2022-06-22T11:21:39Z","fields":[{"name":"color","value":"red"}]}"#
        let form: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
        try await service.test { client async throws in
            for body in [click, "\(click)\n\(ranking)", "\(click)\(ranking)\(item)", "[\(click),\(ranking)]"] {
                let answer = try await Self.ask(client, .post, "/feedback", body, headers: form)
                #expect(answer.status == 200 && answer.text.hasPrefix(#"{"status":"ok","accepted":"#), "\(answer)")
            }
            for bad in ["{", #"{"event":"other"}"#, #"{"event":"interaction","id":"x"}"#, "\(click) nonsense"] {
                #expect(try await Self.ask(client, .post, "/feedback", bad, headers: form).status == 400, "\(bad)")
            }
            let asked = #"{"id":"id1","items":[{"id":"a"},{"id":"b"},{"id":"i0"}],"timestamp":1}"#
            let ranked = try await Self.ask(client, .post, "/rank/xgboost", asked, headers: form)
            // The double ranks three items of its own; those that it leaves out come last, in their order.
            let object = try #require(try JSONSerialization.jsonObject(with: Data(ranked.text.utf8)) as? [String: Any])
            let items = try #require(object["items"] as? [[String: Any]])
            #expect(items.compactMap { $0["item"] as? String }.suffix(2) == ["a", "b"])
            let scores = items.compactMap { $0["score"] as? Double }
            #expect(scores == scores.sorted(by: >) && object["state"] is NSNull)
            #expect(try await Self.ask(client, .post, "/rank/x?explain=true", asked).text.contains(#""features":{"score":"#))
            let similar = try await Self.ask(client, .post, "/recommend/similar", #"{"count":2,"items":["i5"]}"#)
            #expect(similar.text.hasPrefix(#"{"items":[{"item":"#))
            #expect(try await Self.ask(client, .post, "/recommend/trending", #"{"count":1}"#).text.contains(#""item":"i0""#))
            #expect(try await Self.ask(client, .get, "/health").status == 200)
        }
        let seen = service.seen.withLock { $0 }
        #expect(seen.events.map(\.count) == [1, 3, 3, 3])
        #expect(seen.events[1][1].contains(#""request_id":"r1","slot":0"#))
        #expect(seen.records.map(\.id) == ["new9", "new9"] && seen.records[1].body.contains(#""patch":true"#))
    }

    @Test("a door that is shut is no path")
    func shut() async throws {
        var configuration = APIConfiguration()
        (configuration.servesGorse, configuration.servesMetarank) = (false, false)
        try await Self.service(configuration).test { client async throws in
            for path in ["/api/user/u", "/health"] {
                let answer = try await Self.ask(client, .get, path)
                #expect(answer.status == 404 && answer.type == "application/problem+json", "\(path)")
            }
        }
    }
}

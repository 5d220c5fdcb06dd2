import Bytes
import ForeignClients
import ForeignFormats
import HTTPTypes
import HummingbirdCore
import Interactions

/// The door for clients of Metarank.
enum MetarankRoutes {
    static let routes: [Route] = [
        route(.post, "/feedback", .write) { exchange in try await feedback(exchange) },
        route(.post, "/rank/{model}", .read) { exchange in try await rank(exchange) },
        route(.post, "/recommend/{model}", .read) { exchange in try await recommend(exchange) },
        Route(.get, "/health", scope: nil, parameters: .any, isLimited: false) { _ in Response(status: .ok) },
    ]

    private static func route(
        _ method: HTTPRequest.Method, _ path: String, _ scope: AccessScope,
        _ handle: @escaping @Sendable (Exchange) async throws -> Response
    ) -> Route {
        Route(method, path, scope: scope, takesBody: true, parameters: .any) { exchange in
            do throws(any Error) {
                return try await handle(exchange)
            } catch let rejection as Rejection {
                throw Problem(rejection)
            }
        }
    }

    // MARK: Events

    /// Stores one event, one after another, or a list; returns when all are committed.
    private static func feedback(_ exchange: Exchange) async throws -> Response {
        let writes = DoorWrites(exchange: exchange), known = try writes.doors.typeNames
        var items: [DoorRecord] = [], users: [DoorRecord] = [], events: [[UInt8]] = []
        let ranges = try self.ranges(exchange)
        for (index, range) in ranges.enumerated() {
            do throws(Rejection) {
                switch try MetarankEvent(Array(exchange.body[range]), knownTypes: known) {
                case .item(let id, let body): items.append(DoorRecord(id: id, body: body))
                case .user(let id, let body): users.append(DoorRecord(id: id, body: body))
                case .interaction(let event): events.append(try MetarankSlate.named(event))
                case .ranking(let slate): events += try MetarankSlate.impressions(slate)
                }
            } catch {
                throw Problem.malformedBody("Event \(index): \(error.field.map { "`\($0)` " } ?? "")\(error.detail).")
            }
        }
        // A patch waits for its item: there must be one.
        try await writes.makeItems(items.map(\.id))
        for item in items { try await writes.put([item], isPatch: true, users: false) }
        for user in users { try await writes.put([user], isPatch: true, users: true) }
        try await writes.send(events)
        var writer = JSONWriter()
        writer.object { answer in
            answer.field("status", "ok")
            answer.field("accepted", ranges.count)
            answer.field("updated", ranges.count)
            answer.field("tookMillis", Int64((ContinuousClock.now - exchange.began).milliseconds))
        }
        return Response(json: writer.bytes)
    }

    /// The events of a body, wherever they stand: in a list, one a line, or one right after another.
    private static func ranges(_ exchange: Exchange) throws(Problem) -> [Range<Int>] {
        let most = exchange.service.configuration.maxEventsPerRequest
        let split = exchange.body.withUnsafeBytes { bytes in
            Result { () throws(Problem) -> [Range<Int>] in
                var index = RecordSplitter.skipSpace(bytes, from: 0), found: [Range<Int>] = []
                if index < bytes.count, bytes[index] == UInt8(ascii: "[") {
                    return try RecordSplitter.ranges(in: bytes, asLines: false, maxRecords: most)
                }
                while index < bytes.count {
                    guard let end = try? RecordSplitter.valueEnd(bytes, from: index), end > index else {
                        throw .malformedBody("Event \(found.count) is no JSON object.")
                    }
                    guard found.count < most else { throw .tooLarge("The body has more than \(most) events. Split the request.") }
                    found.append(index..<end)
                    index = RecordSplitter.skipSpace(bytes, from: end)
                }
                return found
            }
        }
        return try split.get()
    }

    // MARK: Answers

    /// All items that came, best first: those that may not be shown, and those that nobody knows, at the end in their order.
    private static func rank(_ exchange: Exchange) async throws -> Response {
        let asked = try MetarankRanking(GorseObjects.tree(exchange.body)), bounds = exchange.service.configuration
        var request = RecommendationRequest(requestID: exchange.requestID, userID: asked.user, sessionID: asked.session)
        let candidates = Array(asked.items.prefix(min(bounds.maxListedItems, bounds.maxRecommendations)))
        request.candidateItemIDs = candidates
        request.count = candidates.count
        // What is shown is told by a ranking event.
        request.isPreview = true
        try bounds.check(request)
        let ranked = try await exchange.service.operations.recommend(request).items
        var answer = ranked.map { MetarankAnswer.Item(id: $0.itemID, score: Double($0.score)) }
        let known = Set(answer.map(\.id))
        let last = min(0, answer.last?.score ?? 0)
        for (place, id) in asked.items.filter({ !known.contains($0) }).enumerated() {
            answer.append(MetarankAnswer.Item(id: id, score: last - Double(place + 1)))
        }
        let explains = exchange.query.values("explain").last == "true"
        return Response(json: MetarankAnswer.json(answer, tookMilliseconds: took(exchange), explains: explains))
    }

    /// Items like those that are named; without any, what suits the user, or what is popular.
    private static func recommend(_ exchange: Exchange) async throws -> Response {
        let asked = try MetarankRecommendation(exchange.body.isEmpty ? .null : GorseObjects.tree(exchange.body))
        let bounds = exchange.service.configuration, count = min(asked.count, bounds.maxRecommendations)
        var items: [MetarankAnswer.Item] = []
        if count > 0, !asked.items.isEmpty {
            let best = try await SessionLists(exchange: exchange).best(like: asked.items, count: count)
            items = best.prefix(count).map { MetarankAnswer.Item(id: $0.id, score: $0.score) }
        } else if count > 0 {
            var request = RecommendationRequest(requestID: exchange.requestID, userID: asked.user, count: count)
            request.isPreview = asked.user == nil
            try bounds.check(request)
            let list = try await exchange.service.operations.recommend(request)
            items = list.items.map { MetarankAnswer.Item(id: $0.itemID, score: Double($0.score)) }
        }
        return Response(json: MetarankAnswer.json(items, tookMilliseconds: took(exchange), explains: nil))
    }

    private static func took(_ exchange: Exchange) -> Int64 { Int64((ContinuousClock.now - exchange.began).milliseconds) }
}

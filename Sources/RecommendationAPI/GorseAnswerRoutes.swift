import Bytes
import ForeignClients
import HTTPTypes
import HummingbirdCore
import Interactions

/// Recommendations as clients of Gorse ask for them.
enum GorseAnswerRoutes {
    static let routes: [Route] = recommendations + lists + others

    private static let recommendations: [Route] = [
        GorseDoor.route(.get, "/api/recommend/{user}", .read, shows: true) { exchange in try await recommend(exchange) },
        GorseDoor.route(.get, "/api/recommend/{user}/{category}", .read, shows: true) { exchange in try await recommend(exchange) },
        GorseDoor.route(.get, "/api/collaborative-filtering/{user}", .read, shows: true) { exchange in
            scores(try await personal(exchange, user: exchange.parameters[0]))
        },
        GorseDoor.route(.get, "/api/collaborative-filtering/{user}/{category}", .read, shows: true) { exchange in
            scores(try await personal(exchange, user: exchange.parameters[0]))
        },
        GorseDoor.route(.post, "/api/session/recommend", .read, takesBody: true) { exchange in try await session(exchange) },
        GorseDoor.route(.post, "/api/session/recommend/{category}", .read, takesBody: true) { exchange in try await session(exchange) },
    ]

    private static let lists: [Route] = [
        GorseDoor.route(.get, "/api/latest", .read) { exchange in try await latest(exchange) },
        GorseDoor.route(.get, "/api/latest/{category}", .read) { exchange in try await latest(exchange) },
        GorseDoor.route(.get, "/api/non-personalized/{name}", .read) { exchange in
            let categories = GorseDoor.categories(exchange, inPath: nil)
            let found = try await answer(exchange, user: nil, categories, exclude: try await known(exchange))
            var response = scores(GorseAnswerRoutes.entries(found))
            response.headers[.lastModified] = AnswerDates().header(second: ServiceCore.secondsSince1970())
            return response
        },
        GorseDoor.route(.get, "/api/item-to-item/{name}/{item}", .read) { exchange in try await similar(exchange, item: 1, category: nil) },
        GorseDoor.route(.get, "/api/item/{item}/neighbors", .read) { exchange in try await similar(exchange, item: 0, category: nil) },
        GorseDoor.route(.get, "/api/item/{item}/neighbors/{category}", .read) { exchange in
            try await similar(exchange, item: 0, category: 1)
        },
    ]

    private static let others: [Route] = [
        GorseDoor.route(.get, "/api/user/{user}/neighbors", .read) { _ in throw noUserNeighbours },
        GorseDoor.route(.get, "/api/user-to-user/{name}/{user}", .read) { _ in throw noUserNeighbours },
        GorseDoor.route(.get, "/api/health/live", nil, isLimited: false) { _ in health(isReady: true) },
        GorseDoor.route(.get, "/api/health/ready", nil, isLimited: false) { exchange in
            let isReady = await exchange.service.operations.readiness().canAnswer
            var response = health(isReady: isReady)
            if !isReady {
                response.status = .serviceUnavailable
                response.headers[.contentType] = "text/plain; charset=utf-8"
            }
            return response
        },
    ]

    private static let noUserNeighbours = Problem(
        .notFound, "not-configured", "user-to-user recommender is not configured: this service has no neighbours of users")

    private static func health(isReady: Bool) -> Response {
        GorseDoor.json { writer in
            writer.object { status in
                status.field("Ready", isReady)
                for name in ["DataStoreError", "CacheStoreError"] {
                    status.key(data: name)
                    status.null()
                }
                status.field("DataStoreConnected", isReady)
                status.field("CacheStoreConnected", isReady)
            }
        }
    }

    // MARK: Answers

    typealias Scored = SessionLists.Scored

    static func scores(_ list: [Scored]) -> Response {
        GorseDoor.json { writer in
            writer.array { array in
                for one in list {
                    array.object { object in
                        object.field("Id", one.id)
                        object.key("Score")
                        object.plainNumber(one.score)
                    }
                }
            }
        }
    }

    static func entries(_ list: [RecommendedEntry]) -> [Scored] { list.map { Scored(id: $0.itemID, score: Double($0.score)) } }

    private static func recommend(_ exchange: Exchange) async throws -> Response {
        let found = try await personal(exchange, user: exchange.parameters[0])
        if let type = exchange.query.values("write-back-type").last, !type.isEmpty { try await writeBack(found, type: type, exchange) }
        if exchange.request.headers[.gorseVersion]?.trimmingSpaces == "2" { return scores(found) }
        return GorseDoor.json { $0.strings(found.map(\.id)) }
    }

    private static func personal(_ exchange: Exchange, user: String) async throws -> [Scored] {
        let categories = GorseDoor.categories(exchange, inPath: 1)
        let user = try exchange.service.configuration.userID(user, "user_id")
        var exclude = Set(try await GorseFeedbackRoutes.find(exchange, user: user, item: nil, type: nil).map(\.itemID))
        exclude.formUnion(try await known(exchange))
        return entries(try await answer(exchange, user: user, categories, exclude: exclude))
    }

    /// The items of which the user in `user-id` has any feedback.
    private static func known(_ exchange: Exchange) async throws -> Set<String> {
        guard let user = exchange.query.values("user-id").last, !user.isEmpty else { return [] }
        return Set(try await GorseFeedbackRoutes.find(exchange, user: user, item: nil, type: nil).map(\.itemID))
    }

    /// The part of an answer that is asked for. One that is not the top of the list is no impression: it cannot be told what was seen.
    private static func answer(
        _ exchange: Exchange, user: String?, _ categories: [String], exclude: Set<String>
    ) async throws -> [RecommendedEntry] {
        let window = try GorseDoor.Window(exchange), core = exchange.service
        for category in categories { _ = try core.configuration.id(category, "category") }
        let (end, isPast) = window.offset.addingReportingOverflow(window.count)
        let most = core.configuration.maxRecommendations
        guard window.count > 0, !isPast, window.offset < most else { return [] }
        var request = RecommendationRequest(requestID: exchange.requestID, userID: user)
        request.count = categories.count > 1 ? most : min(most, end)
        request.category = categories.first
        request.excludedItemIDs = exclude.sorted()
        request.isPreview = user == nil || window.offset > 0 || categories.count > 1
        request.includeDetails = categories.count > 1
        let list = try await core.operations.recommend(request)
        if !request.isPreview {
            core.metrics.recommended(list, duration: ContinuousClock.now - exchange.began, second: ServiceCore.secondsSince1970())
        }
        let fitting = list.items.filter { entry in
            categories.dropFirst().allSatisfy { entry.details?.categories.contains($0) == true }
        }
        return window.part(of: fitting)
    }

    private static func writeBack(_ found: [Scored], type: String, _ exchange: Exchange) async throws {
        let text = exchange.query.values("write-back-delay").last ?? "0"
        guard let delay = GorseText.milliseconds(ofDuration: text.isEmpty ? "0" : text) else {
            throw Problem.badParameter(
                "write-back-delay", "`write-back-delay` is \(text.quotedForMessage); give a span such as 10m or 1h30m.")
        }
        let time = EventTime(milliseconds: GorseFeedbackRoutes.now.milliseconds + delay)
        let feedback = try found.map { one in
            try GorseFeedback(
                .object([
                    JSONTree.Member(name: "FeedbackType", value: .text(type)),
                    JSONTree.Member(name: "UserId", value: .text(exchange.parameters[0])),
                    JSONTree.Member(name: "ItemId", value: .text(one.id)),
                    JSONTree.Member(name: "Timestamp", value: .text(time.rfc3339())),
                ]))
        }
        let writes = DoorWrites(exchange: exchange), known = try writes.doors.typeNames, now = GorseFeedbackRoutes.now
        try await writes.send(feedback.map { $0.event(knownTypes: known, now: now, salt: nil) })
    }

    private static func latest(_ exchange: Exchange) async throws -> Response {
        let window = try GorseDoor.Window(exchange), gone = try await known(exchange)
        let most = exchange.service.configuration.maxRecommendations
        let items = try await DoorWrites(exchange: exchange).doors.newest(
            GorseDoor.categories(exchange, inPath: 0), min(most, window.offset) + window.count + gone.count)
        let scored = items.filter { !gone.contains($0.itemID) }.map {
            Scored(id: $0.itemID, score: Double(($0.publishedAt?.milliseconds ?? 0) / 1_000))
        }
        return scores(window.part(of: scored))
    }

    private static func similar(_ exchange: Exchange, item place: Int, category: Int?) async throws -> Response {
        let window = try GorseDoor.Window(exchange), most = exchange.service.configuration.maxRecommendations
        guard window.count > 0, window.offset < most else { return scores([]) }
        let item = try exchange.service.configuration.id(exchange.parameters[place], "item_id")
        let lists = SessionLists(exchange: exchange, categories: GorseDoor.categories(exchange, inPath: category))
        // Of an item that it does not know, Gorse has no neighbours.
        let list = try await lists.like(
            item, exclude: try await known(exchange), count: min(most, window.offset + window.count))
        return scores(window.part(of: list ?? []))
    }

    /// Items like the newest of a session.
    private static func session(_ exchange: Exchange) async throws -> Response {
        let window = try GorseDoor.Window(exchange)
        let sent = try GorseObjects.list(exchange.body).map { tree in try GorseFeedback(tree, needsUser: false) }
        let zero = EventTime(milliseconds: 0)
        let newest = sent.enumerated().sorted { ($1.element.time ?? zero, $0.offset) < ($0.element.time ?? zero, $1.offset) }
            .map(\.element.itemID)
        let lists = SessionLists(exchange: exchange, categories: GorseDoor.categories(exchange, inPath: 0))
        let most = exchange.service.configuration.maxRecommendations
        return scores(window.part(of: try await lists.best(like: newest, count: min(most, window.offset) + window.count)))
    }
}

extension HTTPField.Name {
    /// Which form of an answer a client of Gorse reads.
    fileprivate static let gorseVersion = Self("X-API-Version")!
}

extension String {
    fileprivate var trimmingSpaces: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}

import HTTPTypes
import Hummingbird

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `/v1/recommendations` and `/v1/items/{id}/similar`.
enum RecommendationRoutes {
    static let routes: [Route] = [
        Route(.get, "/v1/recommendations", scope: .read) { exchange in
            try await recommend(request(from: exchange.query(), exchange), exchange)
        },
        Route(.post, "/v1/recommendations", scope: .read, takesBody: true) { exchange in
            try await recommend(request(fromBodyOf: exchange), exchange)
        },
        Route(.get, "/v1/items/{id}/similar", scope: .read) { exchange in
            let list = try await exchange.service.operations.similar(similarRequest(exchange))
            return Response(json: list.json(tookMilliseconds: (ContinuousClock.now - exchange.began).milliseconds))
        },
    ]

    private static func recommend(_ request: RecommendationRequest, _ exchange: Exchange) async throws -> Response {
        let list = try await exchange.service.operations.recommend(request)
        let duration = ContinuousClock.now - exchange.began
        exchange.service.metrics.recommended(list, duration: duration, second: ServiceCore.secondsSince1970())
        return Response(json: list.json(tookMilliseconds: duration.milliseconds))
    }

    private static func request(
        from query: QueryParameters, _ exchange: Exchange
    ) throws(Problem) -> RecommendationRequest {
        let bounds = exchange.service.configuration
        var request = RecommendationRequest(requestID: exchange.requestID)
        request.userID = try query.value("user_id")
        request.sessionID = try query.value("session_id")
        request.count = try query.integer("n", in: 1...bounds.maxRecommendations) ?? bounds.defaultRecommendations
        request.category = try query.value("category")
        request.excludedItemIDs = query.values("exclude")
        let items = query.values("items")
        if !items.isEmpty { request.candidateItemIDs = items }
        for (name, value) in query.values(under: "context.") { request.context[name] = value }
        for (name, text) in query.values(under: "objective.") {
            guard let weight = Double(text) else {
                throw .badParameter("objective.\(name)", "`objective.\(name)` is \(text.quotedForMessage); give a number.")
            }
            request.objective[name] = weight
        }
        request.explain = try query.flag("explain")
        request.includeDetails = try query.flag("details")
        request.waitFor = try query.value("wait")
        try bounds.check(request)
        return request
    }

    private static func similarRequest(_ exchange: Exchange) throws(Problem) -> SimilarItemsRequest {
        let bounds = exchange.service.configuration
        let query = try exchange.query()
        let excluded = query.values("exclude")
        let category = try query.value("category")
        // The same bounds as for recommendations.
        try bounds.check(
            RecommendationRequest(requestID: exchange.requestID, category: category, excludedItemIDs: excluded))
        return SimilarItemsRequest(
            requestID: exchange.requestID, itemID: try bounds.id(exchange.parameters[0], "id"),
            count: try query.integer("n", in: 1...bounds.maxRecommendations) ?? bounds.defaultRecommendations,
            category: category, excludedItemIDs: excluded, explain: try query.flag("explain"),
            includeDetails: try query.flag("details"))
    }

    private static func request(fromBodyOf exchange: Exchange) throws(Problem) -> RecommendationRequest {
        let bounds = exchange.service.configuration
        let body: RecommendationBody
        do {
            body = try JSONDecoder().decode(RecommendationBody.self, from: Data(exchange.body))
        } catch {
            throw .undecodable(error)
        }
        var count = bounds.defaultRecommendations
        if let n = body.n {
            guard let whole = Int(exactly: n), (1...bounds.maxRecommendations).contains(whole) else {
                throw .badParameter("n", "`n` is \(n); give a whole number from 1 to \(bounds.maxRecommendations).")
            }
            count = whole
        }
        let request = RecommendationRequest(
            requestID: exchange.requestID, userID: body.user_id, sessionID: body.session_id,
            count: count, category: body.category,
            excludedItemIDs: body.exclude ?? [], context: (body.context ?? [:]).mapValues(\.text),
            candidateItemIDs: body.items, objective: body.objective ?? [:], explain: body.explain ?? false,
            includeDetails: body.details ?? false, waitFor: body.wait)
        try bounds.check(request)
        return request
    }
}

/// The body of `POST /v1/recommendations`, by the names that users write.
private struct RecommendationBody: Decodable {
    var user_id: String?
    var session_id: String?
    /// A number of any kind here, so that 1.5 is refused by its name.
    var n: Double?
    var category: String?
    var exclude: [String]?
    var context: [String: Scalar]?
    var items: [String]?
    var objective: [String: Double]?
    var explain: Bool?
    var details: Bool?
    var wait: String?

    /// A string, number or boolean, kept as text.
    enum Scalar: Decodable {
        case string(String), number(Double), bool(Bool)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let value = try? container.decode(String.self) {
                self = .string(value)
            } else if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else {
                self = .number(try container.decode(Double.self))
            }
        }

        var text: String {
            switch self {
            case .string(let value): value
            case .bool(let value): value ? "true" : "false"
            case .number(let value):
                value == value.rounded() && value.magnitude < 1e15 ? String(Int64(value)) : value.description
            }
        }
    }
}

extension APIConfiguration {
    /// The most entries in `context` and in `objective`.
    private static let maxMapEntries = 32
    /// The longest watermark in bytes: one entry for each of many partitions.
    private static let maxWatermarkBytes = 8_192

    /// Gives back an id that is within the bounds.
    func id(_ id: String, _ name: String) throws(Problem) -> String {
        guard !id.isEmpty, id.utf8.count <= maxIDBytes, !id.holdsControlCharacter else {
            throw .badParameter(
                name, "`\(name)` must be 1 to \(maxIDBytes) bytes of UTF-8 without control characters.")
        }
        return id
    }

    func check(_ request: RecommendationRequest) throws(Problem) {
        if let userID = request.userID { _ = try id(userID, "user_id") }
        if let sessionID = request.sessionID { _ = try id(sessionID, "session_id") }
        if let category = request.category { _ = try id(category, "category") }
        for (name, ids) in [("exclude", request.excludedItemIDs), ("items", request.candidateItemIDs ?? [])] {
            guard ids.count <= maxListedItems else {
                throw .badParameter(name, "`\(name)` has \(ids.count) ids; at most \(maxListedItems) are read.")
            }
            for listed in ids { _ = try id(listed, name) }
        }
        for (name, count) in [("context", request.context.count), ("objective", request.objective.count)]
        where count > Self.maxMapEntries {
            throw .badParameter(name, "`\(name)` has \(count) entries; at most \(Self.maxMapEntries) are read.")
        }
        for (name, value) in request.context where name.utf8.count > maxIDBytes || value.utf8.count > maxIDBytes {
            throw .badParameter(
                "context", "`context.\(name.prefix(64))`: a name or value is longer than \(maxIDBytes) bytes.")
        }
        for (name, weight) in request.objective where !weight.isFinite || weight < 0 {
            throw .badParameter("objective.\(name)", "`objective.\(name)` must be a finite number, at least 0.")
        }
        if let watermark = request.waitFor, watermark.utf8.count > Self.maxWatermarkBytes {
            throw .badParameter("wait", "`wait` is longer than \(Self.maxWatermarkBytes) bytes; send a watermark as it was given.")
        }
    }
}

extension Problem {
    /// Says where a body went wrong, in the terms of the sender.
    static func undecodable(_ error: any Error) -> Problem {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.reduce(into: "") { path, key in
                if let index = key.intValue { path += "[\(index)]" } else { path += (path.isEmpty ? "" : ".") + key.stringValue }
            }
        }
        switch error {
        case DecodingError.typeMismatch(let type, let context), DecodingError.valueNotFound(let type, let context):
            let place = path(context)
            guard !place.isEmpty else { return .malformedBody("The body must be a JSON object.") }
            return .badParameter(place, "`\(place)` is of the wrong type; \(wanted(type)) is expected.")
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            return .badParameter(path(context), "`\(path(context))` is not within the bounds of its type.")
        default: return .malformedBody("The body is not valid JSON in UTF-8.")
        }
    }

    private static func wanted(_ type: any Any.Type) -> String {
        if type == String.self { return "a string" }
        if type == Int.self { return "a whole number" }
        if type == Double.self { return "a number" }
        if type == Bool.self { return "true or false" }
        return "\(type)".hasPrefix("Array") ? "a list" : "an object"
    }
}

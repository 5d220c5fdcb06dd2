import HTTPTypes
import HummingbirdCore
import Interactions

/// `/v1/recommendations` and `/v1/items/{id}/similar`.
enum RecommendationRoutes {
    static let routes: [Route] = [
        Route(.get, "/v1/recommendations", scope: .read, parameters: parameters, recordsImpressions: true) { exchange in
            try await recommend(request(from: exchange.query, exchange), exchange)
        },
        Route(.post, "/v1/recommendations", scope: .read, takesBody: true) { exchange in
            try await recommend(RecommendationBody.request(exchange), exchange)
        },
        Route(
            .get, "/v1/items/{id}/similar", scope: .read,
            parameters: KnownParameters(["n", "category", "exclude", "explain", "details", KnownParameters.preview])
        ) { exchange in
            let list = try await exchange.service.operations.similar(similarRequest(exchange))
            return Response(json: list.json(tookMilliseconds: (ContinuousClock.now - exchange.began).milliseconds))
        },
    ]

    private static let parameters = KnownParameters(
        [
            "user_id", "id_space", "session_id", "n", "category", "exclude", "items", "explain", "details", "wait", "personalised",
            KnownParameters.preview,
        ], prefixes: ["context.", "objective."])

    private static func recommend(_ request: RecommendationRequest, _ exchange: Exchange) async throws -> Response {
        let list = try await exchange.service.operations.recommend(request)
        let duration = ContinuousClock.now - exchange.began
        let response = Response(json: list.json(tookMilliseconds: duration.milliseconds, isPreview: request.isPreview))
        if request.isPreview { return response.markedAsPreview() }
        exchange.service.metrics.recommended(list, duration: duration, second: ServiceCore.secondsSince1970())
        return response
    }

    private static func request(
        from query: QueryParameters, _ exchange: Exchange
    ) throws(Problem) -> RecommendationRequest {
        let bounds = exchange.service.configuration
        var request = RecommendationRequest(requestID: exchange.requestID)
        request.userID = try bounds.userID(query.value("user_id"), in: query.value("id_space"))
        request.sessionID = try query.value("session_id")
        request.count = try query.integer("n", in: 1...bounds.maxRecommendations) ?? bounds.defaultRecommendations
        request.category = try query.value("category")
        request.excludedItemIDs = query.values("exclude")
        let items = query.values("items")
        if !items.isEmpty { request.candidateItemIDs = items }
        for (name, value) in query.values(under: "context.") { request.context[name] = value }
        for (name, text) in query.values(under: "objective.") {
            guard let weight = Double(text) else {
                let field = "objective.\(name.cutForMessage)"
                throw .badParameter(field, "`\(field)` is \(text.quotedForMessage); give a number.")
            }
            request.objective[name] = weight
        }
        request.explain = try query.flag("explain")
        request.includeDetails = try query.flag("details")
        request.waitFor = try query.value("wait")
        request.isPreview = try query.flag(KnownParameters.preview)
        if try query.value("personalised") != nil { request.isPersonalised = try query.flag("personalised") }
        try bounds.check(request)
        return request
    }

    private static func similarRequest(_ exchange: Exchange) throws(Problem) -> SimilarItemsRequest {
        let bounds = exchange.service.configuration
        let query = exchange.query
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
}

extension APIConfiguration {
    /// The most entries in `context` and in `objective`.
    static let maxMapEntries = 32
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

    /// Gives back the id of a user that is within the bounds: a session's own person is stored as `session:` and its id.
    func userID(_ id: String, _ name: String) throws(Problem) -> String {
        let session = DecodingRules.sessionPrefix
        if id.hasPrefix(session), id.utf8.count > session.utf8.count {
            _ = try self.id(String(id.dropFirst(session.count)), name)
            return id
        }
        return try self.id(id, name)
    }

    /// The id of a user of a space, as it is stored; the id as it is where none is named.
    func userID(_ id: String?, in space: String?) throws(Problem) -> String? {
        guard let space else { return id }
        if let problem = DecodingRules.problem(ofIDSpace: space) { throw .badParameter("id_space", "`id_space` \(problem).") }
        guard let id else { return nil }
        let joined = DecodingRules.prefix(ofIDSpace: space) + (try userID(id, "user_id"))
        guard joined.utf8.count <= maxIDBytes else {
            throw .badParameter("user_id", "`user_id` is longer than \(maxIDBytes) bytes with its `id_space` and a colon.")
        }
        return joined
    }

    func check(_ request: RecommendationRequest) throws(Problem) {
        if let userID = request.userID { _ = try self.userID(userID, "user_id") }
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
                "context", "`context.\(name.cutForMessage)`: a name or value is longer than \(maxIDBytes) bytes.")
        }
        for (name, weight) in request.objective where !weight.isFinite || weight < 0 {
            let field = "objective.\(name.cutForMessage)"
            throw .badParameter(field, "`\(field)` must be a finite number, at least 0.")
        }
        if let watermark = request.waitFor, watermark.utf8.count > Self.maxWatermarkBytes {
            throw .badParameter("wait", "`wait` is longer than \(Self.maxWatermarkBytes) bytes; send a watermark as it was given.")
        }
    }
}

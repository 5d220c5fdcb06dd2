import Interactions

/// The body of `POST /v1/recommendations`, by the names that users write.
enum RecommendationBody {
    static let names = [
        "user_id", "id_space", "session_id", "n", "category", "exclude", "context", "items", "objective", "explain", "details", "wait",
        "personalised", KnownParameters.preview,
    ]

    /// Reads a request as a query would have it. Ids may be whole numbers, as in records.
    static func request(_ exchange: Exchange) throws(Problem) -> RecommendationRequest {
        let bounds = exchange.service.configuration
        let requestID = exchange.requestID
        var unknown: String?, space: String?
        let result = exchange.body.withUnsafeBytes { bytes in
            exchange.service.decoder.object(bytes, maxBytes: bounds.maxBodyBytes) { fields throws(Rejection) -> RecommendationRequest in
                unknown = fields.names.filter { !names.contains($0) }.min()
                guard unknown == nil else { return RecommendationRequest(requestID: requestID) }
                space = try fields.id("id_space")
                return try request(fields, requestID, bounds)
            }
        }
        if let unknown { throw .unknown(unknown, kind: "field", known: names, ifNone: "") }
        switch result {
        case .success(var request):
            request.userID = try bounds.userID(request.userID, in: space)
            try bounds.check(request)
            return request
        case .failure(let rejection): throw Problem(rejection)
        }
    }

    private static func request(
        _ fields: ObjectFields, _ requestID: String, _ bounds: APIConfiguration
    ) throws(Rejection) -> RecommendationRequest {
        RecommendationRequest(
            requestID: requestID, userID: try fields.id("user_id"), sessionID: try fields.id("session_id"),
            count: try fields.integer("n", in: 1...Int32(clamping: bounds.maxRecommendations)).map { Int($0) }
                ?? bounds.defaultRecommendations,
            category: try fields.id("category"), excludedItemIDs: try fields.ids("exclude", limit: bounds.maxListedItems) ?? [],
            context: try fields.scalars("context", limit: APIConfiguration.maxMapEntries) ?? [:],
            candidateItemIDs: try fields.ids("items", limit: bounds.maxListedItems),
            objective: try fields.numbers("objective", limit: APIConfiguration.maxMapEntries) ?? [:],
            explain: try fields.boolean("explain") ?? false, includeDetails: try fields.boolean("details") ?? false,
            waitFor: try fields.text("wait"), isPreview: try fields.boolean(KnownParameters.preview) ?? false,
            isPersonalised: try fields.boolean("personalised") ?? true)
    }
}

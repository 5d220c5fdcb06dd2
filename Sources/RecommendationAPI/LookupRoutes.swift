import Bytes
import HTTPTypes
import HummingbirdCore

/// What is known of users, items, models and the service.
enum LookupRoutes {
    /// Who only looks may say so on every look-up.
    private static let lookup = KnownParameters([KnownParameters.preview])
    private static let promotion = KnownParameters(["force", "reason"])

    static let routes: [Route] = [
        Route(.get, "/v1/users/{id}", scope: .read, parameters: lookup) { exchange in
            let id = try exchange.service.configuration.userID(exchange.parameters[0], "id")
            guard let view = try await exchange.service.operations.user(id) else {
                throw Problem(.notFound, "unknown-user", "Nothing is stored of this user.")
            }
            return Response(json: view.json())
        },
        Route(
            .get, "/v1/users/{id}/export", scope: .admin, parameters: lookup, isTimed: false, audit: { _ in "export of a user" }
        ) { exchange in
            try await PersonalDataStream.response(exchange)
        },
        Route(.get, "/v1/items/{id}", scope: .read, parameters: lookup) { exchange in
            let id = try exchange.service.configuration.id(exchange.parameters[0], "id")
            guard let view = try await exchange.service.operations.item(id) else {
                throw Problem(.notFound, "unknown-item", "The catalogue has no item of this id.")
            }
            return Response(json: view.json())
        },
        Route(.get, "/v1/models", scope: .read, parameters: lookup) { exchange in
            let models = try await exchange.service.operations.models()
            var writer = JSONWriter(reservingBytes: 256 + models.count * 512)
            writer.object { writer in
                writer.key("models")
                writer.array { writer in
                    for model in models { model.write(to: &writer) }
                }
            }
            return Response(json: writer.bytes)
        },
        Route(
            .post, "/v1/models/{version}/promote", scope: .admin, parameters: promotion,
            audit: { "promotion of version \($0.parameters[0].cutForMessage)\(forced($0))" }
        ) { exchange in
            guard let version = Int(exchange.parameters[0]), version > 0 else {
                throw Problem.badParameter("version", "The version in the path must be a whole number above 0.")
            }
            return response(try await exchange.service.operations.promote(version, try promotion(exchange)))
        },
        Route(
            .post, "/v1/models/rollback", scope: .admin, parameters: promotion, audit: { "rollback of the model\(forced($0))" }
        ) { exchange in
            response(try await exchange.service.operations.rollback(try promotion(exchange)))
        },
        Route(.get, "/v1/experiments", scope: .read, parameters: lookup) { _ in
            // This version runs no experiments: the list is empty because there are none, not because they are hidden.
            var writer = JSONWriter(reservingBytes: 32)
            writer.object { writer in
                writer.key("experiments")
                writer.array { _ in }
            }
            return Response(json: writer.bytes)
        },
        Route(.get, "/v1/stats", scope: .read, parameters: lookup) { exchange in
            Response(json: try await exchange.service.statistics.bytes())
        },
        Route(.get, "/v1/stream", scope: .read, parameters: lookup, isTimed: false) { exchange in
            try StatisticsStream.response(exchange)
        },
    ]

    private static func forced(_ exchange: Exchange) -> String { (try? exchange.query.flag("force")) == true ? " by force" : "" }

    private static func promotion(_ exchange: Exchange) throws -> PromotionRequest {
        let reason = try exchange.query.value("reason")
        guard (reason?.utf8.count ?? 0) <= PromotionRequest.maxReasonBytes else {
            throw Problem.badParameter("reason", "`reason` is longer than \(PromotionRequest.maxReasonBytes) bytes.")
        }
        return PromotionRequest(force: try exchange.query.flag("force"), reason: reason)
    }

    private static func response(_ model: ModelVersionView) -> Response {
        var writer = JSONWriter()
        model.write(to: &writer)
        return Response(json: writer.bytes)
    }
}

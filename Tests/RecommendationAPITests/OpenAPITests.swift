import Foundation
import RecommendationAPI
import Testing

@Suite struct OpenAPITests {
    private func document() async throws -> String {
        let text = Text()
        try await TestService().test { client async throws in await text.set(try await client.send(.get, "/openapi.json").text) }
        return await text.value
    }

    private actor Text {
        var value = ""
        func set(_ text: String) { value = text }
    }

    @Test func everyRouteIsDescribedAndEveryDescriptionIsARoute() async throws {
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(await document().utf8)) as? [String: Any])
        #expect((object["openapi"] as? String)?.hasPrefix("3.1") == true)
        let paths = try #require(object["paths"] as? [String: [String: [String: Any]]])
        var described: Set<RouteDescriptionKey> = []
        var operationIDs: [String] = []
        for (path, operations) in paths {
            for (method, operation) in operations {
                operationIDs.append(try #require(operation["operationId"] as? String))
                let security = try #require(operation["security"] as? [[String: [String]]])
                described.insert(
                    RouteDescriptionKey(method: method.uppercased(), path: path, scope: security.first?["key"]?.first))
                let responses = try #require(operation["responses"] as? [String: Any])
                #expect(responses.keys.contains { $0.hasPrefix("2") }, "\(method) \(path)")
                // What any request may be answered with, before its route is looked at.
                for status in ["400", "405", "408", "414", "417", "421", "431", "501"] {
                    #expect(responses[status] != nil, "\(status) of \(method) \(path)")
                }
                // Whatever stands in braces is a parameter in the path.
                let named = path.matches(of: /\{(\w+)\}/).map { String($0.output.1) }
                let parameters = (operation["parameters"] as? [[String: Any]] ?? []).compactMap { parameter in
                    (parameter["name"] as? String)
                        ?? (parameter["$ref"] as? String).flatMap { $0.hasSuffix("/ID") ? "id" : nil }
                }
                for name in named { #expect(parameters.contains(name), "\(method) \(path)") }
            }
        }
        #expect(Set(operationIDs).count == operationIDs.count)
        let served = Set(routeDescriptions.map { RouteDescriptionKey(method: $0.method, path: $0.path, scope: $0.scope?.rawValue) })
        #expect(described.subtracting(served).isEmpty, "described, not served: \(described.subtracting(served))")
        #expect(served.subtracting(described).isEmpty, "served, not described: \(served.subtracting(described))")
    }

    private struct RouteDescriptionKey: Hashable {
        let method: String
        let path: String
        let scope: String?
    }

    @Test func everyReferenceLeadsSomewhere() async throws {
        let text = try await document()
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let references = Set(text.matches(of: /"\$ref": "#\/([^"]+)"/).map { String($0.output.1) })
        #expect(references.count > 20)
        for reference in references {
            var place: Any? = object
            for part in reference.split(separator: "/") { place = (place as? [String: Any])?[String(part)] }
            #expect(place != nil, "\(reference)")
        }
    }

    @Test func answersHaveWhatTheirSchemasRequire() async throws {
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(await document().utf8)) as? [String: Any])
        let components = try #require(object["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: [String: Any]])
        let required: @Sendable (String) throws -> (all: Set<String>, required: Set<String>) = { [schemas = SendableJSON(schemas)] name in
            let schema = try #require(schemas.value[name])
            let properties = try #require(schema["properties"] as? [String: Any])
            return (Set(properties.keys), Set(schema["required"] as? [String] ?? []))
        }
        try await TestService().test { client async throws in
            for (name, path) in [
                ("RecommendationList", "/v1/recommendations?user_id=u1"), ("UserView", "/v1/users/u1"),
                ("ItemView", "/v1/items/i1"), ("Statistics", "/v1/stats"), ("Readiness", "/readyz"), ("Problem", "/nowhere"),
            ] {
                let keys = Set(try await client.send(.get, path).object().keys)
                let schema = try required(name)
                #expect(schema.required.isSubset(of: keys), "\(name): \(schema.required.subtracting(keys)) missing")
                #expect(keys.isSubset(of: schema.all), "\(name): \(keys.subtracting(schema.all)) not described")
            }
            let taken = Set(try await client.send(.post, "/v1/events?wait=true", "[{}]").object().keys)
            #expect(taken.isSubset(of: try required("IntakeOutcome").all))
        }
    }

    /// Parsed JSON is never changed after it was parsed.
    private struct SendableJSON: @unchecked Sendable {
        let value: [String: [String: Any]]
        init(_ value: [String: [String: Any]]) { self.value = value }
    }
}

import HTTPTypes
import RecommendationAPI
import Testing

/// Who promoted and who erased stands in the log, by the name of the key.
@Suite struct AuditTests {
    private static let keys = [
        APIKey(name: "admin-1", secret: "chief-secret", scopes: [.read, .write, .admin]),
        APIKey(name: "write-2", secret: "shop-secret", scopes: [.read, .write]),
    ]

    /// The lines about requests of these.
    private func lines(
        _ requests: [(HTTPRequest.Method, String, key: String?)], _ configuration: APIConfiguration = APIConfiguration(apiKeys: keys)
    ) async throws -> [String] {
        let service = TestService(configuration)
        try await service.test { client async throws in
            for (method, path, key) in requests { _ = try await client.send(method, path, headers: key.map { ["X-API-Key": $0] } ?? [:]) }
        }
        return service.logged.all.filter { $0.contains("asked for over HTTP") }
    }

    @Test func promotionsAndErasuresAreToldWithTheKeysName() async throws {
        let told = try await lines([
            (.post, "/v1/models/4/promote", key: "chief-secret"), (.post, "/v1/models/8/promote?force=true", key: "chief-secret"),
            (.post, "/v1/models/8/promote", key: "chief-secret"), (.post, "/v1/models/rollback", key: "chief-secret"),
            (.delete, "/v1/users/secret-person", key: "shop-secret"),
        ])
        #expect(told.count == 5)
        for (line, words) in zip(told, [
            ["promotion of version 4", "admin-1", "200"], ["promotion of version 8 by force", "admin-1", "200"],
            ["promotion of version 8", "admin-1", "409"], ["rollback of the model", "admin-1", "409"],
            ["erasure of a user", "write-2", "202"],
        ]) {
            for word in words { #expect(line.contains(word), "\(line)") }
            #expect(!line.contains("secret"), "\(line)")
        }
    }

    @Test func whatNobodyWasLetInForIsNoAct() async throws {
        let told = try await lines([
            (.post, "/v1/models/4/promote", key: nil), (.post, "/v1/models/4/promote", key: "guess"),
            (.post, "/v1/models/4/promote", key: "shop-secret"), (.delete, "/v1/users/a", key: nil),
            (.get, "/v1/users/a", key: "shop-secret"), (.delete, "/v1/items/a", key: "shop-secret"),
        ])
        #expect(told.isEmpty, "\(told)")
    }

    @Test func withoutKeysItIsSaidThatNoneWasNeeded() async throws {
        let told = try await lines([(.delete, "/v1/users/a", key: nil)], APIConfiguration())
        #expect(told.count == 1 && told[0].contains("none needed"), "\(told)")
    }
}

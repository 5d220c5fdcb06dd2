import Interactions
import Settings
import Testing

@Suite("ingest.registry")
struct RegistryTests {
    @Test("formats are read, and the registry's password is no text for others")
    func example() throws {
        let settings = try Sources.yaml("""
            ingest:
              registry: {url: 'https://registry.internal:8081', user: shop, password: very-secret-word, ca_file: /etc/ca.pem}
              topics:
                a: {kind: items, format: avro, fields: {item_id: i}}
                b: {kind: users, format: debezium, fields: {user_id: i}}
                c: {kind: items, fields: {item_id: i, price: {path: p, scale: 2}}}
            """)
        #expect(settings.topicMappings.mapValues(\.format) == ["a": .avro, "b": .debezium, "c": .json])
        #expect(settings.topicMappings["c"]?.fields["price"]?.scale == 2)
        #expect(settings.text(.ingestRegistryURL) == "https://registry.internal:8081")
        #expect(settings.text(.ingestRegistryCAFile) == "/etc/ca.pem")
        #expect(!settings.redaction.applied(to: "Basic very-secret-word").contains("very-secret-word"))
    }

    @Test("a user without a password, or either without a registry, is refused")
    func together() {
        for (settings, words) in [
            ("{url: 'http://r', user: a}", "ingest.registry.password is not"),
            ("{url: 'http://r', password: abcd}", "ingest.registry.user is not"),
            ("{user: a, password: abcd}", "ingest.registry.url is not"), ("{ca_file: a}", "ingest.registry.url is not"),
        ] {
            let error = #expect(throws: ConfigurationError.self) { try Sources.yaml("ingest: {registry: \(settings)}") }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
    }
}

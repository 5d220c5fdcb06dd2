import Foundation
import Settings
import Testing

/// Settings from files, as containers and service managers hand secrets over.
@Suite("Settings from files")
struct SecretFileTests {
    /// Loads settings whose variables name files with these contents; `mode` is theirs.
    private func load(_ files: [String: Data], _ more: [String: String] = [:], mode: mode_t = 0o600) throws -> Configuration {
        let folder = FileManager.default.temporaryDirectory.appending(path: "freshet-secrets-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var environment = more
        for (variable, content) in files {
            let path = folder.appending(path: variable).path
            try content.write(to: URL(fileURLWithPath: path))
            chmod(path, mode)
            environment[variable] = path
        }
        return try Sources.environment(environment)
    }

    private func text(_ text: String) -> Data { Data(text.utf8) }

    @Test("a file holds the value, without the line end that editors write", arguments: ["", "\n", "\r\n", "\n\n"])
    func values(end: String) throws {
        let found = try load([
            "FRESHET_DATABASE_URL_FILE": text("postgresql://f:pässword@h/d" + end),
            "FRESHET_HTTP_ADMIN_KEYS_FILE": text("first-key,second-key" + end),
            "FRESHET_HTTP_READ_KEYS_FILE": text("one-key\ntwo-keys" + end),
            "FRESHET_KAFKA_PROPERTIES_SASL_PASSWORD_FILE": text("  kept as it is" + end),
            "FRESHET_HTTP_PORT_FILE": text("8081" + end), "FRESHET_TRAIN_EPOCHS_FILE": text("3" + end),
            "FRESHET_CURRENCY_RATES_VND_FILE": text("0.5" + end)
        ])
        #expect(found.text(.databaseURL) == "postgresql://f:pässword@h/d")
        #expect(found.list(.httpAdminKeys) == ["first-key", "second-key"] && found.list(.httpReadKeys) == ["one-key", "two-keys"])
        #expect(found.map(.kafkaProperties)["sasl.password"] == "  kept as it is")
        #expect(
            found.integer(.httpPort) == 8_081 && found.map(.currencyRates)["VND"] == "0.5" && found.trainerSettings["epochs"] != nil)
        #expect(found.warnings.isEmpty)
    }

    @Test("what cannot be a value is refused with the variable and the path, and without the content")
    func refused() {
        let database = "FRESHET_DATABASE_URL_FILE"
        for content in [
            text(""), text("\n"), text(" \n"), Data([0xFF, 0x73, 0x33]), text("s3cret\nmore"), text("s3cret\0"), Data(count: 2 << 20),
        ] {
            Sources.expectRefusal(saying: database, "/freshet-secrets-", without: "s3cret") { try load([database: content]) }
        }
        for path in ["/nowhere/s", "/", "/proc/self/mem"] {
            Sources.expectRefusal(saying: database, path) { try Sources.environment([database: path]) }
        }
        for variable in [database, "FRESHET_HTTP_ADMIN_KEYS_FILE"] {
            Sources.expectRefusal(saying: variable, "empty") { try Sources.environment([variable: ""]) }
        }
        Sources.expectRefusal(saying: "FRESHET_HTTP_ADMIN_KEYS_FILE") { try load(["FRESHET_HTTP_ADMIN_KEYS_FILE": text("null\n")]) }
        Sources.expectRefusal(saying: "FRESHET_HTTP_ADMIN_KEYS_FILE", without: "s3cret") {
            try load(["FRESHET_HTTP_ADMIN_KEYS_FILE": text("s3cret,,x")])
        }
        Sources.expectRefusal(saying: "FRESHET_HTTP_PORT_FILE", "http.port") { try load(["FRESHET_HTTP_PORT_FILE": text("none")]) }
    }

    @Test("a value and a file for it are one too many")
    func both() throws {
        for (variable, value) in [
            ("FRESHET_DATABASE_URL", "postgresql://h/s3cret"), ("FRESHET_HTTP_ADMIN_KEYS", "s3cret-key"),
            ("FRESHET_KAFKA_PROPERTIES_SASL_PASSWORD", "s3cret"),
        ] {
            Sources.expectRefusal(saying: variable, variable + "_FILE", "both", without: "s3cret") {
                try load([variable + "_FILE": text("other-value")], [variable: value])
            }
        }
        // A flag is later, and wins.
        let folder = FileManager.default.temporaryDirectory.appending(path: "freshet-port-\(UUID().uuidString)")
        try Data("81\n".utf8).write(to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        let found = try Sources.load(
            files: [], environment: ["FRESHET_HTTP_PORT_FILE": folder.path], flags: [(key: "http.port", value: "82")])
        #expect(found.integer(.httpPort) == 82)
    }

    @Test("a variable that misses a setting is refused as others are")
    func unknown() throws {
        Sources.expectRefusal(saying: "FRESHET_DATABASE_URLL_FILE", "FRESHET_DATABASE_URL_FILE") {
            try Sources.environment(["FRESHET_DATABASE_URLL_FILE": "/x"])
        }
        Sources.expectRefusal(saying: "FRESHET_HTPP_PORT_FILE", "FRESHET_HTTP_PORT_FILE") {
            try Sources.environment(["FRESHET_HTPP_PORT_FILE": "/x"])
        }
        #expect(try Sources.environment(["FRESHET_DATA_FILE": "/x", "FRESHET_FILE": "/x"]).settings.isEmpty)
        // librdkafka's own settings that end so name their files themselves, and a type of events may be called so.
        let own = try Sources.environment([
            "FRESHET_KAFKA_PROPERTIES_SASL_OAUTHBEARER_ASSERTION_FILE": "/x", "FRESHET_INGEST_EVENT_TYPES_OPEN_FILE": "click",
        ])
        #expect(
            own.map(.kafkaProperties)["sasl.oauthbearer.assertion.file"] == "/x" && own.map(.ingestEventTypes)["open_file"] == "click")
    }

    @Test("a file that everybody may read is said")
    func worldReadable() throws {
        let found = try load(["FRESHET_DATABASE_URL_FILE": text("postgresql://f:s3cret@h/d\n")], mode: 0o644)
        let warning = try #require(found.warnings.first)
        #expect(warning.contains("FRESHET_DATABASE_URL_FILE") && warning.contains("chmod") && !warning.contains("s3cret"))
        #expect(try load(["FRESHET_DATABASE_URL_FILE": text("postgresql://h/d")], mode: 0o640).warnings.isEmpty)
    }

    @Test("a file of settings that everybody may read is said where it holds secrets, with their keys", arguments: [
        ("http:\n  admin_keys: [s3cret-key]\n", "http.admin_keys"), ("database:\n  url: postgresql://f:s3cret@h/d\n", "database.url"),
        ("database:\n  url: host=h password=s3cret\n", "database.url"),
        ("kafka:\n  properties:\n    sasl.password: s3cret\n", "kafka.properties"),
        ("http:\n  port: 80\ndatabase:\n  url: postgresql://h/d\nkafka:\n  properties:\n    linger.ms: 5\n", nil),
    ])
    func worldReadableSettings(yaml: String, key: String?) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "freshet-open-\(UUID().uuidString).yaml").path
        defer { unlink(path) }
        try Data(yaml.utf8).write(to: URL(fileURLWithPath: path))
        for (mode, isOpen) in [(0o644, true), (0o604, true), (0o640, false), (0o600, false)] as [(mode_t, Bool)] {
            chmod(path, mode)
            let warnings = try Configuration.load(files: [path], environment: [:], flags: []).warnings
            #expect(warnings.count == (isOpen && key != nil ? 1 : 0), "\(warnings)")
            guard let warning = warnings.first, let key else { continue }
            #expect(warning.contains(path) && warning.contains(key) && warning.contains("chmod o-r") && !warning.contains("s3cret"))
        }
    }
}

/// No sentence repeats a secret, wherever it was put by mistake.
@Suite("Secrets in sentences")
struct RedactionTests {
    @Test("a secret in a name's place is not shown", arguments: [
        "kafka:\n  properties:\n  sasl.password=s3cret: x\n", "database.url=s3cret: 1\n", "database.url s3cret: 1\n",
        "database.url:s3cret: 1\n",
        "database:\n  url: {s3cret: {x: 1}}\n", "http:\n  admin_keys:\n    s3cret:\n      - x\n", "http:\n  admin_keys: {s3cret: x}\n",
        "http:\n  admin_keys:\n    s3cret: 1\n    s3cret: 2\n", "kafka:\n  properties:\n    sasl.password: {s3cret: {s3cret: x}}\n",
        "http:\n  keys: s3cret: x\n", "database:\n  url: \"postgresql://f:s3cret@h\n",
    ])
    func names(yaml: String) {
        Sources.expectRefusal(saying: "file1.yaml", without: "s3cret") { try Sources.yaml(yaml) }
    }

    @Test("nor is one in a flag")
    func flags() {
        Sources.expectRefusal(saying: "--set", without: "s3cret") { try Sources.flags(("database.urlpostgresql://f:s3cret@h", "x")) }
        Sources.expectRefusal(saying: "--set", without: "s3cret") { try Sources.flags(("kafka.sasl.password s3cret", "x")) }
    }

    @Test("texts of libraries lose the secrets of the settings")
    func settings() throws {
        let found = try Sources.yaml("""
            database: {url: "postgresql://shop:p%40ss/wörd1@db.example:5432/catalogue?sslpassword=keyword9"}
            http: {admin_keys: [adm-key-1, adm-key-12], read_keys: [read]}
            kafka: {properties: {sasl.password: kafka-pw, sasl.username: shop-user,
              ssl.key.pem: "-----BEGIN\\nMIIEvQIBADANBgkqh\\n-----END"}}
            """)
        let redaction = found.redaction
        for secret in ["p%40ss/wörd1", "p@ss/wörd1", "keyword9", "adm-key-1", "adm-key-12", "kafka-pw", "MIIEvQIBADANBgkqh"] {
            let shown = redaction.applied(to: "it said “\(secret)” at \(secret), host=\(secret).")
            #expect(!shown.contains(secret) && shown.hasPrefix("it said “…”"), "\(shown)")
        }
        let harmless = "freshet serve as shop-user at db.example:5432/catalogue may read keys of shop: read"
        #expect(redaction.applied(to: harmless) == harmless)
    }

    @Test("what looks like a secret goes, whoever it belongs to", arguments: [
        ("connecting to postgresql://u:s3cret@h/d failed", "connecting to postgresql://u:…@h/d failed"),
        ("Unexpected argument 'database.url=postgres://u:a@s3cret@h'", "Unexpected argument 'database.url=postgres://u:…@h'"),
        ("host=h password=s3cret port=1", "host=h password=… port=1"), ("sasl.password = 's3 cret' x", "sasl.password = … x"),
        ("http://h:80/path of user@h is fine", "http://h:80/path of user@h is fine"),
    ])
    func patterns(text: String, shown: String) {
        #expect(Redaction().applied(to: text) == shown)
    }

    @Test("variables and flags are known as secrets before the settings are")
    func early() {
        let early = Configuration.redaction(
            environment: [
                "FRESHET_DATABASE_URL": "host=h user=shop password='s3 cret-word' dbname=d",
                "FRESHET_KAFKA_PROPERTIES_SASL_PASSWORD": "kafka-pw",
            ],
            flags: [(key: "http.admin_keys", value: "[flag-key, other-key]")])
        for secret in ["s3 cret-word", "kafka-pw", "flag-key", "other-key"] {
            #expect(!early.applied(to: "a \(secret) b").contains(secret))
        }
        #expect(early.applied(to: "user shop of d at h") == "user shop of d at h")
    }
}

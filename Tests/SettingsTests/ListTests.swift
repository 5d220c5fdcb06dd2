import Settings
import Testing

@Suite("Lists")
struct ListTests {
    @Test(
        "a list within a line is taken from flags and variables, [] too",
        arguments: ["rules.exclude", "cold_start.segments", "content.links"])
    func flow(key: String) throws {
        let name = try #require(KeyName(rawValue: key)), variable = name.environmentName
        for (text, list) in [
            ("[]", []), (" [ ] ", []), ("[purchased]", ["purchased"]), ("[purchased, clicked]", ["purchased", "clicked"]),
            ("['purchased', \"clicked\"]", ["purchased", "clicked"]), ("purchased,clicked", ["purchased", "clicked"]),
            ("purchased , clicked", ["purchased", "clicked"]), ("", []),
        ] as [(String, [String])] {
            #expect(try Sources.flags((key, text)).list(name) == list, "\(text)")
            let found = try Sources.environment([variable: text])
            #expect(found.list(name) == list && found.settings[key] != nil, "\(text)")
        }
    }

    @Test("keys of the service too")
    func keys() throws {
        #expect(try Sources.flags(("http.read_keys", "[a1, b2]")).list(.httpReadKeys) == ["a1", "b2"])
        #expect(try Sources.environment(["FRESHET_HTTP_WRITE_KEYS": "a1,b2"]).list(.httpWriteKeys) == ["a1", "b2"])
        let emptied = try Sources.load(
            files: [], environment: ["FRESHET_HTTP_READ_KEYS": "a1"], flags: [(key: "http.read_keys", value: "[]")])
        #expect(emptied.list(.httpReadKeys) == [])
    }

    @Test("what is no list says so")
    func malformed() {
        for text in ["[purchased", "[a, [b]]", "[{a: b}]", "[a], b"] {
            Sources.expectRefusal(saying: "content.links") { try Sources.flags(("content.links", text)) }
        }
        Sources.expectRefusal(saying: "content.links", "list") { try Sources.flags(("content.links", "{a: b}")) }
        Sources.expectRefusal(saying: "http.read_keys", without: "s3cret") { try Sources.flags(("http.read_keys", "[s3cret")) }
    }

    @Test(
        "an empty entry is refused, in every way of writing it",
        arguments: ["http.read_keys", "http.write_keys", "http.admin_keys", "content.links"])
    func emptyEntries(key: String) throws {
        let variable = try #require(ConfigurationKey.byName[key]).environmentName
        for text in ["[\"\"]", "[shop, '']", "['  ']"] {
            Sources.expectRefusal(saying: key, "empty") { try Sources.yaml(Sources.document(key, text)) }
            Sources.expectRefusal(saying: key, "empty") { try Sources.flags((key, text)) }
            Sources.expectRefusal(saying: key, "empty") { try Sources.environment([variable: text]) }
        }
        for text in [",", "shop,", ",shop", "a,,b"] {
            Sources.expectRefusal(saying: key, "empty") { try Sources.flags((key, text)) }
            Sources.expectRefusal(saying: key, "empty") { try Sources.environment([variable: text]) }
        }
    }

    @Test("an empty variable or flag does not take the service's keys away", arguments: ["", "  ", "\t"])
    func emptyKeys(text: String) {
        Sources.expectRefusal(saying: "FRESHET_HTTP_READ_KEYS", "[]") { try Sources.environment(["FRESHET_HTTP_READ_KEYS": text]) }
        Sources.expectRefusal(saying: "http.admin_keys", "[]") { try Sources.flags(("http.admin_keys", text)) }
        Sources.expectRefusal(saying: "http.admin_keys", "[]") {
            try Sources.yaml("http: {admin_keys: '\(text.contains("\t") ? " " : text)'}")
        }
    }

    @Test("the same key twice is refused, within a list and across them, without being shown")
    func duplicates() {
        Sources.expectRefusal(saying: "http.read_keys", "1st", "3rd", without: "s3cret") {
            try Sources.yaml("http: {read_keys: [s3cret, other, s3cret]}")
        }
        Sources.expectRefusal(saying: "http.read_keys", "http.admin_keys", without: "s3cret") {
            try Sources.load(
                files: [], environment: ["FRESHET_HTTP_READ_KEYS": "s3cret"], flags: [(key: "http.admin_keys", value: "[s3cret]")])
        }
        Sources.expectRefusal(saying: "http.write_keys", "spaces", without: "s3cret") {
            try Sources.yaml("http: {write_keys: ['s3cret ']}")
        }
    }

    @Test("lists and single values are not taken for each other")
    func shapes() {
        Sources.expectRefusal(saying: "http.port", "one value, not a list") { try Sources.yaml("http: {port: [8080]}") }
        Sources.expectRefusal(saying: "http.port", "one value, not a mapping") { try Sources.yaml("http: {port: {a: 1}}") }
        Sources.expectRefusal(saying: "rules.exclude", "auto decides alone") { try Sources.yaml("rules: {exclude: [auto, purchased]}") }
        Sources.expectRefusal(saying: "rules.exclude", "list, not a mapping") { try Sources.yaml("rules: {exclude: {a: 1}}") }
        Sources.expectRefusal(saying: "rules.exclude", "plain values") { try Sources.yaml("rules: {exclude: [[purchased]]}") }
        Sources.expectRefusal(saying: "kafka.properties", "mapping") { try Sources.yaml("kafka: {properties: [a, b]}") }
        Sources.expectRefusal(saying: "kafka.properties.sasl", "write sasl.username") {
            try Sources.yaml("kafka: {properties: {sasl: {username: x}}}")
        }
        Sources.expectRefusal(saying: "kafka.properties", "mapping") { try Sources.yaml("kafka: {properties: word}") }
        Sources.expectRefusal(saying: "http is a section", "http.host") { try Sources.yaml("http: 8080") }
        Sources.expectRefusal(saying: "http is a section") { try Sources.yaml("http: [8080]") }
        Sources.expectRefusal(saying: "train is a section") { try Sources.yaml("train: full") }
        Sources.expectRefusal(saying: "holds no mapping") { try Sources.yaml("- a\n- b\n") }
        Sources.expectRefusal(saying: "holds no mapping") { try Sources.yaml("word") }
    }

    @Test("weights of losses are three numbers, not all 0")
    func numbers() throws {
        for text in ["[1, 1]", "[1, a, 1]", "[1, -1, 1]", "[1, .nan, 1]", "[0x1, 1, 1]", "[]"] {
            Sources.expectRefusal(saying: "objectives.loss_weights", "3 numbers") {
                try Sources.yaml("objectives: {loss_weights: \(text)}")
            }
        }
        Sources.expectRefusal(saying: "objectives.loss_weights", "0") { try Sources.flags(("objectives.loss_weights", "0,0,0")) }
        #expect(try Sources.flags(("objectives.loss_weights", "1, 0.5, 2")).list(.objectivesLossWeights) == ["1", "0.5", "2"])
    }
}

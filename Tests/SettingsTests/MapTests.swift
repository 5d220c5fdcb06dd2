import Settings
import Testing

@Suite("Mappings")
struct MapTests {
    @Test("names from variables keep their case; one in capitals stands for its small form too")
    func eventTypes() throws {
        let key = "ingest.event_types"
        #expect(
            try Sources.environment(["FRESHET_INGEST_EVENT_TYPES_addToCart": "add_to_cart"]).map(.ingestEventTypes)
                == ["addToCart": "add_to_cart"])
        #expect(try Sources.environment(["FRESHET_INGEST_EVENT_TYPES_View_Item": "click"]).map(.ingestEventTypes) == ["View_Item": "click"])
        #expect(
            try Sources.environment(["FRESHET_INGEST_EVENT_TYPES_VIEW": "click"]).map(.ingestEventTypes)
                == ["view": "click", "VIEW": "click"])
        #expect(try Sources.flags(("ingest.event_types.addToCart", "add_to_cart")).map(.ingestEventTypes) == ["addToCart": "add_to_cart"])
        #expect(try Sources.environment(["FRESHET_INGEST_EVENT_TYPES": "{addToCart: add_to_cart, view: click}"]).map(.ingestEventTypes)
            == ["addToCart": "add_to_cart", "view": "click"])
        #expect(try Sources.flags((key, "{}")).map(.ingestEventTypes) == [:])
    }

    @Test("a variable whose section is misspelt by a letter or two is refused; those of other programs are theirs")
    func misspeltSections() throws {
        for variable in ["FRESHET_HTPP_READ_KEYS", "FRESHET_DATABSE_URL", "FRESHET_RULE_EXCLUDE", "FRESHET_TRIAN_EPOCHS"] {
            Sources.expectRefusal(saying: variable, "did you mean") { try Sources.environment([variable: "x"]) }
        }
        for variable in ["FRESHET_DATA", "FRESHET_SOAK", "FRESHET_BINARY", "FRESHET_FUZZ_SEED", "FRESHET_BROKER_PARTITIONS", "FRESHET_FOO"]
        {
            _ = try Sources.environment([variable: "x"])
        }
    }

    @Test("librdkafka's names have dots; two underscores are one of the name's own")
    func properties() throws {
        let found = try Sources.environment([
            "FRESHET_KAFKA_PROPERTIES_SASL_USERNAME": "shop", "FRESHET_KAFKA_PROPERTIES_ssl_ca_location": "/ca.pem",
            "FRESHET_KAFKA_PROPERTIES_SASL__X_Y": "z", "FRESHET_KAFKA_PROPERTIES_SASL_PASSWORD": " with spaces ",
        ]).map(.kafkaProperties)
        #expect(found == ["sasl.username": "shop", "ssl.ca.location": "/ca.pem", "sasl_x.y": "z", "sasl.password": " with spaces "])
    }

    @Test("entries of files, variables and flags join")
    func layers() throws {
        let all = try Sources.load(
            files: ["ingest: {event_types: {a: click, b: click}}"].map { .init($0.utf8) },
            environment: ["FRESHET_INGEST_EVENT_TYPES_b": "purchase"],
            flags: [(key: "ingest.event_types.c", value: "impression")])
        #expect(all.map(.ingestEventTypes) == ["a": "click", "b": "purchase", "c": "impression"])
    }

    @Test("a type that is not known is refused with the nearest")
    func unknownTypes() {
        Sources.expectRefusal(saying: "file1.yaml:1", "klick", "did you mean click?") {
            try Sources.yaml("ingest: {event_types: {view: klick}}")
        }
        Sources.expectRefusal(saying: "purchse", "did you mean purchase?") { try Sources.flags(("ingest.event_types.buy", "purchse")) }
        Sources.expectRefusal(saying: "Click", "did you mean click?") { try Sources.flags(("ingest.event_types.view", "Click")) }
        Sources.expectRefusal(saying: "nothing") { try Sources.yaml("ingest: {event_types: {view: ''}}") }
        Sources.expectRefusal(saying: "event_types.view", "one value") { try Sources.yaml("ingest: {event_types: {view: [click]}}") }
    }

    @Test("a name that no event could carry is refused")
    func impossibleNames() throws {
        Sources.expectRefusal(saying: "empty") { try Sources.yaml("ingest: {event_types: {'': click}}") }
        Sources.expectRefusal(saying: "256 bytes") {
            try Sources.yaml("ingest: {event_types: {\(String(repeating: "v", count: 257)): click}}")
        }
        Sources.expectRefusal(saying: "U+0007") { try Sources.yaml("ingest: {event_types: {\"a\\ab\": click}}") }
        Sources.expectRefusal(saying: "U+0085") { try Sources.yaml("ingest: {event_types: {\"a\\Nb\": click}}") }
        #expect(
            try Sources.yaml("ingest: {event_types: {\(String(repeating: "v", count: 256)): click}}").map(.ingestEventTypes).count == 1)
        // What differs in the Unicode form alone is one name, as it is in events.
        #expect(try Sources.yaml("ingest: {event_types: {\"cafe\\u0301\": click}}").map(.ingestEventTypes) == ["caf\u{E9}": "click"])
    }

    @Test("variables of this program are known in any case, and others left alone")
    func variables() throws {
        #expect(try Sources.environment(["FRESHET_DATA": "/x", "FRESHET_SOAK": "1", "HTTP_PORT": "x"]).settings.isEmpty)
        Sources.expectRefusal(saying: "FRESHET_HTTP_PRT", "did you mean FRESHET_HTTP_PORT?") {
            try Sources.environment(["FRESHET_HTTP_PRT": "1"])
        }
        Sources.expectRefusal(saying: "FRESHET_Http_Port", "did you mean FRESHET_HTTP_PORT?") {
            try Sources.environment(["FRESHET_Http_Port": "1"])
        }
    }

    @Test("a variable without a value sets nothing", arguments: ["", "   "])
    func emptyVariables(text: String) throws {
        for key in ConfigurationKey.all where !key.kind.isList {
            #expect(try Sources.environment([key.environmentName: text]).settings.isEmpty, "\(key.name)")
        }
        #expect(try Sources.environment(["FRESHET_TRAIN_EPOCHS": text]).trainerSettings.isEmpty)
    }
}

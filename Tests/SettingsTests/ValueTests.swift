import Settings
import Testing

@Suite("Values of each kind")
struct ValueTests {
    @Test("YAML 1.1's other words for true and false are refused with what to write", arguments: ["yes", "on", "y", "Yes", "ON", "1"])
    func truths(word: String) {
        Sources.expectRefusal(saying: "serve.impressions", "true or false", "write true") {
            try Sources.yaml("serve: {impressions: \(word)}")
        }
        Sources.expectRefusal(saying: "train.content", "write true") { try Sources.yaml("train: {content: \(word)}") }
    }

    @Test("and so are those for false", arguments: ["no", "off", "n", "No", "OFF", "0"])
    func untruths(word: String) {
        Sources.expectRefusal(saying: "serve.impressions", "write false") { try Sources.yaml("serve: {impressions: \(word)}") }
        Sources.expectRefusal(saying: "train.content", "write false") { try Sources.environment(["FRESHET_TRAIN_CONTENT": word]) }
    }

    @Test("true and false may be written as YAML writes them")
    func words() throws {
        #expect(try !Sources.yaml("serve: {impressions: False}").boolean(.serveImpressions))
        #expect(try Sources.yaml("serve: {impressions: TRUE}").boolean(.serveImpressions))
        #expect(try Sources.yaml("train: {content: False}").trainerSettings["content"]?.value == .scalar("false"))
    }

    @Test(
        "a whole number in another notation is refused with what to write",
        arguments: [
            ("0x10", "write 16"), ("1_000", "write 1000"), ("1e3", "write 1000"), ("8080.0", "write 8080"), ("0o17", "write 15"),
            ("0b11", "write 3"), ("010", "write 10"), (".inf", "whole number"), (".nan", "whole number"), ("80:80", "whole number"),
            ("2026-11-21", "whole number"), ("''", "is empty"), ("eighty", "whole number"), ("99999999999999999999", "whole number"),
            ("-1", "whole number"), ("٨٠", "whole number"),
        ])
    func whole(text: String, hint: String) {
        Sources.expectRefusal(saying: "http.port", hint) { try Sources.yaml("http: {port: \(text)}") }
    }

    @Test(
        "the same for the trainer's whole numbers",
        arguments: [("0x10", "write 16"), ("1_0", "write 10"), ("1e1", "write 10"), ("0", "from 1")])
    func trainerWhole(text: String, hint: String) {
        Sources.expectRefusal(saying: "train.epochs", hint) { try Sources.yaml("train: {epochs: \(text)}") }
        Sources.expectRefusal(saying: "train.epochs", hint) { try Sources.flags(("train.epochs", text)) }
    }

    @Test(
        "a number is decimal and finite",
        arguments: ["0x10", ".inf", "-.inf", ".nan", "nan", "inf", "infinity", "1_000", "1,5", "0x1p-2", "''", "1.5.2", "1e999"])
    func decimal(text: String) {
        Sources.expectRefusal(saying: "objectives.click") {
            try Sources.yaml("objectives: {click: \(text.contains(",") ? "'\(text)'" : text)}")
        }
        Sources.expectRefusal(saying: "train.tail_beta") { try Sources.flags(("train.tail_beta", text)) }
    }

    @Test("scientific notation is a number; spaces around values of variables and flags say nothing")
    func accepted() throws {
        #expect(try Sources.yaml("objectives: {click: 1e1}").number(.objectivesClick) == 10)
        #expect(try Sources.environment(["FRESHET_HTTP_PORT": " 8081 "]).integer(.httpPort) == 8_081)
        #expect(try Sources.flags((" http.port ", " 8082")).integer(.httpPort) == 8_082)
        #expect(try Sources.environment(["FRESHET_SERVE_IMPRESSIONS": "false "]).boolean(.serveImpressions) == false)
        #expect(try Sources.environment(["FRESHET_TRAIN_EPOCHS": " 3"]).trainerSettings["epochs"]?.value == .scalar("3"))
        #expect(try Sources.environment(["FRESHET_TOPICS_EVENTS": " shop.events "]).text(.topicsEvents) == "shop.events")
    }

    @Test("a trainer's value out of range is refused when it is set, wherever it stands")
    func trainer() {
        Sources.expectRefusal(saying: "file1.yaml:2", "train.epochs", "from 1 to 10000") { try Sources.yaml("train:\n  epochs: 0\n") }
        Sources.expectRefusal(saying: "FRESHET_TRAIN_DIMENSION", "multiple of 8") {
            try Sources.environment(["FRESHET_TRAIN_DIMENSION": "12"])
        }
        Sources.expectRefusal(saying: "train.preset", "enormous") { try Sources.flags(("train.preset", "enormous")) }
        Sources.expectRefusal(saying: "train.loss", "one of") { try Sources.flags(("train.loss", "perfect")) }
        Sources.expectRefusal(saying: "train.epochs", "one value") { try Sources.yaml("train: {epochs: [3]}") }
    }

    @Test("a choice says what it takes and what was meant")
    func choices() {
        Sources.expectRefusal(saying: "train.data_gate", "enforce, warn, off", "did you mean enforce?") {
            try Sources.yaml("train: {data_gate: enforced}")
        }
        Sources.expectRefusal(saying: "content.channel", "did you mean off?") { try Sources.yaml("content: {channel: false}") }
    }

    @Test("a time is a whole one")
    func times() {
        Sources.expectRefusal(saying: "ingest.earliest_time", "1990-01-01T00:00:00Z") {
            try Sources.yaml("ingest: {earliest_time: 2001-01-01}")
        }
    }

    @Test("a currency has three letters, in any case")
    func currencies() throws {
        for wrong in ["Euro", "€", "EU", "E1R", "US$", "éur", "EURO", "''", "ＥＵＲ"] {
            Sources.expectRefusal(saying: "ingest.default_currency", "ISO 4217") {
                try Sources.yaml("ingest: {default_currency: \(wrong)}")
            }
        }
        #expect(try Sources.yaml("ingest: {default_currency: eur}").text(.ingestDefaultCurrency) == "EUR")
        #expect(try Sources.environment(["FRESHET_INGEST_DEFAULT_CURRENCY": "Gbp"]).text(.ingestDefaultCurrency) == "GBP")
    }

    @Test("control characters are in no value, save the lines of certificates")
    func controls() throws {
        Sources.expectRefusal(saying: "artifacts.path", "U+0000") { try Sources.yaml("artifacts: {path: \"a\\0b\"}") }
        Sources.expectRefusal(saying: "kafka.group", "U+001B") { try Sources.yaml("kafka: {group: \"a\\eb\"}") }
        Sources.expectRefusal(saying: "database.url", "line break", without: "s3cret") {
            try Sources.environment(["FRESHET_DATABASE_URL": "postgresql://f:s3cret@h/d\n"])
        }
        Sources.expectRefusal(saying: "http.read_keys", "line break", without: "s3cret") {
            try Sources.environment(["FRESHET_HTTP_READ_KEYS": "s3cret\n"])
        }
        Sources.expectRefusal(saying: "ssl.key.pem", "U+0000", without: "s3cret") {
            try Sources.yaml("kafka: {properties: {ssl.key.pem: \"s3cret\\0\"}}")
        }
        let pem = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"
        #expect(try Sources.environment(["FRESHET_KAFKA_PROPERTIES_SSL_CA_PEM": pem]).map(.kafkaProperties)["ssl.ca.pem"] == pem)
    }

    @Test("a name is not empty")
    func names() {
        Sources.expectRefusal(saying: "kafka.group", "empty") { try Sources.yaml("kafka: {group: '  '}") }
        Sources.expectRefusal(saying: "topics.events", "empty") { try Sources.flags(("topics.events", "")) }
    }
}

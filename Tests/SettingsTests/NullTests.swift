import Settings
import Testing
import TowerModel

@Suite("null sets nothing")
struct NullTests {
    static let words = ["null", "Null", "NULL", "~", "", "!!null ''"]
    static let allKeys = ConfigurationKey.all.map(\.name) + TowerConfiguration.keys.map { "train." + $0.name }

    @Test("in YAML, for every key", arguments: words)
    func everyKey(word: String) throws {
        for key in Self.allKeys {
            let configuration = try Sources.yaml(Sources.document(key, word))
            #expect(configuration.settings.isEmpty && configuration.trainerSettings.isEmpty, "\(key): \(word)")
        }
    }

    @Test("in variables and flags, for every key", arguments: ["null", "~", " null "])
    func variables(word: String) throws {
        for key in ConfigurationKey.all {
            #expect(try Sources.environment([key.environmentName: word]).settings.isEmpty, "\(key.name)")
            #expect(try Sources.flags((key.name, word)).settings.isEmpty, "\(key.name)")
        }
        #expect(try Sources.environment(["FRESHET_TRAIN_EPOCHS": word]).trainerSettings.isEmpty)
        #expect(try Sources.environment(["FRESHET_KAFKA_PROPERTIES_LINGER_MS": word]).settings.isEmpty)
    }

    @Test("a key named null opens nothing")
    func readKeys() throws {
        #expect(try Sources.yaml("http: {read_keys: null}").list(.httpReadKeys) == [])
        #expect(try Sources.yaml("http: {read_keys: [null, shop]}").list(.httpReadKeys) == ["shop"])
        #expect(try Sources.yaml("http: {admin_keys: [~]}").settings.isEmpty)
        #expect(try Sources.environment(["FRESHET_HTTP_ADMIN_KEYS": "[null]"]).settings.isEmpty)
    }

    @Test("within lists and mappings")
    func within() throws {
        #expect(try Sources.yaml("rules: {exclude: [null]}").list(.rulesExclude) == ["auto"])
        #expect(try Sources.yaml("rules: {exclude: []}").list(.rulesExclude) == [])
        let map = try Sources.yaml("ingest:\n  event_types:\n    view: ~\n    look: click\n").map(.ingestEventTypes)
        #expect(map == ["look": "click"])
        #expect(try Sources.yaml("kafka: {properties: {linger.ms: null}}").settings.isEmpty)
    }

    @Test("leaves what an earlier file says as it is")
    func layers() throws {
        let both = try Sources.yaml("http: {read_keys: [shop], port: 81}", "http: {read_keys: null, port: ~}")
        #expect(both.list(.httpReadKeys) == ["shop"])
        #expect(both.integer(.httpPort) == 81)
    }

    @Test("in quotes it is a word")
    func quoted() throws {
        #expect(try Sources.yaml("artifacts: {path: \"null\"}").text(.artifactsPath) == "null")
        #expect(try Sources.yaml("artifacts: {path: !!str null}").text(.artifactsPath) == "null")
        #expect(try Sources.yaml("kafka: {properties: {sasl.password: '~'}}").map(.kafkaProperties) == ["sasl.password": "~"])
    }

    @Test("an unknown key is refused also where it sets nothing")
    func unknown() {
        Sources.expectRefusal(saying: "http.prot", "did you mean http.port?") { try Sources.yaml("http: {prot: null}") }
        Sources.expectRefusal(saying: "databse") { try Sources.yaml("databse:\n") }
        Sources.expectRefusal(saying: "http.prot", "did you mean http.port?") { try Sources.flags(("http.prot", "null")) }
    }
}

import Bytes
import Interactions
import Settings
import Testing

@Suite struct KeyTests {
    @Test("every key takes what it falls back to")
    func fallbacks() throws {
        for key in ConfigurationKey.all where !key.fallback.isEmpty {
            var configuration = Configuration()
            try configuration.set(key.name, .scalar(key.fallback), source: "test")
            #expect(configuration.settings[key.name] != nil, "\(key.name)")
        }
    }

    @Test("every name that code asks by stands in the table once, and nothing else does")
    func table() {
        #expect(ConfigurationKey.all.map(\.name).sorted() == KeyName.allCases.map(\.rawValue).sorted())
    }

    @Test("every key has a section, a line for people and a variable of its own")
    func names() {
        #expect(Set(ConfigurationKey.all.map(\.environmentName)).count == ConfigurationKey.all.count)
        for key in ConfigurationKey.all {
            #expect(!key.summary.isEmpty && !key.summary.contains("|") && !key.summary.contains("\n"), "\(key.name)")
            #expect(key.name == "clock" || key.name.contains("."), "\(key.name)")
        }
    }

    @Test("what opens the service is a list of keys, which may not be empty or twice")
    func secrets() {
        for key in ConfigurationKey.all where key.name.hasSuffix("_keys") {
            let isKeys = if case .keys = key.kind { true } else { false }
            #expect(isKeys, "\(key.name)")
        }
    }

    @Test("a mistyped name finds the nearest one, and a strange one none")
    func nearest() {
        #expect(NearestName.of("databse.url", among: ConfigurationKey.all.map(\.name)) == "database.url")
        #expect(NearestName.of("zzzzzzzz", among: ["click", "purchase"]) == nil)
        #expect(NearestName.editDistance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
    }
}

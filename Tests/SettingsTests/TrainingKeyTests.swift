import Foundation
import Settings
import Testing

@Suite("One list says which settings a training depends on")
struct TrainingKeyTests {
    /// Values of every kind, of which some fit a key.
    private static let values: [Configuration.Value] =
        ["1", "2", "3", "7", "20", "60", "0.25", "0.5", "100", "-1", "true", "false", "XTS", "EUR", "field", "2020-01-01T00:00:00Z"]
        .map { .scalar($0) }
        + [.list(["1", "2", "3"]), .list(["one"]), .list(["purchased"]), .list(["clicked"])]
        + [.map(["CHF": "0.5"]), .map(["view": "click"])]

    /// A configuration in which one key has another value than it has by itself.
    private static func changed(_ key: ConfigurationKey) -> Configuration? {
        var candidates = values
        if case .choice(let names) = key.kind { candidates += names.map { .scalar($0) } }
        for value in candidates {
            var own = Configuration()
            guard (try? own.set(key.name, value, source: "a test")) != nil else { continue }
            if own.trainingSettings != Configuration().trainingSettings { return own }
        }
        return nil
    }

    @Test("a changed setting of the list changes what is compared and recorded", arguments: ConfigurationKey.all.filter(\.decidesTraining))
    func noticed(key: ConfigurationKey) throws {
        let own = try #require(Self.changed(key), "no value of \(key.name) changes anything")
        #expect(own.trainingSettings[key.name] != Configuration().trainingSettings[key.name])
    }

    @Test("no other setting changes it", arguments: ConfigurationKey.all.filter { !$0.decidesTraining })
    func unnoticed(key: ConfigurationKey) {
        #expect(Self.changed(key) == nil)
    }

    @Test("what was forgotten before is in the list")
    func forgotten() {
        for name in [
            "content.share_cost_percent", "serve.trending_items", "ingest.history_limit_events", "rules.diversity", "ranking.tail_dial",
        ] {
            #expect(ConfigurationKey.byName[name]?.decidesTraining == true, "\(name)")
        }
    }

    @Test("every key from which settings of learning are made is in the list")
    func filledKeys() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(
            contentsOf: root.appending(path: "Sources/FreshetCommand/Configuration/LearningSettings.swift"), encoding: .utf8)
        let names = text.matches(of: /(?:text|integer|number|boolean|list|map)\(\.(\w+)\)/).map { String($0.1) }
        #expect(names.count > 40)
        for name in Set(names) {
            let key = ConfigurationKey.all.first { "\($0.id)" == name }
            #expect(key?.decidesTraining == true, "\(name)")
        }
    }
}

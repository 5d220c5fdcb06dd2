import Testing
import TowerModel
import TowerTraining

@Suite struct ConfigurationTests {
    @Test func everyKeyReadsBackWhatItWrites() throws {
        var configuration = try TowerConfiguration(preset: "small")
        try configuration.set("learning_rate", "0.0173")
        try configuration.set("seed", "18446744073709551615")
        var copy = TowerConfiguration()
        for setting in configuration.settings { try copy.set(setting.key, setting.value) }
        #expect(copy == configuration)
        #expect(configuration.value(of: "learning_rate") == "0.0173")
        #expect(configuration.value(of: "nothing") == nil)
        #expect(TowerConfiguration.keys.count == configuration.settings.count)
        #expect(TowerConfiguration.keys.allSatisfy { !$0.summary.isEmpty && !$0.range.isEmpty })
        #expect(Set(TowerConfiguration.keys.map(\.name)).count == TowerConfiguration.keys.count)
    }

    @Test func unknownKeysNameTheNearest() throws {
        var configuration = TowerConfiguration()
        let error = #expect(throws: ConfigurationError.self) { try configuration.set("learning_rat", "1") }
        #expect(error?.description.contains("did you mean learning_rate?") == true)
        let preset = #expect(throws: ConfigurationError.self) { try configuration.set("preset", "sequence-huge") }
        #expect(preset?.description.contains("small, default") == true)
    }

    @Test(arguments: [
        ("dimension", "63"), ("dimension", "0"), ("epochs", "-1"), ("epochs", "1.5"), ("id_dropout", "1"), ("id_dropout", "nan"),
        ("loss", "hinge"), ("unit_length", "yes"), ("seed", "-1"),
    ])
    func badValuesNameTheRange(key: String, value: String) throws {
        var configuration = TowerConfiguration()
        let before = configuration
        let error = #expect(throws: ConfigurationError.self) { try configuration.set(key, value) }
        #expect(error?.key == key)
        #expect(error?.description.contains("'\(value)'") == true)
        #expect(configuration == before)
    }

    @Test func contradictionsAreRefused() throws {
        var configuration = TowerConfiguration()
        try configuration.set("temperature", "0.5")
        let error = #expect(throws: ConfigurationError.self) { try Trainer(TrainingSet.Builder().build(), configuration: configuration) }
        #expect(error?.description.contains("unit_length") == true)
    }
}

import Testing
import TowerModel

@Suite("What earlier versions knew is refused with what to do, or passes where it says what is always so")
struct RetiredSettingTests {
    @Test(arguments: [("user_tower", "mean"), ("preset", "mean"), ("user_ids", "true")])
    func aSettingThatIsGoneIsRefused(key: String, value: String) throws {
        var configuration = TowerConfiguration()
        let before = configuration
        let error = #expect(throws: ConfigurationError.self) { try configuration.set(key, value) }
        #expect(error?.key == key && error?.description.hasPrefix("train.\(key) is \(value): ") == true)
        #expect(error?.description.contains("train again") == true)
        #expect(configuration == before && TowerConfiguration.retirement(of: key, value) == error?.description)
    }

    @Test func noRowsOfUsersIsWhatEveryModelHas() throws {
        var configuration = TowerConfiguration()
        try configuration.set("user_ids", "false")
        #expect(configuration == TowerConfiguration() && TowerConfiguration.retirement(of: "user_ids", "false") == nil)
        #expect(!TowerConfiguration.keys.contains { $0.name == "user_ids" })
    }

    @Test func knownValuesAreNotRetired() {
        for kind in UserTowerKind.allCases { #expect(TowerConfiguration.retirement(of: "user_tower", kind.rawValue) == nil) }
        for preset in TowerConfiguration.presets { #expect(TowerConfiguration.retirement(of: "preset", preset) == nil) }
    }
}

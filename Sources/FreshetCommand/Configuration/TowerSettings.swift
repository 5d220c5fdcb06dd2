import Settings
import ContentModel
import TowerModel
import TowerTraining

extension Configuration {
    /// The trainer's settings: the preset first, then what is set on its own.
    ///
    /// - Parameters:
    ///   - ranks: processes that will train together. - hasTeacher: whether a version is learned from.
    func towerConfiguration(ranks: Int = 1, hasTeacher: Bool = false) throws(ConfigurationError) -> TowerConfiguration {
        var towers = TowerConfiguration()
        var own = trainerSettings.map { (key: $0.key, value: $0.value) }
        own.sort { ($0.key == "preset" ? 0 : 1, $0.key) < ($1.key == "preset" ? 0 : 1, $1.key) }
        do {
            for (key, setting) in own {
                if case .scalar(let text) = setting.value { try towers.set(key, text) }
            }
            for (objective, key) in Self.exampleWeights where isSet(objective) { try towers.set(key, text(objective)) }
            try towers.validate(ranks: ranks, hasTeacher: hasTeacher)
        } catch {
            throw ConfigurationError(error.description)
        }
        return towers
    }

    /// The trainer's settings and those of the program that a report shows, as they are when nobody sets them.
    static var shownDefaults: [String: String] {
        var defaults = Dictionary(uniqueKeysWithValues: TowerConfiguration().settings.map { ($0.key, $0.value) })
        for key in ConfigurationKey.all where ["train.", "rules.", "ranking."].contains(where: key.name.hasPrefix) {
            defaults[key.name] = key.fallback
        }
        return defaults
    }
}

import Settings

extension Configuration {
    /// The same with other values of some settings.
    func setting(_ values: [(key: String, value: String)], source: String) throws(ConfigurationError) -> Configuration {
        var own = self
        for (key, value) in values { try own.set(key, .scalar(value), source: source) }
        return own
    }

    /// Settings that make a recipe: those of what is learned and ranked, not of where things are.
    private static let recipeSections: Set<Substring> = ["clock", "ingest", "rules", "objectives", "train", "content", "ranking"]

    /// What a recipe sets, as text by key.
    var recipe: [String: String] {
        var recipe: [String: String] = [:]
        for (key, setting) in settings where Self.recipeSections.contains(key.prefix { $0 != "." }) {
            switch setting.value {
            case .scalar(let text): recipe[key] = text
            case .list(let items): recipe[key] = "[" + items.joined(separator: ", ") + "]"
            case .map: continue
            }
        }
        for (key, setting) in trainerSettings {
            if case .scalar(let text) = setting.value { recipe["train." + key] = text }
        }
        return recipe
    }

    /// ``recipe`` as YAML, sections and keys in order.
    var recipeYAML: String {
        var lines: [String] = [], section = ""
        for (key, value) in recipe.sorted(by: { $0.key < $1.key }) {
            guard let dot = key.firstIndex(of: ".") else {
                lines.append("\(key): \(value)")
                continue
            }
            if section != key[..<dot] {
                section = String(key[..<dot])
                lines.append("\(section):")
            }
            lines.append("  \(key[key.index(after: dot)...]): \(value)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

import TowerModel

// What each setting may be is checked when it is set; here is what they may not be together.
extension Configuration {
    /// Refuses settings that contradict each other.
    ///
    /// - Throws: ``ConfigurationError`` that names the keys at fault and where they were set.
    public func checkTogether() throws(ConfigurationError) {
        try checkKeys()
        try checkTopics()
        try checkRegistry()
        try checkWeights()
        try checkPowers()
        try checkArtifactsKey()
        try checkExclusion()
        try checkShares()
    }

    /// Shares of kinds of which each item of a list is one.
    private static let shares: [KeyName] = [.rulesRepeats, .rulesDiscoveries, .rulesNewItems]

    private func checkShares() throws(ConfigurationError) {
        let asked = Self.shares.filter { share($0).lowerBound > 0 }, sum = asked.reduce(0) { $0 + share($1).lowerBound }
        let keys = asked.map(\.rawValue)
        guard sum <= 100 else {
            let parts = asked.map { "\($0.rawValue) at least \(share($0).lowerBound)" }.joined(separator: ", ")
            throw ConfigurationError(
                "\(sources(of: keys)): of 100 items \(parts) are asked for, \(sum) in all, and each item is only one of these: lower one")
        }
        let names = Set(list(.rulesExclude)), least = share(.rulesRepeats).lowerBound
        guard least > 0, names.contains("seen") || names.isSuperset(of: ["clicked", "carted", "purchased"]) else { return }
        throw ConfigurationError(
            "\(sources(of: ["rules.exclude", "rules.repeats_percent"])): rules.exclude keeps out whatever a user had, and "
                + "rules.repeats_percent asks for at least \(least) of it in 100 items: change one")
    }

    private func checkExclusion() throws(ConfigurationError) {
        let names = list(.rulesExclude)
        guard names.contains("auto"), names.count > 1 else { return }
        throw ConfigurationError(
            "\(sources(of: ["rules.exclude"])): rules.exclude is auto and something else: auto decides alone; take it away, or the others")
    }

    /// What a signature of the model files cannot be guessed from.
    static let leastArtifactsKeyCharacters = 16

    private func checkArtifactsKey() throws(ConfigurationError) {
        let key = text(.artifactsKey)
        guard !key.isEmpty, key.count < Self.leastArtifactsKeyCharacters else { return }
        throw ConfigurationError(
            "\(sources(of: ["artifacts.key"])): artifacts.key has \(key.count) characters, and needs "
                + "\(Self.leastArtifactsKeyCharacters) or more: make one with openssl rand -hex 32")
    }

    private func checkKeys() throws(ConfigurationError) {
        var owners: [String: String] = [:]
        for key in ConfigurationKey.all {
            guard case .keys = key.kind else { continue }
            for secret in list(key.id) {
                guard let other = owners.updateValue(key.name, forKey: secret), other != key.name else { continue }
                throw ConfigurationError(
                    "\(sources(of: [other, key.name])): \(other) and \(key.name) hold the same key, so it is not said what it opens: "
                        + "leave it in one")
            }
        }
    }

    private func checkTopics() throws(ConfigurationError) {
        var owners: [String: String] = [:]
        for key in ConfigurationKey.all where key.section == "topics" {
            if let other = owners.updateValue(key.name, forKey: text(key.id)) {
                throw ConfigurationError(
                    "\(sources(of: [other, key.name])): \(other) and \(key.name) are both \(text(key.id)): "
                        + "each kind of record has a topic of its own")
            }
        }
        for topic in map(.ingestTopics).keys.sorted() {
            guard let other = owners[topic] else { continue }
            throw ConfigurationError(
                "\(sources(of: [other, "ingest.topics"])): ingest.topics maps \(topic), which is \(other), too: a topic of Freshet's own "
                    + "records is not mapped; name another one there or here")
        }
    }

    /// Avro names its schemas by a registry's numbers.
    private func checkRegistry() throws(ConfigurationError) {
        let user = text(.ingestRegistryUser), password = text(.ingestRegistryPassword)
        if user.isEmpty != password.isEmpty {
            let set = user.isEmpty ? KeyName.ingestRegistryPassword : .ingestRegistryUser
            let other = user.isEmpty ? KeyName.ingestRegistryUser : .ingestRegistryPassword
            throw ConfigurationError(
                "\(sources(of: [set.rawValue])): \(set.rawValue) is set, and \(other.rawValue) is not: a registry asks for both, or "
                    + "neither")
        }
        guard text(.ingestRegistryURL).isEmpty else { return }
        if let key = [KeyName.ingestRegistryUser, .ingestRegistryCAFile].first(where: { isSet($0) && !text($0).isEmpty }) {
            throw ConfigurationError(
                "\(sources(of: [key.rawValue])): \(key.rawValue) is set, and ingest.registry.url is not: name the registry, or take it "
                    + "away")
        }
        for (topic, mapping) in topicMappings.sorted(by: { $0.key < $1.key }) where mapping.format == .avro {
            throw ConfigurationError(
                "\(sources(of: ["ingest.topics"])): \(topic) is Avro, and its records name their schemas by a registry's numbers: "
                    + "set ingest.registry.url")
        }
    }

    /// Below it an event moves nothing, and a training over nothing but such events would learn nothing.
    static let leastExampleWeight = 0.000_1

    /// The weight of each kind of interaction as an example: `objectives.*`, and the trainer's own setting, which it goes before.
    public static let exampleWeights: [(objective: KeyName, trainer: String)] = [
        (.objectivesClick, "click_weight"), (.objectivesAddToCart, "add_to_cart_weight"), (.objectivesPurchase, "purchase_weight"),
    ]

    /// Whether somebody set a key.
    public func isSet(_ key: KeyName) -> Bool { settings[key.rawValue] != nil }

    private func checkWeights() throws(ConfigurationError) {
        let weights = Self.exampleWeights.map { objective, trainer -> Double in
            if isSet(objective) { return number(objective) }
            if case .scalar(let text)? = trainerSettings[trainer]?.value { return Double(text) ?? 1 }
            return 1
        }
        guard weights.allSatisfy({ $0 <= Self.leastExampleWeight }) else { return }
        let keys = Self.exampleWeights.map { isSet($0.objective) ? $0.objective.rawValue : "train.\($0.trainer)" }
        throw ConfigurationError(
            "\(sources(of: keys)): \(keys.joined(separator: ", ")) are all 0 or nearly so, so no event would be learned from: "
                + "give one a weight, such as 1")
    }

    private func checkPowers() throws(ConfigurationError) {
        let powers: [KeyName] = [.objectivesClickPower, .objectivesConversionPower, .objectivesValuePower]
        guard powers.allSatisfy({ number($0) == 0 }) else { return }
        let keys = powers.map(\.rawValue)
        throw ConfigurationError(
            "\(sources(of: keys)): \(keys.joined(separator: ", ")) are all 0, so every item would have the same score: "
                + "give one a power, such as 1")
    }

    /// Where keys were set, for the beginning of a sentence.
    private func sources(of keys: [String]) -> String {
        var found: [String] = []
        for key in keys {
            let setting = settings[key] ?? (key.hasPrefix("train.") ? trainerSettings[String(key.dropFirst("train.".count))] : nil)
            if let source = setting?.source, !found.contains(source) { found.append(source) }
        }
        return found.isEmpty ? "the configuration" : found.joined(separator: ", ")
    }
}

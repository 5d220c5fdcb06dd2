/// Which settings a training depends on: derived from the table of keys, so that a new one of these sections is among them unless it is
/// named here as one that decides nothing.
extension ConfigurationKey {
    /// Sections about what is learned from, learned, judged and ranked.
    private static let learningSections: Set<Substring> = ["train", "ranking", "objectives", "content", "adaptation", "currency", "gate"]

    /// Settings of other sections that learning reads: what may be an answer, how lists are spread, and what serving knows of a user and
    /// shows as trending: a model is judged by the lists that it would serve.
    private static let readByLearning: Set<KeyName> = [
        .rulesExclude, .rulesDiversity, .serveTrendingItems, .ingestHistoryLimitEvents, .ingestDecayHalfLifeHours,
        .ingestDefaultCurrency,
    ]

    /// Settings of the sections that decide no model: when to begin, how to end, what waits how long; what only serving or
    /// `freshet adapt` read; and the encoder's folder, whose checksum stands for it.
    private static let withoutEffect: Set<KeyName> = [
        .trainMinInteractions, .trainRegisterItems, .trainKeepUnfinishedHours, .trainRefusedStatus,
        .trainRankTimeoutSeconds, .adaptationMethod, .adaptationSupportLimitEvents,
        .contentEncoder, .contentEncoderCacheMebibytes,
    ]

    /// Whether what a training makes, or whether it is promoted, depends on this setting.
    public var decidesTraining: Bool {
        (Self.learningSections.contains(section) || Self.readByLearning.contains(id)) && !Self.withoutEffect.contains(id)
    }
}

extension Configuration {
    /// What a training depends on beside the trainer's own settings, as text by key: what `--resume` compares and the registry records.
    public var trainingSettings: [String: String] {
        var texts: [String: String] = [:]
        for key in ConfigurationKey.all where key.decidesTraining {
            if key.kind.isMap {
                texts[key.name] = map(key.id).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
            } else if key.kind.isList {
                texts[key.name] = list(key.id).joined(separator: ",")
            } else {
                texts[key.name] = text(key.id)
            }
        }
        return texts
    }
}

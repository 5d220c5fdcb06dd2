/// Settings beside those of the rules that may suit a log as well: what is tried on the held-out part before a choice stands.
public struct AutoAlternative: Sendable, Equatable {
    /// What it is called in the registry.
    public var name: String
    /// All that is chosen under it.
    public var decisions: [AutoDecision]
    /// Whether it has more to learn than the rules' choice (1), as much (0) or less (−1). With few users whatever has less to learn looks
    /// better than it is.
    public var appetite: Int
    /// About how much longer it takes than a pooled tower of the default size; only a guess until it was measured.
    public var cost: Double

    /// What the choice of the rules is called.
    public static let rules = "rules"
    /// Alternatives that are tried, at most.
    public static let limit = 3
    /// How far from its bound a figure may be for the other side to be tried.
    static let reach = 2.0

    /// An alternative.
    public init(name: String, decisions: [AutoDecision], appetite: Int, cost: Double) {
        self.name = name
        self.decisions = decisions
        self.appetite = appetite
        self.cost = cost
    }

    /// For settings: keys with values.
    public var values: [(key: String, value: String)] { decisions.map { ($0.key, $0.value) } }
}

extension AutoChoice {
    /// The settings of the sequence tower.
    static let sequenceSettings: [(key: String, value: String)] = [
        ("train.preset", "default"), ("train.user_tower", "sequence"), ("train.history_length", "100"), ("train.hidden", "128"),
        ("train.batch_size", "2048"), ("train.epochs", "14"), ("train.precision", "auto"),
    ]

    /// The rules' choice itself, as one of those that are compared.
    public var ruled: AutoAlternative {
        AutoAlternative(name: AutoAlternative.rules, decisions: decisions, appetite: 0, cost: isSequence ? 12 : isSmall ? 0.5 : 1)
    }

    /// What may suit as well, where a figure is not far from the bound that decided: the most that is at stake first.
    ///
    /// - Parameter former: the name of the one that the choice in force took; it stays one of them a little beyond its bounds.
    public func alternatives(former: String? = nil) -> [AutoAlternative] {
        guard signs.contains(.enough) else { return [] }
        let found = [towers(former), size(former), mask(former), targets(former), history(former)].compactMap { $0 }
        let kept = found.filter { $0.name == former }
        return Array((kept + found.filter { $0.name != former }).prefix(AutoAlternative.limit))
    }

    /// All that would be chosen with some settings made; nil where somebody set one of those that matter.
    private func alternative(
        _ name: String, _ changes: [(key: String, value: String)], for key: String, appetite: Int, cost: Double, _ why: String
    ) -> AutoAlternative? {
        guard own[key] == nil else { return nil }
        let free = changes.filter { own[$0.key] == nil }
        var set = own
        for (key, value) in free { set[key] = value }
        let rest = AutoChoice(look, own: set, likes: likes, signs: signs)
        return AutoAlternative(
            name: name, decisions: free.map { AutoDecision($0.key, $0.value, why: why) } + rest.decisions, appetite: appetite, cost: cost)
    }

    private func slack(_ name: String, _ former: String?) -> Double {
        AutoAlternative.reach * (name == former ? AutoSigns.margin : 1)
    }

    private func towers(_ former: String?) -> AutoAlternative? {
        if isSequence {
            return alternative(
                "pooled tower", [("train.user_tower", "pooled")], for: "train.user_tower", appetite: -1, cost: 1,
                "a pooled tower learns from less and in less time")
        }
        let slack = slack("sequence tower", former)
        guard own["train.teacher"].map({ $0 == "0" }) ?? true, !areLikes, !signs.contains(.repeated), !signs.contains(.together),
            signs.contains(.orderKnown)
        else { return nil }
        guard [.ordered, .longHistories, .sequenceSized].allSatisfy({ AutoSigns.holds($0, look, slack: slack) }),
            look.events <= Self.sequenceLimitEvents
        else { return nil }
        return alternative(
            "sequence tower", Self.sequenceSettings, for: "train.user_tower", appetite: 1, cost: 12,
            "\(look.eventsPerUser) events a user (median), and neighbours are neighbours again of another user "
                + "\(Words.ratio(look.orderRatio)) times as often as items further apart")
    }

    private func size(_ former: String?) -> AutoAlternative? {
        guard !isSequence else { return nil }
        let length = "\(look.eventsPerUser) events a user (median)"
        if isSmall {
            guard Double(look.eventsPerUser) >= 10 / slack("default size", former) else { return nil }
            return alternative("default size", [("train.preset", "default")], for: "train.preset", appetite: 1, cost: 1, length)
        }
        guard AutoSigns.holds(.shortHistories, look, slack: slack("small size", former)) else { return nil }
        return alternative("small size", [("train.preset", "small")], for: "train.preset", appetite: -1, cost: 0.5, length)
    }

    private func mask(_ former: String?) -> AutoAlternative? {
        let key = "train.mask_history"
        let repeats = "of \(look.askedPairs) items that known users took in the newest tenth \(Words.percent(look.repeats)) were theirs "
            + "before"
        if decisions.contains(where: { $0.key == key }) {
            guard look.repeats > 0 || former == "history kept" else { return nil }
            return alternative("history kept", [(key, "false")], for: key, appetite: 0, cost: 1, repeats)
        }
        guard look.askedPairs >= Self.leastPairs, look.repeats < 0.02 * slack("history masked", former) else { return nil }
        return alternative("history masked", [(key, "true")], for: key, appetite: 0, cost: 1, repeats)
    }

    private func targets(_ former: String?) -> AutoAlternative? {
        let key = "train.targets_ahead"
        guard !isSequence, !isMadeUp else { return nil }
        let visit = "\(Words.percent(look.tied)) of the events share their user's instant with another, and a visit has "
            + "\(Words.number(look.eventsPerVisit)) events"
        if decisions.contains(where: { $0.key == key }) {
            let slack = slack("the next alone", former)
            guard look.tied < 0.4 * slack, look.eventsPerVisit < 5 * slack else { return nil }
            return alternative("the next alone", [(key, "1")], for: key, appetite: 0, cost: 1, visit)
        }
        let slack = slack("a visit's targets", former)
        guard AutoSigns.holds(.together, look, slack: slack) || AutoSigns.holds(.visits, look, slack: slack) else { return nil }
        return alternative(
            "a visit's targets", [(key, signs.contains(.bought) ? "10" : "4")], for: key, appetite: 0, cost: 1, visit)
    }

    private func history(_ former: String?) -> AutoAlternative? {
        guard !isSequence, !isSmall, Double(look.eventsPerUser) >= 100 / slack("long history", former) else { return nil }
        return alternative(
            "long history", [("train.history_length", "100")], for: "train.history_length", appetite: 1, cost: 1.5,
            "\(look.eventsPerUser) events a user (median)")
    }
}

/// What the preset `auto` saw of the data of a training, what it chose, and why.
public struct ChoiceRecord: Codable, Sendable, Equatable {
    /// What the data looked like; without events where nobody has looked yet.
    public var seen: DataLook
    /// What was chosen.
    public var decisions: [AutoDecision]
    /// What somebody set otherwise.
    public var overruled: [AutoDecision]
    /// What else would suit the data, a sentence each.
    public var advice: [String]
    /// Of an incremental training: the version whose choice this is.
    public var baseVersion: Int?
    /// What the look said yes to, by the names of ``AutoSigns``; nil in records of older programs.
    public var signs: [String]?
    /// The version in force whose choice this one was held against; nil where there was none.
    public var formerVersion: Int?
    /// What was compared on the held-out part; nil where the rules alone decided.
    public var comparison: ChoiceComparison?

    private enum CodingKeys: String, CodingKey {
        case seen
        case decisions = "chosen"
        case overruled, advice
        case baseVersion = "base_version"
        case signs
        case formerVersion = "former_version"
        case comparison
    }

    /// Keeps a choice.
    public init(seen: DataLook, decisions: [AutoDecision], overruled: [AutoDecision] = [], advice: [String] = []) {
        self.seen = seen
        self.decisions = decisions
        self.overruled = overruled
        self.advice = advice
    }

    /// A choice by what was seen, with the one that had to be made before.
    ///
    /// - Parameters:
    ///   - own: what somebody set, by key, as text.
    ///   - former: the choice in force: it stays where the look did not change clearly.
    public init(_ look: DataLook, own: [String: String], likes: AutoDecision?, former: FormerChoice? = nil) {
        self.init(AutoChoice(look, own: own, likes: likes, signs: former?.signs(of: look)), of: look, own: own, former: former)
    }

    private init(_ choice: AutoChoice, of look: DataLook, own: [String: String], former: FormerChoice?) {
        self.init(seen: look, decisions: choice.decisions, overruled: choice.overruled, advice: choice.advice)
        signs = choice.signs.names
        guard let former else { return }
        formerVersion = former.version
        let anew = AutoChoice(look, own: own, likes: choice.likes)
        for place in decisions.indices {
            let mine = decisions[place], other = anew.decisions.first { $0.key == mine.key }
            guard other?.value != mine.value else { continue }
            let alone = other.map { "would choose \($0.value)" } ?? "would leave it"
            decisions[place] = mine.kept(from: former.version)
            decisions[place].why += "; today's figures alone \(alone), and they are not clear of their bounds"
        }
        for other in anew.decisions where !decisions.contains(where: { $0.key == other.key }) && own[other.key] == nil {
            advice.append(
                "\(other.key) is left as version \(former.version) had it; today's figures alone would choose \(other.value), and they are "
                    + "not clear of their bounds: \(other.why)")
        }
    }

    /// The choice and what it is compared with on the held-out part, the one to beat first: what was taken at the training of the version
    /// in force where it still suits the look, else the choice of the rules.
    public func contestants(own: [String: String], former: FormerChoice?) -> [AutoAlternative] {
        let likes = decisions.first { $0.key == AutoChoice.likesKey }
        let choice = AutoChoice(seen, own: own, likes: likes, signs: AutoSigns(names: signs ?? []))
        var ruled = choice.ruled
        ruled.decisions = decisions
        let taken = former?.record.comparison?.taken
        var others = choice.alternatives(former: taken)
        guard let former, let place = others.firstIndex(where: { $0.name == taken }) else { return [ruled] + others }
        var kept = others.remove(at: place)
        for place in kept.decisions.indices {
            let before = former.record.decisions.first { $0.key == kept.decisions[place].key && $0.value == kept.decisions[place].value }
            guard let before, !decisions.contains(where: { $0.key == before.key && $0.value == before.value }) else { continue }
            kept.decisions[place] = before.kept(from: former.version)
        }
        return [kept, ruled] + others.prefix(AutoAlternative.limit - 1)
    }

    /// The same with what was found: the decisions of the one that was taken.
    public func judged(_ comparison: ChoiceComparison, of contestants: [AutoAlternative]) -> ChoiceRecord {
        var record = self
        record.comparison = comparison
        guard let first = contestants.first, let taken = contestants.first(where: { $0.name == comparison.taken }) else { return record }
        record.decisions = taken.decisions
        guard taken.name != first.name else { return record }
        for place in record.decisions.indices {
            let mine = record.decisions[place]
            guard !first.decisions.contains(where: { $0.key == mine.key && $0.value == mine.value }) else { continue }
            record.decisions[place].why = comparison.reason + " " + mine.why
        }
        return record
    }

    /// What was chosen, for settings: keys with values.
    public var values: [(key: String, value: String)] { decisions.map { ($0.key, $0.value) } }
}

/// The choice of the version in force: a choice anew goes by it where the data look as they did.
public struct FormerChoice: Sendable, Equatable {
    /// Which version.
    public var version: Int
    /// What was chosen for it.
    public var record: ChoiceRecord

    /// A version's choice.
    public init(version: Int, record: ChoiceRecord) {
        self.version = version
        self.record = record
    }

    /// The signs of a look beside those that this choice went by.
    func signs(of look: DataLook) -> AutoSigns {
        AutoSigns(look, former: record.signs.map { AutoSigns(names: $0) } ?? AutoSigns(record.seen))
    }

    /// What it chose of ratings, with its version; nil where it left out nothing.
    public var likes: (version: Int, likes: AutoDecision)? {
        record.decisions.first { $0.key == AutoChoice.likesKey }.map { (version, $0) }
    }
}

/// Refuses to learn from interactions that look broken, in sentences.
///
/// Some checks look at the data alone: repetitions, machines among the users, everything on one item. The others compare what came
/// since the former training with what that one had: shares of types, hours, items and attributes, and how much is missing. They need
/// enough users, since it is people who differ by chance.
public struct DataGate: Sendable {
    /// Largest stability index of types, hours, items or attributes.
    public var maxStabilityIndex: Double
    /// Largest Kolmogorov–Smirnov gap of interactions a user or an item.
    public var maxGap: Double
    /// Largest rise of the share of interactions whose item has no content, or whose user no attributes.
    public var maxNullRise: Double
    /// The largest share of all events that may be repetitions.
    public var maxRepeatedShare: Double
    /// The largest share of all events that one item may have.
    public var maxItemShare: Double
    /// The largest share of all events that users who look like machines may have.
    public var maxSuspiciousShare: Double
    /// Users on either side below which nothing is compared.
    public var minimumUsers: Int
    /// Spans shorter than this many milliseconds say nothing about hours.
    public var minimumHoursSpan: Int64 = 2 * 86_400_000
    /// Items hold one half of all interactions only in a catalogue of more than this.
    public var minimumItems = 20

    /// Makes a gate.
    public init(
        maxStabilityIndex: Double = 0.5, maxGap: Double = 0.3, maxNullRise: Double = 0.2, maxRepeatedShare: Double = 0.2,
        maxItemShare: Double = 0.5, maxSuspiciousShare: Double = 0.3, minimumUsers: Int = 200
    ) {
        self.maxStabilityIndex = maxStabilityIndex
        self.maxGap = maxGap
        self.maxNullRise = maxNullRise
        self.maxRepeatedShare = maxRepeatedShare
        self.maxItemShare = maxItemShare
        self.maxSuspiciousShare = maxSuspiciousShare
        self.minimumUsers = minimumUsers
    }

    /// One thing that was looked at.
    public struct Check: Sendable, Equatable {
        /// What was measured, in words.
        public var name: String
        /// What was found.
        public var value: Double
        /// What the value may not exceed.
        public var limit: Double
        /// Whether the value is within its limit.
        public var passes: Bool { value <= limit }
        /// What a value above the limit means, and what to do.
        public var advice: String

        /// A sentence for a check that failed.
        public var reason: String { "\(name) is \(decimal(value)), and at most \(decimal(limit)) is let pass: \(advice)" }
    }

    /// Looks at all interactions without the suspicious users', and at those since the former training.
    ///
    /// - Parameters:
    ///   - all: the profile of everything that would be learned.
    ///   - suspicious: interactions of users that were left out.
    ///   - recent: those since the former training; nil where none is known.
    ///   - former: what the former training had.
    public func checks(all: DataProfile, suspicious: Int, recent: DataProfile? = nil, former: DataProfile? = nil) -> [Check] {
        let total = Double(all.events + suspicious)
        var checks = [
            Check(
                name: "the share of suspicious users' interactions", value: total > 0 ? Double(suspicious) / total : 0,
                limit: maxSuspiciousShare,
                advice: "that many machines are rare; look at who sends, or raise the bounds of what one user may do"),
            Check(
                name: "the share of repeated interactions (same user, item, type and time)", value: all.share(all.repeated),
                limit: maxRepeatedShare,
                advice: "a producer that sends twice should send an event_id"),
        ]
        if all.items > minimumItems {
            checks.append(
                Check(
                    name: "the share of the item that has most interactions", value: all.share(all.largestItem), limit: maxItemShare,
                    advice: "an id that stands for no item, such as a default value, looks like this"))
        }
        guard let recent, let former, recent.users >= minimumUsers, former.users >= minimumUsers else { return checks }
        checks += compare(recent, with: former)
        return checks
    }

    private func compare(_ recent: DataProfile, with former: DataProfile) -> [Check] {
        var checks: [Check] = []
        let people = (expected: Double(former.users), actual: Double(recent.users))
        func add(_ name: String, _ path: KeyPath<DataProfile, [Double]>, _ advice: String) {
            checks.append(
                Check(
                    name: "the shift of \(name) since the former training (stability index)",
                    value: Drift.stabilityIndex(expected: former[keyPath: path], actual: recent[keyPath: path], independent: people),
                    limit: maxStabilityIndex, advice: advice))
        }
        add("types of interactions", \.types, "a type that stopped arriving, or is mapped to another one, looks like this")
        if recent.newest - recent.oldest >= minimumHoursSpan, former.newest - former.oldest >= minimumHoursSpan {
            add("hours of the day", \.hours, "clocks in another time zone look like this")
        }
        add("items", \.itemGroups, "ids that changed their form look like this; so does a new catalogue")
        if former.withoutAttributes < former.events, recent.withoutAttributes < recent.events {
            add("users' attributes", \.attributeGroups, "attributes with other names or values look like this")
        }
        // What one user or item has grows with the time that is looked at: only like spans are compared.
        let spans = (former: Double(max(1, former.newest - former.oldest)), recent: Double(max(1, recent.newest - recent.oldest)))
        func addGap(_ name: String, _ path: KeyPath<DataProfile, [Double]>, _ n: Double, _ m: Double, _ advice: String) {
            guard spans.recent < 2 * spans.former, spans.former < 2 * spans.recent else { return }
            let gap = Drift.largestGap(expected: former[keyPath: path], actual: recent[keyPath: path])
            checks.append(
                Check(
                    name: "the gap of interactions \(name) since the former training (Kolmogorov–Smirnov)",
                    value: gap <= Drift.gapByChance(n, m) ? 0 : gap, limit: maxGap, advice: advice))
        }
        addGap("a user", \.userSizes, people.expected, people.actual, "users that were merged or split look like this")
        addGap("an item", \.itemSizes, Double(former.items), Double(recent.items), "items that were merged or split look like this")
        func addRise(_ name: String, _ path: KeyPath<DataProfile, Int>, _ advice: String) {
            checks.append(
                Check(
                    name: "the rise of the share of interactions \(name)",
                    value: max(0, recent.share(recent[keyPath: path]) - former.share(former[keyPath: path])), limit: maxNullRise,
                    advice: advice))
        }
        addRise("whose item has no content", \.withoutContent, "item records that stopped arriving look like this")
        addRise("whose user has no attributes", \.withoutAttributes, "user records that stopped arriving look like this")
        return checks
    }
}

/// What the preset `auto` makes of a look at the data: settings, each with its reason. What somebody set is never among them, and the other
/// choices go by it.
///
/// The rules and their bounds were found on ten public logs, and are told in `docs/learning.md`. Each asks for something that must be there
/// before it departs from the defaults: where a log is small or says nothing either way, they stay.
public struct AutoChoice: Sendable {
    /// What was chosen, in the order of its importance.
    public private(set) var decisions: [AutoDecision] = []
    /// What somebody set otherwise: the key, their value, and what would have been chosen.
    public private(set) var overruled: [AutoDecision] = []
    /// What else would suit the data and is not for a training to set, a sentence each.
    public private(set) var advice: [String] = []

    let look: DataLook
    let own: [String: String]
    /// The choice that had to be made before.
    let likes: AutoDecision?
    /// What the rules went by.
    let signs: AutoSigns
    /// Where low ratings are left out, steps are not of one length any more; ``likes(_:ratings:own:former:)`` saw them before.
    let isMadeUp: Bool

    /// Users and events below which only the kind of the times decides anything.
    public static let leastUsers = 200, leastEvents = 2_000
    /// Pairs of the newest tenth without which nothing is said of repeats.
    static let leastPairs = 300
    /// Events beyond which a transformer over histories takes too long to be chosen unasked: it learns about 15,000 positions a second.
    public static let sequenceLimitEvents = 3_000_000
    /// Events without which it has too little to learn from.
    static let leastSequenceEvents = 50_000

    /// Chooses.
    ///
    /// - Parameters:
    ///   - look: what the log looks like, without what is rated too low where `likes` was chosen.
    ///   - own: what somebody set, by key, as text.
    ///   - likes: the choice of ``likes(_:ratings:own:former:)``, which had to be made before.
    ///   - signs: what to go by beside a choice in force; nil for what the look says by itself.
    public init(_ look: DataLook, own: [String: String], likes: AutoDecision? = nil, signs: AutoSigns? = nil) {
        self.look = look
        self.own = own
        self.likes = likes
        self.signs = signs ?? AutoSigns(look)
        isMadeUp = self.signs.contains(.madeUpTimes) || likes != nil
        if let likes { decisions.append(likes) }
        chooseHoldout()
        guard self.signs.contains(.enough) else {
            choose(
                "train.preset", "default",
                "\(look.events) events of \(look.users) users are too few to choose by: below \(Self.leastEvents) or \(Self.leastUsers) "
                    + "the defaults stand")
            return
        }
        chooseTowers()
        chooseMask()
        chooseTargets()
        chooseContent()
        chooseFashion()
        advise()
    }

    /// Whether low ratings are left out, which must be known before a log is read for good: opinions without a clock are a collection of
    /// what people think, of which the liked part is the example. With real times a rating also says what somebody watched.
    ///
    /// - Parameters:
    ///   - look: of its events and times; nothing else is read.
    ///   - former: the version in force and what was chosen for it, which stays while ratings look about as they did.
    public static func likes(
        _ look: DataLook, ratings: RatingLook, own: [String: String], former: (version: Int, likes: AutoDecision)? = nil
    ) -> AutoDecision? {
        guard !["train.negative_ratings_below", likesKey].contains(where: own.keys.contains) else { return nil }
        if let former, case let kept = former.likes.kept(from: former.version), let from = Double(kept.value),
            [.madeUpTimes, .enough].allSatisfy({ AutoSigns.holds($0, look, slack: AutoSigns.margin) }),
            ratings.isScale(slack: AutoSigns.margin), (from - ratings.likedFrom).magnitude <= (ratings.highest - ratings.lowest) / 8
        {
            let anew = likes(look, ratings: ratings, own: own)
            return anew?.value == kept.value ? anew : kept
        }
        guard ratings.isScale, [.madeUpTimes, .enough].allSatisfy({ AutoSigns.holds($0, look) }) else { return nil }
        return AutoDecision(
            likesKey, Words.exact(ratings.likedFrom),
            why: "\(Words.percent(ratings.rated)) of the events carry a rating, from \(Words.number(ratings.lowest)) to "
                + "\(Words.number(ratings.highest)): the upper quarter of the scale (\(Words.percent(ratings.liked))) are likes")
    }

    /// The setting that leaves out low ratings.
    static let likesKey = "train.positive_ratings_from"

    private mutating func choose(_ key: String, _ value: String, _ why: String) {
        guard !decisions.contains(where: { $0.key == key }), !overruled.contains(where: { $0.key == key }) else { return }
        if let set = own[key] {
            if set != value { overruled.append(AutoDecision(key, set, why: "set; \(value) would have been chosen: \(why)")) }
        } else {
            decisions.append(AutoDecision(key, value, why: why))
        }
    }

    private mutating func choose(_ values: [(key: String, value: String)], _ why: String) {
        for (key, value) in values { choose(key, value, why) }
    }

    // MARK: What was seen

    var areLikes: Bool { decisions.contains { $0.key == Self.likesKey } || (own[Self.likesKey] ?? "0") != "0" }

    private var isNeverRepeated: Bool { signs.contains(.neverRepeated) }

    private var isRepeated: Bool { signs.contains(.repeated) }

    /// What happens at one instant has no order, and most does.
    private var comesTogether: Bool { signs.contains(.together) }

    private var isVisit: Bool { !isMadeUp && (comesTogether || signs.contains(.visits)) }

    private var hasOrder: Bool { !comesTogether && signs.contains(.orderKnown) && signs.contains(.ordered) }

    private var hasNoOrder: Bool { isMadeUp && signs.contains(.orderKnown) && signs.contains(.unordered) }

    /// The tower that somebody set, or that was chosen.
    var isSequence: Bool {
        (own["train.user_tower"] ?? decisions.first { $0.key == "train.user_tower" }?.value) == "sequence"
    }

    var isSmall: Bool { (own["train.preset"] ?? decisions.first { $0.key == "train.preset" }?.value) == "small" }

    // MARK: The rules

    private mutating func chooseHoldout() {
        guard isMadeUp else { return }
        let steps = look.tied > look.commonestGap
            ? "\(Words.percent(look.tied)) of the events have their user's time before"
            : "\(Words.percent(look.commonestGap)) of the gaps between two events are of one length"
        let times = look.hasMadeUpTimes
            ? "\(steps), and \(Words.percent(look.commonestEnd)) of the users end at one instant"
            : "before low ratings were left out all steps were of one length and ended at one instant"
        choose(
            "train.holdout", "leave-one-out",
            "\(times): the times are made up and keep an order only, so everybody's last item is asked for")
    }

    private mutating func chooseTowers() {
        let length = "\(look.eventsPerUser) events a user (median)"
        guard own["train.user_tower"] == nil, own["train.teacher"].map({ $0 == "0" }) ?? true, hasOrder, isNeverRepeated, !areLikes,
            signs.contains(.longHistories), signs.contains(.sequenceSized)
        else {
            if signs.contains(.shortHistories), !isSequence {
                choose("train.preset", "small", "\(length): a large model would learn so short histories by heart")
            } else {
                choose("train.preset", "default", "\(length)")
            }
            return
        }
        choose(
            Self.sequenceSettings,
            "\(length), and order matters: neighbours are neighbours again of another user \(Words.ratio(look.orderRatio)) times as often "
                + "as items further apart; nobody takes anything twice")
    }

    private mutating func chooseMask() {
        guard isNeverRepeated else { return }
        choose(
            "train.mask_history", "true",
            "of \(look.askedPairs) items that known users took in the newest tenth \(Words.percent(look.repeats)) were theirs before: what "
                + "somebody had is never an answer")
    }

    private mutating func chooseTargets() {
        let key = "train.targets_ahead"
        guard !isSequence else { return }
        let together =
            comesTogether
            ? "\(Words.percent(look.tied)) of the events share their user's instant with another"
            : "a visit has \(Words.number(look.eventsPerVisit)) events"
        if areLikes, isMadeUp {
            choose(key, "20", "what people like is asked for, not what comes next: any of the next 20 likes is a target")
            choose("train.epochs", "4", "twenty targets an event are learned in fewer passes")
        } else if hasNoOrder {
            let why = "neighbours are neighbours of another user \(Words.ratio(look.orderRatio)) times as often as items further apart: "
                + "there is no order, and any other item of the same user is a target"
            choose(
                [(key, "100"), ("train.examples_per_user", "10"), ("train.history_dropout", "0.3"), ("train.epochs", "3")], why)
        } else if isVisit, signs.contains(.bought) {
            let again = isRepeated ? "\(Words.percent(look.repeats)) of what was bought was bought before; " : ""
            choose(key, "10", again + "\(together): a basket has no order, any item of the next purchases is a target")
        } else if isVisit {
            choose(key, "4", "\(together): what is asked for is a visit's worth of items, not the very next one")
        }
    }

    private mutating func chooseContent() {
        if !look.content.links.isEmpty {
            let names = look.content.links.joined(separator: ",")
            choose("content.links", names, "the values of \(names) are ids of other items")
        }
        let (texts, tags) = (look.content.texts, look.content.tags)
        guard !isSequence, !isSmall, isNeverRepeated, signs.contains(.described) else { return }
        choose(
            "train.id_dropout", "0.3",
            "\(Words.percent(max(texts, tags))) of the items have \(texts >= tags ? "texts" : "tags"): the towers learn to do without ids, "
                + "for those that nobody has taken yet")
    }

    private mutating func chooseFashion() {
        guard !isMadeUp else { return }
        if signs.contains(.newcomers), signs.contains(.months), isNeverRepeated {
            let why = "\(Words.percent(look.newUsers)) of the newest tenth is by users who are new in it: people come once, and what is in "
                + "fashion counts"
            choose([("train.recency_half_life_days", "10"), ("ranking.recent_half_life_days", "7"), ("train.epochs", "3")], why)
        } else if isRepeated, signs.contains(.seasons), signs.contains(.bought) {
            choose(
                "ranking.recent_half_life_days", "30",
                "\(Words.percent(look.repeats)) of what was bought was bought before, over \(Words.number(look.spanDays)) days: what is "
                    + "popular changes slowly")
        }
    }

    private mutating func advise() {
        if decisions.contains(where: { $0.key == "train.id_dropout" }), look.eventsPerUser >= 15 {
            advice.append(
                "All that a user has says what new items they may like: ingest.history_limit_events: 1000 lets answers read as much.")
        }
        if isMadeUp {
            advice.append("The times are made up: clock: data measures ages by the newest event, and not by today.")
        } else if let ratings = look.ratings, ratings.isScale, !areLikes {
            advice.append(
                "Events carry ratings from \(Words.number(ratings.lowest)) to \(Words.number(ratings.highest)): "
                    + "train.positive_ratings_from: \(Words.exact(ratings.likedFrom)) learns from what was liked only.")
        }
        if decisions.contains(where: { $0.key == "train.recency_half_life_days" }) {
            advice.append("ingest.decay_half_life_hours: 168 lets the list of what is trending forget within a week, too.")
        }
        if look.valued >= 0.5, Double(look.events) * look.valued >= 1_000, (own["objectives.tune"] ?? "none") != "value" {
            advice.append("Orders have amounts: objectives.tune: value ranks by what they are worth, too.")
        }
    }
}

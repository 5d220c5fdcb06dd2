/// What a log looks like to somebody who has to choose how to learn from it: do people repeat, in which order, how much is known, how much
/// is new. Counted over clicks, carts and purchases; shares lie between 0 and 1.
public struct DataLook: Codable, Sendable, Equatable {
    /// Interactions.
    public var events = 0
    /// Users with an interaction.
    public var users = 0
    /// Items with interactions.
    public var items = 0
    /// Days from the oldest to the newest interaction.
    public var spanDays = 0.0
    /// Of the gaps above 0 between two events of a user, the share of the commonest.
    public var commonestGap = 0.0
    /// Users whose last event is at the commonest instant.
    public var commonestEnd = 0.0
    /// Events that share user and time with the one before.
    public var tied = 0.0
    /// Events of one user within one hour of the clock.
    public var eventsPerVisit = 0.0
    /// Distinct pairs of a user and an item in the newest tenth, of users who are known from before.
    public var askedPairs = 0
    /// Of them those that were there before.
    public var repeats = 0.0
    /// Of all events on an item that the user had had those within an hour of it.
    public var repeatsWithinHour = 0.0
    /// Median days of the repeats after a day or more; nil where there are none.
    public var repeatDays: Double?
    /// Pairs of neighbours, not of one item or one instant, of the users that were looked at.
    public var orderPairs = 0
    /// Of them those that are neighbours of another user, too.
    public var order = 0.0
    /// The same share over that of pairs six, eight and ten places apart; nil where histories are too short for these. 1 is no order.
    public var orderRatio: Double?
    /// Median events of a user.
    public var eventsPerUser = 0
    /// Median events of an item with any.
    public var eventsPerItem = 0
    /// Events of the newest tenth, of known users, whose item is new in it.
    public var newItems = 0.0
    /// Events of the newest tenth whose user is new in it.
    public var newUsers = 0.0
    /// Events that are purchases.
    public var purchases = 0.0
    /// Events with an amount.
    public var valued = 0.0
    /// Impressions that are kept.
    public var impressions = 0
    /// Of them those that were taken up.
    public var taken = 0
    /// What items say.
    public var content = ContentLook()
    /// What ratings say; nil where nobody looked at them.
    public var ratings: RatingLook?

    private enum CodingKeys: String, CodingKey {
        case events, users, items
        case spanDays = "span_days"
        case commonestGap = "commonest_gap"
        case commonestEnd = "commonest_end"
        case tied
        case eventsPerVisit = "events_a_visit"
        case askedPairs = "asked_pairs"
        case repeats
        case repeatsWithinHour = "repeats_within_hour"
        case repeatDays = "repeat_days"
        case orderPairs = "order_pairs"
        case order
        case orderRatio = "order_ratio"
        case eventsPerUser = "events_a_user"
        case eventsPerItem = "events_an_item"
        case newItems = "new_items"
        case newUsers = "new_users"
        case purchases, valued, impressions, taken, content, ratings
    }

    /// Nothing seen but ratings.
    public init(ratings: RatingLook? = nil) { self.ratings = ratings }

    /// Whether times only keep an order: one step between all events of a user, and one instant at which most users end. Each alone
    /// happens in real logs.
    public var hasMadeUpTimes: Bool { AutoSigns.holds(.madeUpTimes, self) }

    /// Below it that users end at one instant says nothing.
    static let leastUsersOfTimes = 20
}

/// What the items of a catalogue say: shares of all items.
public struct ContentLook: Codable, Sendable, Equatable {
    /// Items of the catalogue, without events too.
    public var items = 0
    /// With a title of two words or more.
    public var titles = 0.0
    /// With a description of ten words or more.
    public var texts = 0.0
    /// With tags.
    public var tags = 0.0
    /// With categories.
    public var categories = 0.0
    /// With a price.
    public var prices = 0.0
    /// Without an event, and with words, tags or categories.
    public var newDescribed = 0.0
    /// Attributes that name other items, in order.
    public var links: [String] = []

    private enum CodingKeys: String, CodingKey {
        case items, titles, texts, tags, categories, prices
        case newDescribed = "new_described"
        case links
    }

    /// Nothing known.
    public init() {}
}

/// What the ratings of the newest events look like.
public struct RatingLook: Codable, Sendable, Equatable {
    /// Events that were looked at, at most.
    public static let limitEvents = 5_000

    /// Events that were looked at.
    public var events = 0
    /// Of them those with a rating.
    public var rated = 0.0
    /// The scale that was used, a hundredth at either end left out.
    public var lowest = 0.0
    /// Its upper end.
    public var highest = 0.0
    /// Where its upper quarter begins: what is rated from here on was liked.
    public var likedFrom: Double { lowest + 0.75 * (highest - lowest) }
    /// Ratings that are likes.
    public var liked = 0.0

    private enum CodingKeys: CodingKey { case events, rated, lowest, highest, liked }

    /// Looks at ratings.
    ///
    /// - Parameter ratings: of the events that were looked at, nil for those without; what is no number counts as none.
    public init(_ ratings: [Double?]) {
        events = ratings.count
        let known = ratings.compactMap { $0 }.filter(\.isFinite).sorted()
        guard !known.isEmpty else { return }
        rated = Double(known.count) / Double(events)
        lowest = known[known.count / 100]
        highest = known[known.count - 1 - known.count / 100]
        let from = likedFrom
        liked = Double(known.count { $0 >= from }) / Double(known.count)
    }

    /// Whether most events are opinions on a scale, some of them good and some not.
    public var isScale: Bool { isScale(slack: 1) }

    /// The same with bounds that are moved by a factor: above 1 it holds more easily.
    func isScale(slack: Double) -> Bool {
        rated >= 0.5 / slack && lowest < highest && liked >= 0.2 / slack && liked < 1 && highest.magnitude <= 1_000_000
    }
}

import Interactions

/// A shop whose users' tastes are known: a source of traffic for demos, and the truth for tests that close the loop.
///
/// The same configuration, seed and calls give the same events on the same machine; the C library's `exp` may differ between
/// machines. It is a value: a copy goes its own way.
///
/// A user looks at the places of a list with falling probability, clicks on what suits their ``utility(userID:itemID:at:)``, and
/// puts some of that into the cart and buys some of it. Tastes are over categories, kinds of products, styles, prices and news;
/// styles run through all categories, so that a taste found in one tells something about another.
public struct Shop: Sendable {
    /// What the shop is made of.
    public let configuration: ShopConfiguration
    let seed: UInt64
    var random: SplitMix64
    /// In the order of publication.
    var items: [ShopItem] = []
    var rows: [String: Int] = [:]
    var everything = WeightedRows()
    var byCategory: [WeightedRows]
    private let userIDs: [String]
    let tastes: [String: Taste]
    private var visitors = WeightedRows()
    /// Arrivals made so far: the evenly spaced ones, and those with which the late category opens.
    private var spacedArrivals = 0
    private var lateArrivals = 0
    /// Items that ``arrivals(at:)`` has given out, the first ones included.
    private var announced: Int
    /// What was bought: nobody needs the same twice. It grows with the purchases.
    var owned: Set<Ownership> = []
    private(set) var sessions = 0
    var eventCount: Int64 = 0

    /// Builds the shop as it stands at its opening.
    public init(configuration: ShopConfiguration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
        random = SplitMix64(seed: seed, stream: 0, index: 0)
        byCategory = Array(repeating: WeightedRows(), count: configuration.categories)
        announced = configuration.items
        userIDs = (1...configuration.users).map { "u\($0)" }
        var tastes: [String: Taste] = [:]
        for (row, userID) in userIDs.enumerated() {
            let taste = Taste(userID: userID, seed: seed, categoryCount: configuration.categories)
            tastes[userID] = taste
            visitors.append(row, weight: taste.activity)
        }
        self.tastes = tastes

        var layout = SplitMix64(seed: seed, stream: 3, index: 0)
        let year: Int64 = 365 * 86_400_000
        let ranks = Array(0..<configuration.items).shuffled(using: &layout)
        let openCategories = configuration.lateCategoryOpens == nil ? configuration.categories : configuration.categories - 1
        for index in 0..<configuration.items {
            let age = year - year * Int64(index) / Int64(configuration.items)
            let published = EventTime(milliseconds: configuration.opening.milliseconds - age)
            admit(category: layout.below(openCategories), published: published, rank: ranks[index], isNew: false)
        }
    }

    // MARK: The catalogue

    /// The items published by a time, in the order of publication.
    public func catalogue(openedBy time: EventTime) -> [ItemRecord] {
        var later = self
        later.admitArrivals(until: time)
        return later.items.filter { $0.published <= time.milliseconds }.map(\.record)
    }

    /// The registered users.
    public func users() -> [UserRecord] {
        userIDs.map {
            UserRecord(userID: $0, attributes: tastes[$0]?.attributes, updatedAt: configuration.opening)
        }
    }

    /// The items published by a time that this has not given out yet; none of those that stood there at the opening.
    public mutating func arrivals(at time: EventTime) -> [ItemRecord] {
        admitArrivals(until: time)
        var end = announced
        while end < items.count, items[end].published <= time.milliseconds { end += 1 }
        defer { announced = end }
        return items[announced..<end].map(\.record)
    }

    private mutating func admit(category: Int, published: EventTime, rank: Int, isNew: Bool) {
        let item = ShopItem(
            index: items.count, category: category, published: published, popularityRank: rank, isNew: isNew, seed: seed,
            configuration: configuration)
        let row = items.count
        items.append(item)
        rows[item.record.itemID] = row
        everything.append(row, weight: item.popularity)
        byCategory[category].append(row, weight: item.popularity)
    }

    /// Makes the items that are due, the evenly spaced ones and the late category's in one order of time.
    mutating func admitArrivals(until time: EventTime) {
        let opening = configuration.opening.milliseconds
        while true {
            let spaced =
                configuration.newItemsPerDay > 0
                ? opening + Int64(spacedArrivals + 1) * 86_400_000 / Int64(configuration.newItemsPerDay) : Int64.max
            let late =
                lateArrivals < configuration.lateCategoryItems
                ? configuration.lateCategoryOpens.map { $0.milliseconds + Int64(lateArrivals) } ?? Int64.max : Int64.max
            let due = min(spaced, late)
            guard due <= time.milliseconds else { return }
            let isLate = late <= spaced
            var draw = SplitMix64(
                seed: seed, stream: isLate ? 4 : 5, index: UInt64(isLate ? lateArrivals : spacedArrivals))
            var category = configuration.categories - 1
            if isLate {
                lateArrivals += 1
            } else {
                spacedArrivals += 1
                let lateIsOpen = configuration.lateCategoryOpens.map { $0.milliseconds <= due } ?? true
                category = draw.below(configuration.categories - (lateIsOpen ? 0 : 1))
            }
            admit(
                category: category, published: EventTime(milliseconds: due), rank: draw.below(configuration.items),
                isNew: true)
        }
    }

    // MARK: The truth

    /// How much a user wants an item, for measuring only: higher is better, and a click on what was seen has probability
    /// `1 / (1 + e^(3.4 − utility))`. Nil for an item that the shop does not know yet.
    public func utility(userID: String, itemID: String, at time: EventTime) -> Double? {
        guard let row = rows[itemID] else { return nil }
        return taste(of: userID).utility(of: items[row], at: time.milliseconds)
    }

    /// The user's liking of each category, 0 to 1, for measuring only.
    public func categoryTastes(userID: String) -> [(category: String, liking: Double)] {
        zip(configuration.categoryNames, taste(of: userID).categories).map { (category: $0, liking: $1) }
    }

    func taste(of userID: String) -> Taste {
        tastes[userID] ?? Taste(userID: userID, seed: seed, categoryCount: configuration.categories)
    }

    // MARK: Visits

    /// Somebody comes: a registered user, the more active the more often, or somebody without an id.
    public mutating func shopper(nextAt time: EventTime) -> ShopVisit {
        admitArrivals(until: time)
        sessions += 1
        let sessionID = "s\(String(seed & 0xFFFF, radix: 36))-\(sessions)"
        let anonymous = random.unit() < configuration.anonymousShare
        let userID = anonymous ? DecodingRules.sessionPrefix + sessionID : userIDs[visitors.draw(&random) ?? 0]
        var lists = 1
        while lists < 8, random.unit() < 0.55 { lists += 1 }
        return ShopVisit(userID: userID, sessionID: sessionID, start: time, lists: lists)
    }
}

/// Somebody's visit to the shop.
public struct ShopVisit: Sendable, Equatable {
    /// A registered user's id, or `session:` and the session's.
    public var userID: String
    /// The session's id.
    public var sessionID: String
    /// When the session begins.
    public var start: EventTime
    /// How many lists of recommendations they mean to look at.
    public var lists: Int
}

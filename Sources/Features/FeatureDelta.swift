import Interactions

/// What a set of events changes about one user.
public struct UserDelta: Sendable, Equatable {
    /// The user's id.
    public let userID: String
    /// The newest clicks, additions to the cart and purchases; never impressions.
    public var history: UserHistory
    /// How many items were shown to the user.
    public var impressions: Int64 = 0
    /// How often the user clicked.
    public var clicks: Int64 = 0
    /// How often the user put an item into a cart.
    public var addToCarts: Int64 = 0
    /// How often the user bought an item, also what was given back.
    public var purchases: Int64 = 0
    /// How often the user gave something back.
    public var returns: Int64 = 0
    /// The least time of an event.
    public var firstTime: EventTime
    /// The greatest time of an event.
    public var lastTime: EventTime
    /// The greatest position of an event: what a reader who waits for a watermark compares with.
    public var last: Position

    init(first event: Interaction, limit: Int) {
        userID = event.userID
        history = UserHistory(limit: limit)
        firstTime = event.time
        lastTime = event.time
        last = event.position
    }

    @inline(__always)
    mutating func fold(_ event: Interaction) {
        switch event.type {
        case .impression: impressions += 1
        case .click: clicks += 1
        case .addToCart: addToCarts += 1
        case .purchase: purchases += 1
        case .return: returns += 1
        }
        if event.time < firstTime { firstTime = event.time }
        if event.time > lastTime { lastTime = event.time }
        if last < event.position { last = event.position }
        if event.type.isAct { history.insert(HistoryEntry(event)) }
    }

    /// Adds what other events change about the same user.
    public mutating func merge(_ other: UserDelta) {
        precondition(userID == other.userID, "merging user \(other.userID) into user \(userID)")
        impressions += other.impressions
        clicks += other.clicks
        addToCarts += other.addToCarts
        purchases += other.purchases
        returns += other.returns
        firstTime = min(firstTime, other.firstTime)
        lastTime = max(lastTime, other.lastTime)
        last = max(last, other.last)
        history.merge(other.history)
    }
}

/// What a set of events changes about one item.
public struct ItemDelta: Sendable, Equatable {
    /// The item's id.
    public let itemID: String
    /// How often it was shown.
    public var impressions: Int64 = 0
    /// How often it was clicked.
    public var clicks: Int64 = 0
    /// How often it was put into a cart.
    public var addToCarts: Int64 = 0
    /// How often it was bought.
    public var purchases: Int64 = 0
    /// The quantities of the purchases together; at most `Int64.max`.
    public var units: Int64 = 0
    /// The clicks, decayed.
    public var clickDecay = DecayedCount()
    /// The purchases, decayed; one of several units counts once.
    public var purchaseDecay = DecayedCount()
    /// The amounts of the purchases in minor units, by currency; each at most `Int64.max`.
    public var revenue: [String: Int64] = [:]
    /// The least time of an event.
    public var firstTime: EventTime
    /// The greatest time of an event.
    public var lastTime: EventTime

    init(first event: Interaction) {
        itemID = event.itemID
        firstTime = event.time
        lastTime = event.time
    }

    @inline(__always)
    mutating func fold(_ event: Interaction, _ rules: FeatureRules) {
        switch event.type {
        case .impression: impressions += 1
        case .click:
            clicks += 1
            clickDecay.add(time: event.time, rules: rules)
        case .addToCart: addToCarts += 1
        case .purchase:
            purchases += 1
            units = saturatingSum(units, Int64(event.quantity))
            purchaseDecay.add(time: event.time, rules: rules)
            if let amount = event.amountMinor, let currency = event.currency {
                revenue[currency] = saturatingSum(revenue[currency] ?? 0, amount)
            }
        case .return: break  // What it takes back depends on other events: see ``PurchaseMatching``.
        }
        if event.time < firstTime { firstTime = event.time }
        if event.time > lastTime { lastTime = event.time }
    }

    /// Adds what other events change about the same item.
    public mutating func merge(_ other: ItemDelta) {
        precondition(itemID == other.itemID, "merging item \(other.itemID) into item \(itemID)")
        impressions += other.impressions
        clicks += other.clicks
        addToCarts += other.addToCarts
        purchases += other.purchases
        units = saturatingSum(units, other.units)
        clickDecay.merge(other.clickDecay)
        purchaseDecay.merge(other.purchaseDecay)
        for (currency, amount) in other.revenue { revenue[currency] = saturatingSum(revenue[currency] ?? 0, amount) }
        firstTime = min(firstTime, other.firstTime)
        lastTime = max(lastTime, other.lastTime)
    }
}

/// What a set of events changes about users and items.
///
/// Folding the same events in any order, in any batches merged in any order, gives an equal delta, bit for bit: it is made of
/// sums of whole numbers, of least and greatest values, and of the newest entries of sets. It does not know events apart: who
/// folds an event twice counts it twice, so duplicates are removed before.
public struct FeatureDelta: Sendable, Equatable {
    /// What was folded, by user.
    public private(set) var users: [String: UserDelta]
    /// What was folded, by item.
    public private(set) var items: [String: ItemDelta]
    /// How events become features.
    public let rules: FeatureRules

    /// The delta of no event.
    public init(rules: FeatureRules = FeatureRules()) {
        users = [:]
        items = [:]
        self.rules = rules
    }

    /// Whether no event was folded.
    public var isEmpty: Bool { items.isEmpty }

    /// Folds one event. O(1), where events come nearly in the order of time.
    public mutating func fold(_ event: Interaction) {
        users[event.userID, default: UserDelta(first: event, limit: rules.historyLimitEvents)].fold(event)
        items[event.itemID, default: ItemDelta(first: event)].fold(event, rules)
    }

    /// Folds what an event changes about its item, and leaves its user out. O(1).
    public mutating func foldItem(_ event: Interaction) {
        items[event.itemID, default: ItemDelta(first: event)].fold(event, rules)
    }

    /// The delta without what it changes about these users; items keep what they did.
    public func leavingOut(_ userIDs: Set<String>) -> FeatureDelta {
        var rest = self
        for userID in userIDs { rest.users.removeValue(forKey: userID) }
        return rest
    }

    /// Folds events one after the other.
    public mutating func fold(_ events: some Sequence<Interaction>) {
        for event in events { fold(event) }
    }

    /// Adds a delta of other events.
    public mutating func merge(_ other: FeatureDelta) {
        precondition(rules == other.rules, "merging deltas of different rules: \(other.rules) into \(rules)")
        for (userID, delta) in other.users {
            if users[userID] == nil { users[userID] = delta } else { users[userID]?.merge(delta) }
        }
        for (itemID, delta) in other.items {
            if items[itemID] == nil { items[itemID] = delta } else { items[itemID]?.merge(delta) }
        }
    }

    /// Forgets all events and keeps the memory for the next batch.
    public mutating func removeAll() {
        users.removeAll(keepingCapacity: true)
        items.removeAll(keepingCapacity: true)
    }
}

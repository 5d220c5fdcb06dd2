import Interactions

/// One event of a user's history.
public struct HistoryEntry: Sendable, Equatable, Comparable {
    /// The item that was dealt with.
    public var itemID: String
    /// What the user did.
    public var type: InteractionType
    /// Of a purchase what was paid in all, in minor units of its currency, at most the largest number; 0 where nothing is known.
    public var amountMinor: UInt32
    /// The currency of ``amountMinor``; nil where nothing was paid, and in entries of older versions.
    public var currency: CurrencyCode?
    /// What the user thought of it: the event's `context.rating` in hundredths; nil where none was given.
    public var ratingHundredths: Int32?
    /// When it happened.
    public var time: EventTime
    /// Where the record stands in its source.
    public var position: Position
    /// Whether all pieces of this purchase were given back: it counts no more as bought.
    public var isReturned = false

    /// Makes an entry.
    public init(
        itemID: String, type: InteractionType, time: EventTime, position: Position, amountMinor: UInt32 = 0, ratingHundredths: Int32? = nil,
        currency: CurrencyCode? = nil
    )
    {
        self.itemID = itemID
        self.type = type
        self.amountMinor = amountMinor
        self.currency = amountMinor > 0 ? currency : nil
        self.ratingHundredths = ratingHundredths
        self.time = time
        self.position = position
    }

    /// The entry that an event leaves.
    public init(_ event: Interaction) {
        self.init(
            itemID: event.itemID, type: event.type, time: event.time, position: event.position,
            amountMinor: event.type == .purchase ? UInt32(clamping: event.amountMinor ?? 0) : 0,
            ratingHundredths: event.rating.map { Int32(min(max($0 * 100, -2e9), 2e9).rounded()) },
            currency: event.type == .purchase ? event.currency.flatMap { CurrencyCode($0) } : nil)
    }

    /// Whether it has a rating below `rating`.
    public func isRated(below rating: Double) -> Bool { ratingHundredths.map { Double($0) < (rating * 100).rounded() } ?? false }

    /// By time, then position in the source; the rest decides only between entries of one position, so that the order is total.
    public static func < (left: HistoryEntry, right: HistoryEntry) -> Bool {
        if left.time != right.time { return left.time < right.time }
        if left.position != right.position { return left.position < right.position }
        if left.itemID != right.itemID { return left.itemID.utf8.lexicographicallyPrecedes(right.itemID.utf8) }
        if left.type != right.type { return left.type.rawValue < right.type.rawValue }
        if left.amountMinor != right.amountMinor { return left.amountMinor < right.amountMinor }
        if left.currency != right.currency { return (left.currency?.rawValue ?? 0) < (right.currency?.rawValue ?? 0) }
        // nil comes before every rating.
        if left.ratingHundredths != right.ratingHundredths {
            return right.ratingHundredths.map { right in left.ratingHundredths.map { $0 < right } ?? true } ?? false
        }
        return !left.isReturned && right.isReturned
    }
}

/// The newest events of a user, oldest first.
///
/// It is the newest ``limit`` of a *set* of entries, so that any order of insertions and any merges give the same history, and
/// the same entry twice counts once.
public struct UserHistory: Sendable, Equatable {
    /// Ascending by ``HistoryEntry``'s order, each entry once; at most ``limit``.
    public private(set) var entries: [HistoryEntry]
    /// The most entries kept.
    public let limit: Int

    /// An empty history.
    public init(limit: Int) {
        precondition(limit >= 1, "a history's limit is \(limit); it must be at least 1")
        entries = []
        self.limit = limit
    }

    /// Adds one entry. O(1) for an entry newer than all, else O(``limit``).
    public mutating func insert(_ entry: HistoryEntry) {
        if let last = entries.last, !(last < entry) {
            // The first entry that is not before the new one.
            var low = 0
            var high = entries.count
            while low < high {
                let middle = (low + high) / 2
                if entries[middle] < entry { low = middle + 1 } else { high = middle }
            }
            if entries[low] == entry { return }
            if low == 0 && entries.count >= limit { return }
            entries.insert(entry, at: low)
        } else {
            entries.append(entry)
        }
        if entries.count > limit { entries.removeFirst(entries.count - limit) }
    }

    /// Adds the entries of another history. O(both), and O(other) where all of it is newer.
    public mutating func merge(_ other: UserHistory) {
        guard let first = other.entries.first else { return }
        if entries.last.map({ $0 < first }) ?? true {
            entries.append(contentsOf: other.entries)
        } else {
            var merged: [HistoryEntry] = []
            merged.reserveCapacity(entries.count + other.entries.count)
            var left = entries[...]
            var right = other.entries[...]
            while let one = left.first, let two = right.first {
                if one < two {
                    merged.append(one)
                    left.removeFirst()
                } else {
                    merged.append(two)
                    right.removeFirst()
                    if one == two { left.removeFirst() }
                }
            }
            merged.append(contentsOf: left)
            merged.append(contentsOf: right)
            entries = merged
        }
        if entries.count > limit { entries.removeFirst(entries.count - limit) }
    }

    /// The history without what was rated below `rating`: what somebody disliked says little of what they will take, and a model
    /// that was trained without it should not meet it. What has no rating stays. 0 keeps all.
    public func rated(from rating: Double) -> UserHistory {
        guard rating != 0, entries.contains(where: { $0.isRated(below: rating) }) else { return self }
        return UserHistory(sorted: entries.filter { !$0.isRated(below: rating) }, limit: limit)
    }

    /// The history without purchases that were given back: who gave something back neither has it nor showed a taste for it.
    public var kept: UserHistory {
        guard entries.contains(where: \.isReturned) else { return self }
        return UserHistory(sorted: entries.filter { !$0.isReturned }, limit: limit)
    }

    /// Notes of purchases whether they were given back.
    ///
    /// - Parameter isReturned: nil for what stays as it is.
    public mutating func note(_ isReturned: (HistoryEntry) -> Bool?) {
        for index in entries.indices where entries[index].type == .purchase {
            if let now = isReturned(entries[index]), now != entries[index].isReturned { entries[index].isReturned = now }
        }
    }

    init(sorted entries: [HistoryEntry], limit: Int) {
        self.entries = entries.count > limit ? Array(entries.suffix(limit)) : entries
        self.limit = limit
    }
}

import Interactions

/// A purchase, or a return, of one user and one item as the log holds it.
public struct Trade: Sendable, Equatable {
    /// With ``time`` its key in the log.
    public var eventID: String
    /// When it happened.
    public var time: EventTime
    /// Where the record stands in its source.
    public var position: Position
    /// Pieces, at least 1.
    public var quantity: Int32
    /// The unit price in millionths of the currency's unit; nil where none was sent.
    public var priceMicros: Int64?
    /// Price × quantity in minor units; nil where none was sent.
    public var amountMinor: Int64?
    /// ISO 4217.
    public var currency: String?
    /// Of a return: the event that it takes back, where its context says so under `purchase_event_id`.
    public var purchaseEventID: String?

    /// Makes a trade.
    public init(
        eventID: String, time: EventTime, position: Position, quantity: Int32, priceMicros: Int64? = nil, amountMinor: Int64? = nil,
        currency: String? = nil, purchaseEventID: String? = nil
    ) {
        self.eventID = eventID
        self.time = time
        self.position = position
        self.quantity = quantity
        self.priceMicros = priceMicros
        self.amountMinor = amountMinor
        self.currency = currency
        self.purchaseEventID = purchaseEventID
    }

    /// What is left of the amount where `pieces` were given back: its share, rounded half away from zero.
    public func amountLeft(without pieces: Int32) -> Int64? {
        guard let amountMinor, pieces > 0, quantity > 0 else { return amountMinor }
        let left = UInt128(UInt32(max(0, quantity - pieces))), all = UInt128(UInt32(quantity))
        let (whole, rest) = (UInt128(amountMinor.magnitude) * left).quotientAndRemainder(dividingBy: all)
        let rounded = Int64(clamping: whole + (rest * 2 >= all ? 1 : 0))
        return amountMinor < 0 ? -rounded : rounded
    }

    /// The order of the log: by time, then by the bytes of the id.
    static func isBefore(_ left: Trade, _ right: Trade) -> Bool {
        left.time != right.time ? left.time < right.time : left.eventID.utf8.lexicographicallyPrecedes(right.eventID.utf8)
    }
}

/// So many pieces of a purchase that a return takes back.
public struct ReturnMatch: Sendable, Hashable {
    /// Place among the purchases.
    public var purchase: Int
    /// Place among the returns.
    public var `return`: Int
    /// At least 1.
    public var pieces: Int32
}

/// Which purchases the returns of one user and one item take back.
///
/// A return seldom says what it takes back. Each, oldest first, takes from purchases that are not later than itself and of which
/// something is left: first the one that it names, then those of the same unit price, then those of which just so many pieces are
/// left, then the newest. What one purchase does not have, the next gives; what is left over matches nothing and changes nothing.
/// (On a year of a shop's cancellations the newest purchase has the unit price of the return in 95 of 100 cases, the oldest in 90.)
///
/// It is a function of the set of events, whatever their order; and as a return looks at earlier events only, the matches of all
/// returns up to a time are those of the events up to that time.
public enum PurchaseMatching {
    /// The matches, by return and then in the order in which it takes.
    ///
    /// - Complexity: O(returns × purchases × log purchases).
    public static func matches(purchases: [Trade], returns: [Trade]) -> [ReturnMatch] {
        var left = purchases.map { max(0, $0.quantity) }
        let newestFirst = purchases.indices.sorted { Trade.isBefore(purchases[$1], purchases[$0]) }
        var result: [ReturnMatch] = []
        for index in returns.indices.sorted(by: { Trade.isBefore(returns[$0], returns[$1]) }) {
            let taken = returns[index]
            var wanted = max(0, taken.quantity)
            let candidates = newestFirst.filter { left[$0] > 0 && purchases[$0].time <= taken.time }.enumerated().map { place, purchase in
                (rank: rank(of: purchases[purchase], left: left[purchase], for: taken), place: place, purchase: purchase)
            }
            for candidate in candidates.sorted(by: { ($0.rank, $0.place) < ($1.rank, $1.place) }) {
                if wanted == 0 { break }
                let pieces = min(wanted, left[candidate.purchase])
                left[candidate.purchase] -= pieces
                wanted -= pieces
                result.append(ReturnMatch(purchase: candidate.purchase, return: index, pieces: pieces))
            }
        }
        return result
    }

    /// 0 for the best match.
    private static func rank(of purchase: Trade, left: Int32, for taken: Trade) -> Int {
        if let named = taken.purchaseEventID, named.utf8.elementsEqual(purchase.eventID.utf8) { return 0 }
        let isSamePrice = taken.priceMicros != nil && taken.priceMicros == purchase.priceMicros && taken.currency == purchase.currency
        return 1 + (isSamePrice ? 0 : 2) + (left == taken.quantity ? 0 : 1)
    }
}

extension ItemDelta {
    /// What returns change of an item: nothing yet.
    ///
    /// - Parameter time: of an event of the item that was counted.
    public init(correcting itemID: String, at time: EventTime) {
        self.itemID = itemID
        firstTime = time
        lastTime = time
    }

    /// Takes pieces of a purchase that was counted back; the delta's numbers become negative. A purchase counts as one until its last
    /// piece is taken back.
    ///
    /// - Parameter isUndone: whether pieces that were taken back count again.
    public mutating func takeBack(_ pieces: Int32, of purchase: Trade, isUndone: Bool = false, rules: FeatureRules) {
        guard pieces > 0 else { return }
        let sign: Int64 = isUndone ? -1 : 1
        units = saturatingSum(units, -sign * Int64(pieces))
        if pieces >= purchase.quantity {
            purchases -= sign
            let (landmark, weight) = DecayedCount.weight(of: purchase.time, rules: rules)
            purchaseDecay.merge(DecayedCount(landmark: landmark, newest: -sign * weight, previous: 0))
        }
        if let currency = purchase.currency, let amount = purchase.amountMinor, let left = purchase.amountLeft(without: pieces) {
            revenue[currency] = saturatingSum(revenue[currency] ?? 0, sign * (left - amount))
        }
    }

    /// Whether nothing would change.
    public var changesNothing: Bool {
        purchases == 0 && units == 0 && purchaseDecay.newest == 0 && purchaseDecay.previous == 0
            && revenue.values.allSatisfy { $0 == 0 }
    }
}

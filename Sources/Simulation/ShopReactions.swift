import Interactions

extension Shop {
    /// What a user does with the items that they are shown: clicks, additions to the cart and purchases, in the order of time.
    ///
    /// The place s, from 0, is looked at with probability 1 / (s + 1)^``ShopConfiguration/examinationExponent``, and what was seen
    /// is clicked on by its utility. Items that the shop does not know are passed over.
    ///
    /// - Parameters:
    ///   - requestID: The answer in which the items came, which the events will carry.
    ///   - time: When the list is seen; the events follow within minutes.
    public mutating func react(
        userID: String, sessionID: String? = nil, shown itemIDs: [String], requestID: String? = nil, at time: EventTime
    ) -> [Interaction] {
        let taste = taste(of: userID)
        var events: [Interaction] = []
        var clock = time.milliseconds
        for (slot, itemID) in itemIDs.enumerated() {
            clock += 300 + Int64(random.below(1_200))
            let seen = random.unit() < exponential(-configuration.examinationExponent * logarithm(Double(slot + 1)))
            guard seen, let row = rows[itemID] else { continue }
            let wish = taste.utility(of: items[row], at: clock)
            let chance = Self.chance(wish - 3.4) * (owned.contains(Ownership(userID: userID, row: row)) ? 0.1 : 1)
            guard random.unit() < chance else { continue }
            follow(
                row, wish: wish, userID: userID, sessionID: sessionID, requestID: requestID, clock: &clock, events: &events)
        }
        return events
    }

    /// A user goes to something of their own accord, by search or from a bookmark: a click, and what follows.
    public mutating func spontaneous(userID: String, sessionID: String? = nil, at time: EventTime) -> [Interaction] {
        admitArrivals(until: time)
        let taste = taste(of: userID)
        var best: (row: Int, wish: Double)?
        for _ in 0..<6 {
            guard let row = browse(taste, at: time.milliseconds) else { continue }
            let wish = taste.utility(of: items[row], at: time.milliseconds) + random.normal()
            if wish > best?.wish ?? -.infinity { best = (row, wish) }
        }
        guard let best else { return [] }
        var events: [Interaction] = []
        var clock = time.milliseconds
        follow(
            best.row, wish: best.wish, userID: userID, sessionID: sessionID, requestID: nil, clock: &clock, events: &events)
        return events
    }

    /// An item that an ordinary shop would put before the user: something popular, from a category that they like, or new.
    mutating func browse(_ taste: Taste, at time: Int64) -> Int? {
        for _ in 0..<8 {
            let way = random.unit()
            let row: Int?
            if way < 0.45 {
                row = everything.draw(&random)
            } else if way < 0.9 {
                row = byCategory[likedCategory(taste)].draw(&random)
            } else {
                row = items.count - 1 - random.below(min(items.count, 100))
            }
            if let row, items[row].published <= time { return row }
        }
        return nil
    }

    private mutating func likedCategory(_ taste: Taste) -> Int {
        var wanted = random.unit() * taste.categories.reduce(0, +)
        for (category, liking) in taste.categories.enumerated() {
            wanted -= liking
            if wanted < 0 { return category }
        }
        return taste.categories.count - 1
    }

    /// A click, then perhaps the cart, then perhaps the purchase.
    private mutating func follow(
        _ row: Int, wish: Double, userID: String, sessionID: String?, requestID: String?, clock: inout Int64,
        events: inout [Interaction]
    ) {
        let item = items[row].record
        func event(_ type: InteractionType, _ shop: inout Shop) -> Interaction {
            shop.interaction(
                type, userID: userID, itemID: item.itemID, at: clock, sessionID: sessionID, requestID: requestID)
        }
        events.append(event(.click, &self))
        clock += 4_000 + Int64(random.below(40_000))
        guard random.unit() < 0.5 * Self.chance(wish - 2.5) else { return }
        events.append(event(.addToCart, &self))
        clock += 5_000 + Int64(random.below(60_000))
        guard random.unit() < 0.6 else { return }
        var purchase = event(.purchase, &self)
        purchase.quantity = random.unit() < 0.85 ? 1 : Int32(2 + random.below(3))
        purchase.priceMicros = item.priceMicros
        purchase.currency = item.currency
        // Prices are whole cents.
        purchase.amountMinor = item.priceMicros.map { $0 / 10_000 * Int64(purchase.quantity) }
        purchase.payloadHash = purchase.contentHash()
        events.append(purchase)
        owned.insert(Ownership(userID: userID, row: row))
    }

    /// The next event of this shop: ids and offsets count up.
    mutating func interaction(
        _ type: InteractionType, userID: String, itemID: String, at time: Int64, sessionID: String?, requestID: String?,
        slot: Int32? = nil
    ) -> Interaction {
        var interaction = Interaction(
            eventID: "sim\(String(seed, radix: 36))-\(eventCount)", type: type, userID: userID, itemID: itemID,
            time: EventTime(milliseconds: time), sessionID: sessionID, requestID: requestID, slot: slot,
            context: random.unit() < 0.6 ? "{\"device\":\"phone\"}" : "{\"device\":\"desktop\"}",
            position: Position(partition: Position.filePartition, offset: eventCount))
        interaction.payloadHash = interaction.contentHash()
        eventCount += 1
        return interaction
    }

    private static func chance(_ logit: Double) -> Double { 1 / (1 + exponential(-logit)) }
}

/// Who bought what.
struct Ownership: Hashable, Sendable {
    let userID: String
    let row: Int
}

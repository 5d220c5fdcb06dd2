import Features
import Interactions

extension FeatureWriter {
    /// Matches returns with purchases, once the rows of users are written: takes back what was counted of items, and notes in the
    /// histories what was given back.
    ///
    /// A return may come before its purchase, in another batch, or twice; of each pair that the events touch, all that the log holds is
    /// matched anew, and the difference to what was matched before is written. The rows of users are locked by now, so that one
    /// transaction at a time does so for a user.
    ///
    /// - Parameters:
    ///   - events: what was stored now.
    ///   - written: the rows of their users, which are put anew where they change.
    func matchReturns(
        among events: some Sequence<Interaction>, _ written: inout Written, _ connection: Connection
    ) throws(StoreError) -> ReturnTally {
        var tally = ReturnTally()
        var places: [String: Int] = [:]
        for (place, row) in written.users.enumerated() where row.returns > 0 { places[row.userID] = place }
        if places.isEmpty { return tally }
        var returning: Set<TradePair> = [], buying: Set<TradePair> = []
        for event in events where event.type == .return || event.type == .purchase && places[event.userID] != nil {
            let pair = TradePair(userID: event.userID, itemID: event.itemID)
            if event.type == .return { returning.insert(pair) } else { buying.insert(pair) }
        }
        returning.formUnion(try ReturnMatches.withReturns(buying.subtracting(returning).sorted(), connection))
        let pairs = returning.sorted()
        var outcomes: [String: [String: TradeOutcome]] = [:]
        for start in stride(from: 0, to: pairs.count, by: ReturnMatches.pairsPerStatementLimit) {
            let part = Array(pairs[start..<min(start + ReturnMatches.pairsPerStatementLimit, pairs.count)])
            tally += try match(part, &outcomes, connection)
        }
        var changed: [UserFeatureRow] = []
        for (userID, trades) in outcomes {
            guard let place = places[userID], written.users[place].note(trades) else { continue }
            changed.append(written.users[place])
        }
        if changed.isEmpty { return tally }
        changed.sort { $0.userID < $1.userID }
        let changedIDs = Set(changed.map(\.userID)), count = written.users.count
        written.users.removeAll { changedIDs.contains($0.userID) }
        _ = try update(changed, try connection.rowType(of: "user_features"), of: [], &written, connection)
        guard written.users.count == count else {
            throw StoreError(
                .serialization, isRetriable: true,
                "\(connection.place): rows of users changed under their lock — the batch is stored again")
        }
        return tally
    }

    /// Counts returns whose user is not kept: without a name they match no purchase, and nothing is taken back.
    static func countReturns(among events: some Sequence<Interaction>, _ connection: Connection) throws(StoreError) -> ReturnTally {
        var tallies: [String: ReturnTally] = [:]
        for event in events where event.type == .return {
            tallies[event.itemID, default: ReturnTally()].count(quantity: event.quantity, matched: 0)
        }
        return try add(tallies, connection)
    }

    /// Matches pairs anew. Returns what is now counted of them beyond what was.
    private func match(
        _ pairs: [TradePair], _ outcomes: inout [String: [String: TradeOutcome]], _ connection: Connection
    ) throws(StoreError) -> ReturnTally {
        let trades = try ReturnMatches.trades(of: pairs, connection)
        var items: [String: ItemDelta] = [:], tallies: [String: ReturnTally] = [:]
        var changed: [TradePair] = [], rows: [ReturnMatches.Row] = []
        for (pair, own) in zip(pairs, trades) {
            let matching = PairMatching(own)
            outcomes[pair.userID, default: [:]][pair.itemID] = matching.outcome
            tallies[pair.itemID, default: ReturnTally()] += matching.tally
            guard matching.isChanged else { continue }
            changed.append(pair)
            rows += matching.matches.map {
                ReturnMatches.Row(
                    pair: pair, purchase: own.purchases[$0.purchase], taken: own.returns[$0.return].trade, pieces: $0.pieces)
            }
            guard let time = own.purchases.first?.time ?? own.stored.first?.purchase.time else { continue }
            matching.correct(&items[pair.itemID, default: ItemDelta(correcting: pair.itemID, at: time)], own, rules)
        }
        if !changed.isEmpty { try ReturnMatches.replace(changed, by: rows, connection) }
        try Self.correct(items.values.filter { !$0.changesNothing }.sorted { $0.itemID < $1.itemID }, connection)
        return try Self.add(tallies.filter { $0.value != ReturnTally() }, connection)
    }

    /// Adds what returns change of items, whose rows this transaction wrote before.
    private static func correct(_ items: [ItemDelta], _ connection: Connection) throws(StoreError) {
        if items.isEmpty { return }
        try connection.run(
            """
            update item_features t set
                purchases = greatest(0, saturating_sum(t.purchases, n.purchases)), units = greatest(0, saturating_sum(t.units, n.units)),
                \(decayMerge("purchase"))
            from unnest($1::item_features[]) n where t.item_id = n.item_id
            """, itemParameter(items, try connection.rowType(of: "item_features")))
        try writeRevenue(items, connection)
    }

    /// Adds to `item_returns`. Returns the sum.
    private static func add(_ tallies: [String: ReturnTally], _ connection: Connection) throws(StoreError) -> ReturnTally {
        var sum = ReturnTally()
        let rows = tallies.sorted { $0.key < $1.key }
        if rows.isEmpty { return sum }
        for (_, tally) in rows { sum += tally }
        var values = Parameters()
        values.add(count: rows.count, text: { rows[$0].key })
        for field in [\ReturnTally.returns, \.pieces, \.partly, \.unmatched, \.unmatchedPieces] {
            values.add(count: rows.count) { rows[$0].value[keyPath: field] }
        }
        let sums = ReturnTally.fields.split(separator: ", ").map { "\($0) = saturating_sum(t.\($0), excluded.\($0))" }
        try connection.run(
            """
            insert into item_returns as t (item_id, \(ReturnTally.fields))
            select * from unnest($1::text[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[])
            on conflict (item_id) do update set \(sums.joined(separator: ", "))
            """, values)
        return sum
    }
}

/// The matches of one pair beside those that are stored.
private struct PairMatching {
    let matches: [ReturnMatch]
    let outcome: TradeOutcome
    /// What is counted beyond what was.
    let tally: ReturnTally
    /// Whether the matches are others than those that are stored.
    let isChanged: Bool
    /// By place among the purchases.
    private let taken: [Int32]

    init(_ trades: PairTrades) {
        matches = PurchaseMatching.matches(purchases: trades.purchases, returns: trades.returns.map(\.trade))
        var taken = [Int32](repeating: 0, count: trades.purchases.count), given = [Int32](repeating: 0, count: trades.returns.count)
        var stored: [Key: Int32] = [:], now: [Key: Int32] = [:], before: [Key.End: Int32] = [:]
        for match in matches {
            taken[match.purchase] += match.pieces
            given[match.return] += match.pieces
            let (purchase, back) = (trades.purchases[match.purchase], trades.returns[match.return].trade)
            now[Key(Key.End(purchase.time, purchase.eventID), Key.End(back.time, back.eventID))] = match.pieces
        }
        for match in trades.stored {
            let end = Key.End(match.returnTime, match.returnID)
            stored[Key(Key.End(match.purchase.time, match.purchase.eventID), end)] = match.pieces
            before[end, default: 0] += match.pieces
        }
        var tally = ReturnTally(), outcome = TradeOutcome()
        for (index, back) in trades.returns.enumerated() {
            tally.count(quantity: back.trade.quantity, matched: given[index])
            if back.isNew { continue }
            let known = before[Key.End(back.trade.time, back.trade.eventID)] ?? 0
            tally.count(quantity: back.trade.quantity, matched: known, times: -1)
        }
        // Beyond the limit there may be purchases that were not looked at.
        outcome.isBought = trades.purchases.count + trades.returns.count >= ReturnMatches.tradesPerPairLimit
        for (index, purchase) in trades.purchases.enumerated() {
            if taken[index] >= purchase.quantity {
                outcome.returned.insert(TradeOutcome.Place(purchase.time, purchase.position))
            } else {
                outcome.isBought = true
            }
        }
        self.taken = taken
        self.tally = tally
        self.outcome = outcome
        isChanged = stored != now
    }

    /// Puts what is taken back now in place of what was.
    func correct(_ item: inout ItemDelta, _ trades: PairTrades, _ rules: FeatureRules) {
        var before: [Key.End: (purchase: Trade, pieces: Int32)] = [:]
        for match in trades.stored {
            before[Key.End(match.purchase.time, match.purchase.eventID), default: (match.purchase, 0)].pieces += match.pieces
        }
        for (purchase, pieces) in before.values { item.takeBack(pieces, of: purchase, isUndone: true, rules: rules) }
        for (index, purchase) in trades.purchases.enumerated() { item.takeBack(taken[index], of: purchase, rules: rules) }
    }

    /// A match by the keys of its events.
    private struct Key: Hashable {
        struct End: Hashable {
            let time: EventTime
            let id: String

            init(_ time: EventTime, _ id: String) {
                self.time = time
                self.id = id
            }
        }

        let purchase: End
        let back: End

        init(_ purchase: End, _ back: End) {
            self.purchase = purchase
            self.back = back
        }
    }
}

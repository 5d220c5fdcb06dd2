import Features
import Interactions
import Testing

@Suite struct FeatureDeltaTests {
    let rules = FeatureRules(historyLimitEvents: 20)

    private func folded(_ events: some Sequence<Interaction>) -> FeatureDelta {
        var delta = FeatureDelta(rules: rules)
        delta.fold(events)
        return delta
    }

    private func bytes(_ delta: FeatureDelta) -> [String: [UInt8]] { delta.users.mapValues { $0.history.encoded() } }

    @Test(arguments: 1...20) func anyOrderAndAnyBatchesGiveTheSame(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let events = randomEvents(Int.random(in: 1...800, using: &random), seed: seed &* 977)
        let reference = folded(events)
        let referenceBytes = bytes(reference)
        for _ in 0..<5 {
            let shuffled = events.shuffled(using: &random)
            #expect(folded(shuffled) == reference)

            var parts: [FeatureDelta] = []
            var rest = shuffled[...]
            while !rest.isEmpty {
                let size = Int.random(in: 1...max(1, rest.count / 2), using: &random)
                parts.append(folded(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            parts.append(FeatureDelta(rules: rules))
            // Merges any two of them until one is left: every shape of tree, every order.
            while parts.count > 1 {
                let one = parts.remove(at: Int.random(in: parts.indices, using: &random))
                parts[Int.random(in: parts.indices, using: &random)].merge(one)
            }
            #expect(parts[0] == reference)
            #expect(bytes(parts[0]) == referenceBytes)
        }
    }

    @Test func countsAreTheObviousOnes() {
        let events = randomEvents(500, seed: 9)
        let delta = folded(events)
        for (userID, user) in delta.users {
            let own = events.filter { $0.userID == userID }
            #expect(user.userID == userID)
            #expect(user.impressions == own.filter { $0.type == .impression }.count)
            #expect(user.clicks == own.filter { $0.type == .click }.count)
            #expect(user.addToCarts == own.filter { $0.type == .addToCart }.count)
            #expect(user.purchases == own.filter { $0.type == .purchase }.count)
            #expect(user.returns == own.filter { $0.type == .return }.count)
            #expect(user.firstTime == own.map(\.time).min() && user.lastTime == own.map(\.time).max())
            #expect(user.last == own.map(\.position).max())
            let kept = own.filter { $0.type.isAct }
                .sorted { ($0.time, $0.position) < ($1.time, $1.position) }.suffix(20)
            #expect(user.history.entries.map(\.position) == kept.map(\.position))
            #expect(user.history.entries.map(\.itemID) == kept.map(\.itemID))
        }
        for (itemID, item) in delta.items {
            let own = events.filter { $0.itemID == itemID }
            let purchases = own.filter { $0.type == .purchase }
            #expect(item.clicks == own.filter { $0.type == .click }.count)
            #expect(item.impressions == own.filter { $0.type == .impression }.count)
            #expect(item.units == purchases.reduce(0) { $0 + Int64($1.quantity) })
            for currency in ["EUR", "USD", "JPY"] {
                let amounts = purchases.filter { $0.currency == currency }.compactMap(\.amountMinor)
                #expect(item.revenue[currency] == (amounts.isEmpty ? nil : amounts.reduce(0, +)))
            }
            #expect(item.firstTime == own.map(\.time).min() && item.lastTime == own.map(\.time).max())
        }
        #expect(delta.users.count == 7 && delta.items.count == 11)
    }

    @Test func sumsStopAtTheLargestNumber() {
        let events = (0..<3).map {
            Interaction(
                eventID: "e\($0)", type: .purchase, userID: "u", itemID: "i", time: EventTime(milliseconds: start),
                amountMinor: .max / 2, currency: "EUR", quantity: .max, position: Position(partition: 0, offset: Int64($0)))
        }
        #expect(folded(events).items["i"]?.revenue["EUR"] == .max)
    }

    @Test func removingAllLeavesNothing() {
        var delta = folded(randomEvents(50, seed: 4))
        #expect(!delta.isEmpty)
        delta.removeAll()
        #expect(delta == FeatureDelta(rules: rules) && delta.isEmpty)
    }
}

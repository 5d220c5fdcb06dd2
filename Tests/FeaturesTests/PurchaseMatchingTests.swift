import Features
import Interactions
import Testing

@Suite("Returns take purchases back")
struct PurchaseMatchingTests {
    private func trade(
        _ id: String, _ minute: Int64, _ quantity: Int32 = 1, price: Int64? = 1_000_000, naming purchase: String? = nil
    ) -> Trade {
        Trade(
            eventID: id, time: EventTime(milliseconds: start + minute * 60_000), position: Position(partition: 0, offset: minute),
            quantity: quantity, priceMicros: price, amountMinor: price.map { $0 / 10_000 * Int64(quantity) },
            currency: price.map { _ in "EUR" }, purchaseEventID: purchase)
    }

    private func taken(_ purchases: [Trade], _ returns: [Trade]) -> [String] {
        PurchaseMatching.matches(purchases: purchases, returns: returns).map {
            "\(returns[$0.return].eventID) takes \($0.pieces) of \(purchases[$0.purchase].eventID)"
        }
    }

    @Test("the newest purchase of the same unit price, then of the same quantity, then the newest")
    func order() {
        let bought = [trade("old", 0, 5), trade("dear", 1, 2, price: 3_000_000), trade("two", 2, 2), trade("new", 3, 7)]
        #expect(taken(bought, [trade("r", 9, 2)]) == ["r takes 2 of two"])
        #expect(taken(bought, [trade("r", 9, 3)]) == ["r takes 3 of new"])
        #expect(taken(bought, [trade("r", 9, 5)]) == ["r takes 5 of old"])
        #expect(taken(bought, [trade("r", 9, 2, price: 3_000_000)]) == ["r takes 2 of dear"])
        #expect(taken(bought, [trade("r", 9, 1, price: nil)]) == ["r takes 1 of new"])
        #expect(taken(bought, [trade("r", 9, 2, naming: "dear")]) == ["r takes 2 of dear"])
    }

    @Test("what one purchase does not have the next gives, and what is left over matches nothing")
    func more() {
        let bought = [trade("a", 0, 2), trade("b", 1, 3)]
        #expect(taken(bought, [trade("r", 9, 4)]) == ["r takes 3 of b", "r takes 1 of a"])
        #expect(taken(bought, [trade("r", 9, 9)]) == ["r takes 3 of b", "r takes 2 of a"])
        #expect(taken(bought, [trade("r", 8, 4), trade("s", 9, 4)]) == ["r takes 3 of b", "r takes 1 of a", "s takes 1 of a"])
        #expect(taken([], [trade("r", 9)]).isEmpty && taken(bought, []).isEmpty)
    }

    @Test("what was bought later is not what came back; at the same moment it may be")
    func later() {
        #expect(taken([trade("a", 5)], [trade("r", 4)]).isEmpty)
        #expect(taken([trade("a", 5)], [trade("r", 5)]) == ["r takes 1 of a"])
        #expect(taken([trade("a", 5), trade("b", 6)], [trade("r", 5, 2)]) == ["r takes 1 of a"])
    }

    @Test("any order gives the same matches, and those up to a time are those of the events up to it", arguments: 1...20)
    func anyOrder(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func some(_ letter: String, _ count: Int) -> [Trade] {
            (0..<count).map {
                trade(
                    "\(letter)\($0)", Int64.random(in: 0..<30, using: &random), Int32.random(in: 1...4, using: &random),
                    price: [1_000_000, 2_000_000, nil].randomElement(using: &random)!)
            }
        }
        let (bought, back) = (some("p", 12), some("r", 8))
        let expected = Set(taken(bought, back))
        #expect(Set(taken(bought.shuffled(using: &random), back.shuffled(using: &random))) == expected)
        let border = EventTime(milliseconds: start + 15 * 60_000)
        let early = Set(back.filter { $0.time <= border }.map(\.eventID))
        let upTo = Set(taken(bought.filter { $0.time <= border }, back.filter { $0.time <= border }))
        #expect(upTo == expected.filter { match in early.contains(String(match.prefix(while: { $0 != " " }))) })
        for purchase in bought {
            let pieces = PurchaseMatching.matches(purchases: bought, returns: back)
                .filter { bought[$0.purchase].eventID == purchase.eventID }.reduce(0) { $0 + $1.pieces }
            #expect(pieces <= purchase.quantity)
        }
    }

    @Test("what is taken back counts no more, bit for bit, and counts again where that is undone")
    func counts() {
        let rules = FeatureRules()
        func purchase(_ id: String, _ minute: Int64, _ quantity: Int32) -> Interaction {
            Interaction(
                eventID: id, type: .purchase, userID: "u", itemID: "i", time: EventTime(milliseconds: start + minute * 60_000),
                priceMicros: 333_000, amountMinor: Int64(quantity) * 333 / 10, currency: "EUR", quantity: quantity,
                position: Position(partition: 0, offset: minute))
        }
        func item(_ events: [Interaction]) throws -> ItemDelta {
            var delta = FeatureDelta(rules: rules)
            delta.fold(events)
            return try #require(delta.items["i"])
        }
        let events = [purchase("a", 0, 3), purchase("b", 90_000, 5)]
        func asTrade(_ event: Interaction) -> Trade {
            Trade(
                eventID: event.eventID, time: event.time, position: event.position, quantity: event.quantity,
                priceMicros: event.priceMicros, amountMinor: event.amountMinor, currency: event.currency)
        }
        do {
            var both = try item(events)
            let only = try item([events[1]])
            var correction = ItemDelta(correcting: "i", at: events[0].time)
            correction.takeBack(3, of: asTrade(events[0]), rules: rules)
            both.merge(correction)
            #expect(both.purchases == 1 && both.units == 5 && both.revenue == only.revenue && both.purchaseDecay == only.purchaseDecay)
            both.merge(correction)
            correction = ItemDelta(correcting: "i", at: events[0].time)
            correction.takeBack(3, of: asTrade(events[0]), isUndone: true, rules: rules)
            both.merge(correction)
            #expect(both.purchases == 1)

            var partly = try item([events[1]])
            correction = ItemDelta(correcting: "i", at: events[1].time)
            correction.takeBack(2, of: asTrade(events[1]), rules: rules)
            partly.merge(correction)
            // 166 minor units for 5 pieces: 99.6 for the 3 that are kept.
            #expect(partly.purchases == 1 && partly.units == 3 && partly.revenue == ["EUR": 100])
            #expect(partly.purchaseDecay == only.purchaseDecay)
            #expect(!correction.changesNothing && ItemDelta(correcting: "i", at: events[1].time).changesNothing)
        } catch {
            Issue.record(error)
        }
    }

    @Test("a history keeps what was given back, marked, and leaves it out where it is asked what is kept")
    func history() {
        func entry(_ item: String, _ type: InteractionType, _ minute: Int64) -> HistoryEntry {
            HistoryEntry(
                itemID: item, type: type, time: EventTime(milliseconds: start + minute), position: Position(partition: 0, offset: minute))
        }
        var history = UserHistory(limit: 10)
        for one in [entry("a", .click, 0), entry("a", .purchase, 1), entry("b", .purchase, 2)] { history.insert(one) }
        history.note { $0.itemID == "a" ? true : nil }
        #expect(history.entries.map(\.isReturned) == [false, true, false])
        #expect(history.kept.entries.map(\.itemID) == ["a", "b"])
        #expect(UserHistory(decoding: history.encoded(), limit: 10) == history)
        history.note { $0.itemID == "a" ? false : nil }
        #expect(history.kept == history)
    }
}

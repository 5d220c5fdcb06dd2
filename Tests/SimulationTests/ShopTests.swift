import Interactions
import Simulation
import Testing

private let day: Int64 = 86_400_000

/// Opens in the middle of November 2026; small enough for a test, large enough for its statistics.
private let small = ShopConfiguration(
    users: 400, items: 800, categories: 8, newItemsPerDay: 48, lateCategoryDelayMilliseconds: 10 * day,
    lateCategoryItems: 25)

private func at(_ days: Double, _ configuration: ShopConfiguration = small) -> EventTime {
    EventTime(milliseconds: configuration.opening.milliseconds + Int64(days * Double(day)))
}

@Suite struct ShopTests {
    @Test func theSameSeedGivesTheSameLog() {
        func log(_ seed: UInt64) -> [Interaction] {
            var shop = Shop(configuration: small, seed: seed)
            return shop.history(events: 3_000, from: at(-20), to: at(0))
        }
        #expect(log(7) == log(7))
        #expect(log(7) != log(8))
        #expect(
            Shop(configuration: small, seed: 7).catalogue(openedBy: at(3))
                == Shop(configuration: small, seed: 7).catalogue(openedBy: at(3)))
        #expect(Shop(configuration: small, seed: 7).users() == Shop(configuration: small, seed: 7).users())
    }

    @Test func whatIsDrawnElsewhereDoesNotChangeTheCatalogue() {
        var busy = Shop(configuration: small, seed: 3)
        _ = busy.history(events: 500, from: at(-3), to: at(5))
        _ = busy.spontaneous(userID: "u1", at: at(6))
        #expect(busy.catalogue(openedBy: at(12)) == Shop(configuration: small, seed: 3).catalogue(openedBy: at(12)))
    }

    @Test func theLogIsInOrderAndWithinBounds() {
        var shop = Shop(configuration: small, seed: 1)
        for (from, to) in [(-30.0, 0.0), (0.0, 0.2)] {
            let log = shop.history(events: 5_000, from: at(from), to: at(to))
            #expect(log.count == 5_000)
            #expect(zip(log, log.dropFirst()).allSatisfy { $0.time <= $1.time && $0.position < $1.position })
            #expect(log.allSatisfy { $0.time >= at(from) && $0.time <= at(to) })
            #expect(Set(log.map(\.eventID)).count == log.count)
            #expect(log.allSatisfy { $0.payloadHash == $0.contentHash() && $0.position.partition == -1 })
        }
        let next = shop.spontaneous(userID: "u1", at: at(1))
        #expect(next.first?.position.offset == 10_000)
        #expect(shop.history(events: 0, from: at(0), to: at(1)).isEmpty)
        #expect(shop.history(events: 10, from: at(2), to: at(2)).count == 10)
    }

    @Test func nobodyMeetsWhatIsNotPublished() {
        var shop = Shop(configuration: small, seed: 5)
        let log = shop.history(events: 20_000, from: at(-300), to: at(30))
        let published = Dictionary(
            uniqueKeysWithValues: shop.catalogue(openedBy: at(30)).map { ($0.itemID, $0.publishedAt!) })
        #expect(log.allSatisfy { published[$0.itemID]! <= $0.time })
        #expect(log.contains { published[$0.itemID]! > at(0) })
    }

    @Test func everyEventAndRecordIsValid() throws {
        var shop = Shop(configuration: ShopConfiguration(users: 50, items: 200, logsImpressions: true), seed: 2)
        let opening = ShopConfiguration().opening
        let log = shop.history(
            events: 3_000, from: EventTime(milliseconds: opening.milliseconds - day), to: opening)
        let decoder = RecordDecoder()
        func decoded<Value>(
            _ json: String, _ decode: (UnsafeRawBufferPointer, RecordOrigin) -> Result<Value, Rejection>, _ position: Position
        ) throws -> Value {
            try Array(json.utf8).withUnsafeBytes {
                try decode($0, RecordOrigin(source: "file:log", cluster: "", position: position)).get()
            }
        }
        for event in log {
            #expect(try decoded(event.json(), { decoder.interaction($0, origin: $1, now: opening) }, event.position) == event)
        }
        for item in shop.catalogue(openedBy: opening) {
            #expect(
                try decoded(
                    item.json(), { decoder.item($0, origin: $1, now: EventTime(milliseconds: .max)) }, Position(partition: -1, offset: 0))
                    == item)
            #expect(item.title != nil && item.description != nil && item.priceMicros! > 0)
        }
        for user in shop.users() {
            #expect(
                try decoded(
                    user.json(), { decoder.user($0, origin: $1, now: EventTime(milliseconds: .max)) }, Position(partition: -1, offset: 0))
                    == user)
        }
        #expect(Set(log.map(\.type)) == InteractionType.acts.union([.impression]))
        // An impression carries its answer and its place; what follows carries the answer.
        #expect(log.allSatisfy { $0.requestID != nil && ($0.type == .impression) == ($0.slot != nil) })
        let purchases = log.filter { $0.type == .purchase }
        #expect(purchases.allSatisfy { $0.amountMinor! == $0.priceMicros! / 10_000 * Int64($0.quantity) && $0.currency == "EUR" })
    }

    @Test func aTasteCanBeFound() {
        var shop = Shop(configuration: small, seed: 11)
        let log = shop.history(events: 20_000, from: at(-30), to: at(0)).filter { $0.type == .click }
        let category = Dictionary(uniqueKeysWithValues: shop.catalogue(openedBy: at(0)).map { ($0.itemID, $0.categories[0]) })
        var own = 0
        var byChance = 0.0
        for click in log {
            let favourite = shop.categoryTastes(userID: click.userID).max { $0.liking < $1.liking }!.category
            if category[click.itemID] == favourite { own += 1 }
            byChance += favourite == small.lateCategoryName ? 0 : 1 / 7.0
        }
        #expect(Double(own) > 2.5 * byChance, "\(own) of \(log.count), \(byChance) by chance")
    }

    @Test func utilityDecidesWhoClicks() {
        var shop = Shop(configuration: small, seed: 13)
        let items = shop.catalogue(openedBy: at(0)).map(\.itemID)
        var wanted = 0
        var unwanted = 0
        for user in 1...100 {
            let ranked = items.sorted {
                shop.utility(userID: "u\(user)", itemID: $0, at: at(0))! > shop.utility(userID: "u\(user)", itemID: $1, at: at(0))!
            }
            wanted += shop.react(userID: "u\(user)", shown: Array(ranked.prefix(10)), at: at(0)).filter { $0.type == .click }.count
            unwanted +=
                shop.react(userID: "u\(user)", shown: Array(ranked.suffix(10)), at: at(0)).filter { $0.type == .click }.count
        }
        #expect(wanted > 10 * max(1, unwanted), "\(wanted) and \(unwanted)")
        #expect(shop.utility(userID: "u1", itemID: "nothing", at: at(0)) == nil)
        #expect(shop.react(userID: "u1", shown: ["nothing"], at: at(0)).isEmpty)
        #expect(shop.utility(userID: "somebody else", itemID: "i1", at: at(0)) != nil)
    }

    @Test func theLongTailIsThere() {
        var shop = Shop(configuration: small, seed: 17)
        let log = shop.history(events: 30_000, from: at(-30), to: at(0))
        var counts = Dictionary(uniqueKeysWithValues: shop.catalogue(openedBy: at(0)).map { ($0.itemID, 0) })
        for click in log where click.type == .click { counts[click.itemID]! += 1 }
        let sorted = counts.values.sorted()
        let total = Double(sorted.reduce(0, +))
        let weighted = sorted.enumerated().reduce(0.0) { $0 + Double($1.offset + 1) * Double($1.element) }
        let count = Double(sorted.count)
        let gini = 2 * weighted / (count * total) - (count + 1) / count
        #expect((0.5...0.85).contains(gini), "\(gini)")
        #expect(Double(sorted.filter { $0 > 0 }.count) > 0.8 * count)
    }

    @Test func clicksFallWithThePlace() {
        var shop = Shop(configuration: small, seed: 19)
        let items = shop.catalogue(openedBy: at(0)).map(\.itemID)
        var random = SplitMix64(seed: 1)
        var bySlot = [Int](repeating: 0, count: 10)
        for _ in 0..<6_000 {
            let shown = Array(items.shuffled(using: &random).prefix(10))
            let userID = "u\(Int.random(in: 1...400, using: &random))"
            for click in shop.react(userID: userID, shown: shown, at: at(0)) where click.type == .click {
                bySlot[shown.firstIndex(of: click.itemID)!] += 1
            }
        }
        #expect(bySlot[0] > bySlot[2] && bySlot[2] > bySlot[5] && bySlot[5] > bySlot[9], "\(bySlot)")
        // 1 / 10^0.6 of the attention.
        let share = Double(bySlot[9]) / Double(bySlot[0])
        #expect((0.15...0.38).contains(share), "\(share)")
    }

    @Test func theLateCategoryOpensLate() {
        var shop = Shop(configuration: small, seed: 23)
        let late = small.lateCategoryName
        #expect(!shop.catalogue(openedBy: at(9.999)).contains { $0.categories.contains(late) })
        let opened = shop.catalogue(openedBy: at(10.1)).filter { $0.categories.contains(late) }
        #expect(opened.count >= 25)
        let log = shop.history(events: 4_000, from: at(0), to: at(9.9))
        let names = Set(opened.map(\.itemID))
        #expect(!log.contains { names.contains($0.itemID) })
        #expect(shop.history(events: 4_000, from: at(10.1), to: at(15)).contains { names.contains($0.itemID) })
        // Somebody will like it best.
        #expect(
            (1...400).contains { user in
                shop.categoryTastes(userID: "u\(user)").max { $0.liking < $1.liking }!.category == late
            })
    }

    @Test func arrivalsComeOnce() {
        var shop = Shop(configuration: small, seed: 29)
        #expect(shop.arrivals(at: at(0)).isEmpty)
        let first = shop.arrivals(at: at(1))
        #expect(first.count == 48)
        #expect(shop.arrivals(at: at(1)).isEmpty)
        _ = shop.shopper(nextAt: at(12))
        let more = shop.arrivals(at: at(12))
        #expect(more.count == 11 * 48 + 25)
        let all = shop.catalogue(openedBy: at(12)).map(\.itemID)
        #expect(all == (1...(800 + 12 * 48 + 25)).map { "i\($0)" })
        #expect(Array(all.suffix(first.count + more.count)) == (first + more).map(\.itemID))
        #expect(zip(more, more.dropFirst()).allSatisfy { $0.publishedAt! <= $1.publishedAt! })
    }

    @Test func visitorsDiffer() {
        var shop = Shop(configuration: small, seed: 31)
        let visits = (0..<4_000).map { shop.shopper(nextAt: at(Double($0) / 1_000)) }
        #expect(Set(visits.map(\.sessionID)).count == 4_000)
        let anonymous = visits.filter { $0.userID == "session:" + $0.sessionID }.count
        #expect((120...280).contains(anonymous))
        #expect(visits.allSatisfy { (1...8).contains($0.lists) })
        let counts = Dictionary(grouping: visits.filter { $0.userID.hasPrefix("u") }, by: \.userID).values.map(\.count).sorted()
        #expect(counts.last! > 4 * counts[counts.count / 2])
    }
}

@Suite struct SplitMix64Tests {
    /// The reference implementation's first outputs for seed 1234567.
    @Test func knownOutputs() {
        var random = SplitMix64(seed: 1_234_567)
        #expect(random.next() == 6_457_827_717_110_365_317)
        #expect(random.next() == 3_203_168_211_198_807_973)
        #expect(random.next() == 9_817_491_932_198_370_423)
    }

    @Test func streamsDiffer() {
        var one = SplitMix64(seed: 1, stream: 1, index: 1)
        var two = SplitMix64(seed: 1, stream: 1, index: 2)
        var three = SplitMix64(seed: 1, stream: 2, index: 1)
        #expect(Set([one.next(), two.next(), three.next()]).count == 3)
    }
}

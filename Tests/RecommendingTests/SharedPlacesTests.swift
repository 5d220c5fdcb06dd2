import Recommending
import Testing

@Suite("Places of a list under shares of kinds")
struct SharedPlacesTests {
    private static func kinds(_ places: [SharedPlaces.Place], _ all: [ItemKind]) -> [ItemKind] {
        places.compactMap { place in if case .ranked(let item) = place.source { all[item] } else { nil } }
    }

    /// Of kinds in any order so many that none runs out.
    private static func plenty(_ random: inout SeededRandom) -> [ItemKind] {
        ItemKind.allCases.flatMap { [ItemKind](repeating: $0, count: 220) }.shuffled(using: &random)
    }

    @Test("every beginning of a list keeps every share, whatever the shares, and each kind stays in its order")
    func everyBeginning() {
        var random = SeededRandom(state: 5)
        for trial in 0..<200 {
            // Three leasts of which the sum is at most 100, in every third trial just 100 with nothing to spare above them.
            let cuts = [Int.random(in: 0...100, using: &random), Int.random(in: 0...100, using: &random)].sorted()
            let isTight = trial % 3 == 0
            var leasts = [cuts[0], cuts[1] - cuts[0], 100 - cuts[1]]
            if !isTight { leasts = leasts.map { $0 * Int.random(in: 0...3, using: &random) / 3 } }
            let ranges = leasts.map { $0...(isTight ? $0 : Int.random(in: $0...100, using: &random)) }
            let shares = ListShares(repeats: ranges[0], discoveries: ranges[1], newItems: ranges[2])
            // At first the kinds that are asked for least are the best ranked.
            let all = trial % 2 == 0 ? Self.plenty(&random) : Self.plenty(&random).sorted { shares[$0].lowerBound < shares[$1].lowerBound }
            let places = SharedPlaces.filled(all, count: 210, shares: shares), found = Self.kinds(places, all)
            #expect(found.count == 210)
            for count in 1...210 {
                for kind in ItemKind.allCases {
                    let number = found.prefix(count).count { $0 == kind }
                    #expect(
                        number >= shares.least(kind, of: count) && number <= shares.most(kind, of: count),
                        "\(shares): \(number) \(kind) of \(count)")
                }
            }
            var last = [ItemKind: Int]()
            for place in places {
                guard case .ranked(let item) = place.source else { continue }
                #expect(last[all[item], default: -1] < item)
                last[all[item]] = item
            }
        }
    }

    @Test("what is asked for at least comes at the last place that keeps the promise, and says so")
    func lastPlace() {
        let all = [ItemKind](repeating: .repeat, count: 20) + [ItemKind](repeating: .discovery, count: 20)
        let places = SharedPlaces.filled(all, count: 10, shares: ListShares(discoveries: 20...100))
        #expect(Self.kinds(places, all).enumerated().filter { $1 == .discovery }.map(\.offset) == [4, 9])
        #expect(places.map(\.cause).enumerated().filter { $1 != nil }.map(\.offset) == [4, 9])
        #expect(places[4].cause == .due(.discovery) && places[4].best == 4)
        // What is bounded from above leaves its places to others, whose words say that.
        let bounded = SharedPlaces.filled(all, count: 4, shares: ListShares(repeats: 0...50))
        #expect(Self.kinds(bounded, all) == [.repeat, .discovery, .repeat, .discovery])
        #expect(bounded[1].cause == .enough(.repeat) && bounded[0].cause == nil && bounded[2].cause == nil)
        #expect(ShareCause.due(.new).words == "here by the shop's share of new items")
    }

    @Test("none and all of a kind, one place, one kind, nothing")
    func ends() {
        let all: [ItemKind] = [.repeat, .repeat, .familiar, .new, .repeat]
        func order(_ shares: ListShares, _ count: Int) -> [ItemKind] {
            Self.kinds(SharedPlaces.filled(all, count: count, shares: shares), all)
        }
        #expect(order(ListShares(repeats: 0...0), 2) == [.familiar, .new])
        // Where a kind runs out, and where only what is not wanted is left, the others fill.
        #expect(order(ListShares(repeats: 0...0), 5) == [.familiar, .new, .repeat, .repeat, .repeat])
        #expect(order(ListShares(newItems: 100...100), 5) == [.new, .repeat, .repeat, .familiar, .repeat])
        #expect(order(ListShares(discoveries: 50...100), 5) == all)
        #expect(order(ListShares(repeats: 0...50), 1) == [.repeat] && order(ListShares(newItems: 50...100), 1) == [.repeat])
        #expect(order(ListShares(newItems: 100...100), 1) == [.new])
        #expect(order(ListShares(repeats: 0...0, discoveries: 0...0, newItems: 0...0), 9).count == 5)
        #expect(SharedPlaces.filled([], count: 10, shares: ListShares(repeats: 10...20)).isEmpty)
        let repeats = [ItemKind](repeating: .repeat, count: 3)
        #expect(Self.kinds(SharedPlaces.filled(repeats, count: 3, shares: ListShares(repeats: 0...10)), repeats) == repeats)
        #expect(ListShares(repeats: -5...300) == ListShares() && !ListShares().isSet)
    }

    @Test("what wants a place gets the first that shares allow from there on, or none")
    func wishes() {
        let all = [ItemKind](repeating: .familiar, count: 20) + [ItemKind](repeating: .new, count: 20)
        let exact = SharedPlaces.filled(all, count: 10, shares: ListShares(newItems: 20...20), wishes: [(2, .new), (3, .new)])
        // A second new one may stand from the sixth place on.
        #expect(exact.enumerated().filter { $1.source == .wished(0) || $1.source == .wished(1) }.map(\.offset) == [2, 5])
        #expect(exact.count == 10 && !exact.contains { if case .ranked(let item) = $0.source { all[item] == .new } else { false } })
        let none = SharedPlaces.filled(all, count: 10, shares: ListShares(newItems: 0...0), wishes: [(2, .new)])
        #expect(!none.contains { $0.source == .wished(0) } && none.count == 10)
        let due = SharedPlaces.filled(
            [.repeat, .familiar, .repeat, .familiar], count: 4, shares: ListShares(repeats: 50...100), wishes: [(1, .new)])
        #expect(due.map(\.source) == [.ranked(0), .wished(0), .ranked(1), .ranked(2)])
    }
}

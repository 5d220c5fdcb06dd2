import CandidateRanking
import Testing

@Suite("Candidates without one kind of what is known of them")
struct SignalGroupTests {
    private let shop = CountedShop.made()

    private func values(_ user: CandidateSignals, _ row: Int32, without group: SignalGroup) -> (CandidateSignal) -> Float {
        var values = [Float](repeating: .nan, count: CandidateSignal.count)
        values.withUnsafeMutableBufferPointer { user.write([row], without: group, into: $0) }
        return { [values] in values[$0.rawValue] }
    }

    @Test("what is left out is as for somebody of whom it is not known, and everything else stays")
    func groups() {
        let user = CandidateSignals(shop.history(of: 3, now: 130), tables: shop.tables())
        // Item 5 of the user's own, and 21, which nobody ever took.
        let own = shop.lines.first { $0.user == 3 }?.item ?? 0, full = user.values(own), never = user.values(21)
        for group in SignalGroup.allCases {
            let values = values(user, own, without: group)
            for signal in CandidateSignal.allCases where signal.group != group {
                // What is expected of a group is a sum in which the item's share of it counts, too.
                if group == .popularity, signal == .groupExpected || signal == .upperExpected { continue }
                #expect(values(signal) == full(signal), "\(signal) without \(group)")
            }
        }
        let stranger = values(user, own, without: .own), alone = values(user, own, without: .goesWith)
        let elsewhere = values(user, own, without: .category), usual = values(user, own, without: .popularity)
        #expect(full(.ownLines) > 0 && stranger(.ownLines) == 0 && stranger(.ownLastDays) == 999 && stranger(.ownOverdue) == -1)
        #expect(stranger(.ownAgainstItem) == never(.ownAgainstItem) && stranger(.groupOwnShare) == 0)
        #expect(full(.ease) != 0 || full(.followers) != 0)
        #expect(alone(.ease) == 0 && alone(.followers) == 0 && alone(.neighboursShare) == 0)
        #expect(full(.groupLines) > 0 && elsewhere(.groupLines) == 0 && elsewhere(.groupLastDays) == 999)
        // As popular as the one in the middle: the same for all, and above what nobody takes.
        #expect(usual(.users) == values(user, 7, without: .popularity)(.users) && usual(.users) > 0)
    }

    @Test("what each item of the history leads to adds up to all that leads there")
    func sources() {
        var history = shop.history(of: 2, now: 130)
        history = CandidateHistory(
            rows: Array(history.rows.suffix(6)), times: Array(history.times.suffix(6)), amounts: Array(history.amounts.suffix(6)),
            isPurchase: Array(history.isPurchase.suffix(6)), now: history.now)
        let user = CandidateSignals(history, tables: shop.tables())
        var found = 0
        for row in Int32(0)..<22 where !history.rows.contains(row) {
            let sources = user.sources(of: row), full = user.values(row)
            #expect(Set(sources.map(\.row)).isSubset(of: history.rows) && sources.count <= CandidateSignals.sourcesLimit)
            found += sources.count
            var values = [Float](repeating: .nan, count: sources.count * CandidateSignal.count)
            values.withUnsafeMutableBufferPointer { user.write(row, withoutEachOf: sources, into: $0) }
            for signal in [CandidateSignal.ease, .followers, .next, .neighbours] {
                let lost = sources.indices.reduce(Float(0)) { $0 + full(signal) - values[$1 * CandidateSignal.count + signal.rawValue] }
                #expect(abs(lost - full(signal)) < 1e-3 * max(1, abs(full(signal))), "\(signal) of \(row)")
            }
        }
        #expect(found > 0 && user.sources(of: 21).isEmpty && user.sources(of: -1).isEmpty)
    }

    @Test("facts are those that one counts by hand")
    func facts() {
        let shop = CountedShop(
            lines: [
                (0, 0, 50, 10), (0, 0, 95, 10), (1, 0, 60, 10), (1, 0, 97, 10), (2, 0, 70, 10), (2, 1, 96, 40), (3, 0, 20, 10),
                (3, 1, 99, 40),
            ], items: 3)
        let facts = CandidateSignals(shop.history(of: 0, now: 105), tables: shop.tables(end: 100)).facts(0)
        #expect(facts.ownTimes == 2 && facts.ownDays == 10 && facts.isBought && facts.users == 4 && facts.usersOf28Days == 2)
        #expect(facts.againDays.map { $0 > 30 && $0 < 50 } == true && facts.groupTimes == 0)
        let unknown = CandidateSignals(shop.history(of: 0, now: 105), tables: shop.tables(end: 100)).facts(-1)
        #expect(unknown.ownTimes == 0 && unknown.ownDays == nil && unknown.users == 0 && unknown.againDays == nil)
        // An order alone says nothing of days.
        let order = CandidateSignals(shop.history(of: 0, now: 105), tables: shop.tables(usesTimes: false)).facts(0)
        #expect(order.ownTimes == 2 && order.ownDays == nil && order.againDays == nil && order.usersOf28Days == nil && order.users == 4)
    }
}

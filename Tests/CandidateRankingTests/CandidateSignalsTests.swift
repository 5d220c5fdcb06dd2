import CandidateRanking
import Testing

@Suite("What counting says of candidates")
struct CandidateSignalsTests {
    private func isNear(_ left: Float, _ right: Float) -> Bool { abs(left - right) < 1e-4 * max(1, abs(right)) }

    @Test("a user's own counts, intervals and money are those that one counts by hand")
    func own() {
        let shop = CountedShop(
            lines: [(0, 0, 10.1, 500), (0, 0, 10.2, 700), (0, 1, 10.3, 0), (0, 0, 20.5, 600), (0, 2, 30.5, 100), (1, 0, 5, 90)], items: 4)
        let user = CandidateSignals(shop.history(of: 0, now: 40.5), tables: shop.tables())
        let first = user.values(0), never = user.values(3)
        #expect(first(.ownLines) == 3 && first(.ownVisits) == 2 && isNear(first(.ownLastDays), 20))
        // Visits are days of the calendar: 10, 20 and 30; the item's newest is the second from the end.
        #expect(first(.ownLastVisit) == 1 && isNear(first(.ownInterval), 10.4) && isNear(first(.ownOverdue), 20 / 10.4))
        #expect(isNear(first(.ownVisitShare), 2 / 3) && isNear(first(.ownByVisits), 0.64 + 0.8))
        #expect(isNear(first(.ownOf20Days), 1.198_58))
        #expect(first(.ownWorth) == 1_800 && first(.ownLineWorth) == 600 && first(.ownLastWorth) == 600)
        #expect(first(.ownPurchases) == 3 && isNear(first(.ownPurchaseDays), 20))
        #expect(user.values(1)(.ownPurchases) == 0 && user.values(1)(.ownPurchaseDays) == 999)
        #expect(never(.ownLines) == 0 && never(.ownLastDays) == 999 && never(.ownInterval) == -1 && never(.ownOverdue) == -1)
        #expect(first(.visits) == 3 && isNear(first(.lastDays), 10) && isNear(first(.visitInterval), 10.2))
        #expect(first(.distinctItems) == 3 && isNear(first(.basket), 4 / 3) && isNear(first(.repeatShare), 0.25))
        #expect(isNear(first(.lateRepeatShare), 0.25) && isNear(first(.worth), 475))
    }

    @Test("windows, rises and rates of items are those that one counts by hand")
    func items() {
        // Ten days of horizon before day 100: three had item 0 before and came back, two of them took it again; item 1 is new.
        let shop = CountedShop(
            lines: [
                (0, 0, 50, 10), (0, 0, 95, 10), (1, 0, 60, 10), (1, 0, 97, 10), (2, 0, 70, 10), (2, 1, 96, 40), (3, 0, 20, 10),
                (3, 1, 99, 40),
            ], items: 3)
        let user = CandidateSignals(shop.history(of: 0, now: 100), tables: shop.tables(end: 100))
        let item = user.values(0), new = user.values(1)
        #expect(item(.users) == 4 && item(.users7) == 2 && item(.users28) == 2 && item(.users112) == 4)
        #expect(new(.users7) == 2 && new(.users) == 2 && isNear(new(.itemLastDays), 1) && isNear(new(.itemFirstDays), 4))
        #expect(isNear(item(.itemLastDays), 3) && isNear(item(.itemFirstDays), 80))
        // All four came back: two of four, with ten users at the mean of 2 / 4 beside them.
        #expect(isNear(item(.rebuyRate), (2 + 10 * 0.5) / 14) && isNear(item(.ownRebuyRate), item(.rebuyRate)))
        #expect(new(.ownRebuyRate) == 0 && isNear(new(.takeRate), 2.3 / 4) && isNear(item(.takeRate), 0.3 / 4))
        #expect(new(.rise) > item(.rise) && new(.itemWorth) > item(.itemWorth))
        let nobody = user.values(2), beyond = user.values(9)
        #expect(nobody(.users) == 0 && nobody(.itemLastDays) == 999 && nobody(.itemFirstDays) == 999)
        #expect(CandidateSignal.allCases.allSatisfy { beyond($0) == nobody($0) })
    }

    @Test("links add up to what a plain sum over all of them gives, and the best of each kind are the largest")
    func links() {
        let shop = CountedShop.made(), tables = shop.tables(), history = shop.history(of: 3, now: 130)
        let user = CandidateSignals(history, tables: tables)
        for row in Int32(0)..<22 {
            let values = user.values(row), sums = tables.plainLinkSums(history, row)
            for (place, signal) in [
                CandidateSignal.ease, .easeOf60Days, .easeOfNewest, .followers, .newestFollowers, .next, .neighbours,
            ].enumerated() {
                #expect(isNear(values(signal), 100 * sums[place]), "\(signal) of \(row)")
            }
        }
        #expect((0..<22).map { user.values($0)(.followersShare) }.max() == 1)
        let all = user.candidates { _ in true }
        #expect(Set(all).count == all.count && Set(history.rows).isSubset(of: all))
        let some = user.candidates { $0 % 2 == 0 }
        #expect(!some.isEmpty && some.allSatisfy { $0 % 2 == 0 } && Set(some).isSubset(of: Set(all)))
    }

    @Test("groups say what the user did in them, on each level")
    func groups() {
        let shop = CountedShop.made(), user = CandidateSignals(shop.history(of: 1, now: 130), tables: shop.tables())
        let own = shop.lines.filter { $0.user == 1 }
        for row in Int32(0)..<20 {
            let values = user.values(row)
            #expect(values(.groupLines) == Float(own.count { $0.item / 5 == row / 5 }))
            #expect(values(.upperLines) == Float(own.count { $0.item / 10 == row / 10 }))
            #expect(values(.groupOwnShare) <= 1 && values(.upperShare) <= values(.groupShare))
        }
        let none = user.values(21)
        #expect(none(.groupLines) == 0 && none(.groupRebuyRate) == 0 && none(.upperShare) == 0)
    }

    @Test("where times are made up nothing that is read of them counts")
    func madeUp() {
        let shop = CountedShop.made(), user = CandidateSignals(shop.history(of: 1, now: 130), tables: shop.tables(usesTimes: false))
        let values = user.values(3)
        for signal in [CandidateSignal.ownOf20Days, .ownLastDays, .users7, .rise, .lastDays, .visits, .groupOf120Days] {
            #expect(values(signal) == 0, "\(signal)")
        }
        #expect(values(.users) > 0 && (0..<20).contains { user.values($0)(.ownLines) > 0 })
    }

    @Test("odd histories: none, unknown items, a time after the question, one instant for all, huge amounts")
    func odd() {
        let tables = CountedShop.made().tables()
        let histories = [
            CandidateHistory(rows: [], times: [], amounts: [], isPurchase: [], now: 0),
            CandidateHistory(rows: [-1, 400, 3], times: [5, 6, 7], amounts: [0, 0, .max], isPurchase: [true, false, true], now: .min),
            CandidateHistory(rows: [1, 1, 1], times: [.min, 0, .max], amounts: [-9, 0, .max], isPurchase: [true, true, true], now: .max),
            CandidateHistory(rows: [2, 3], times: [9, 9], amounts: [1, 1], isPurchase: [true, true], now: 3),
        ]
        for history in histories {
            let user = CandidateSignals(history, tables: tables), rows = user.candidates { _ in true }
            #expect(!rows.isEmpty && rows.allSatisfy { (0..<22).contains($0) })
            for row in rows + [-1, 21, 999] {
                for signal in CandidateSignal.allCases { #expect(user.values(row)(signal).isFinite, "\(signal)") }
            }
        }
        let empty = CountedShop(lines: [], items: 0).tables()
        #expect(CandidateSignals(histories[1], tables: empty).candidates { _ in true } == [])
        let alone = CountedShop(lines: [(0, 0, 1, 5)], items: 1)
        let user = CandidateSignals(alone.history(of: 0, now: 2), tables: alone.tables())
        #expect(user.candidates { _ in true } == [0] && user.values(0)(.ownLines) == 1)
    }

    @Test("under other row numbers the same items have the same signals, and new ones none")
    func renumbered() {
        let shop = CountedShop.made(), tables = shop.tables()
        // Item 5 is gone; the others are turned round behind three new ones.
        let rows = (0..<22).map { Int32($0 == 5 ? -1 : 24 - $0) }
        let turned = tables.renumbered(rows, itemCount: 25)
        var history = shop.history(of: 2, now: 130)
        let plain = CandidateSignals(history, tables: tables)
        #expect(!history.rows.contains(5))
        history.rows = history.rows.map { rows[Int($0)] }
        let other = CandidateSignals(history, tables: turned)
        for row in Int32(0)..<22 where row != 5 {
            for signal in CandidateSignal.allCases {
                #expect(isNear(other.values(rows[Int(row)])(signal), plain.values(row)(signal)), "\(signal) of \(row)")
            }
        }
        #expect(other.values(1)(.users) == 0 && other.values(1)(.itemLastDays) == 999 && other.values(19)(.users) == 0)
        #expect(Set(other.candidates { _ in true }).isSubset(of: Set(rows)))
    }

    @Test("tables are read as they were written, and a damaged part is refused in words")
    func coding() throws {
        let tables = CountedShop.made().tables(), part = tables.encoded()
        #expect(try CandidateTables(encoded: part) == tables)
        for place in part.tensors.indices {
            var less = part.tensors
            less.remove(at: place)
            #expect(throws: (any Error).self) { try CandidateTables(encoded: .init(tensors: less, texts: part.texts)) }
            for forged in part.tensors[place].forgeries {
                var other = part.tensors
                other[place] = forged
                // Whatever is accepted must be usable.
                guard let read = try? CandidateTables(encoded: .init(tensors: other, texts: part.texts)) else { continue }
                let user = CandidateSignals(CountedShop.made().history(of: 1, now: 130), tables: read)
                #expect(user.candidates { _ in true }.allSatisfy { $0 >= 0 && Int($0) < max(1, read.itemCount) })
            }
        }
    }
}

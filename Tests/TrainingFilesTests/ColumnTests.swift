import ContentModel
import Foundation
import Interactions
import Tensors
import Testing
import TowerTraining
import TrainingFiles

@Suite("Columns of what happened, sorted and numbered without a database")
struct ColumnTests {
    private func path(_ name: String) -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("freshet-\(name)-\(UUID().uuidString)").path
    }

    @Test("ids are numbered as they come and sorted by their bytes, many as well as few")
    func ids() {
        var table = IDTable()
        let ids = ["b", "a", "", "é", "a", "Z", "b"]
        #expect(ids.map { table.row(of: $0) } == [0, 1, 2, 3, 1, 4, 0])
        #expect(table.count == 5 && table.id(3) == "é" && table.id(2) == "")
        #expect(table.sortedRows() == [2, 4, 1, 0, 3])
        #expect(table.knownRow(of: "Z") == 4 && table.knownRow(of: "z") == nil)
        var large = IDTable()
        for number in 0..<5_000 { #expect(large.row(of: "id\(number)") == Int32(number)) }
        #expect(large.count == 5_000 && (0..<5_000).allSatisfy { large.knownRow(of: "id\($0)") == Int32($0) })
        #expect(large.id(4_999) == "id4999" && large.knownRow(of: "id5000") == nil)
    }

    @Test("interactions are handed over by user, each user's by time, place and item, under new rows")
    func sorter() throws {
        var random = SeededGenerator(seed: 5)
        let sorter = try EventSorter(path: path("sorter")), users = 7, items = 9
        let newUsers: [Int32] = [3, 6, 0, 1, 5, 2, 4], newItems: [Int32] = [8, 7, 6, 5, 4, 3, 2, 1, 0]
        var records: [EventRecord] = []
        for offset in 0..<500 {
            // One user has none, and many events share an instant.
            let record = EventRecord(
                time: Int64(random.next(below: 20)), offset: Int64(random.next(below: 3) == 0 ? 7 : offset),
                user: Int32(random.next(below: users - 1)), item: Int32(random.next(below: items)), partition: Int32(random.next(below: 2)),
                type: Int32(1 + random.next(below: 3)), amount: Int64(offset))
            records.append(record)
            try sorter.append(record)
        }
        #expect(sorter.count == 500)
        var wanted = [[EventRecord]](repeating: [], count: users)
        for var record in records {
            record.user = newUsers[Int(record.user)]
            record.item = newItems[Int(record.item)]
            wanted[Int(record.user)].append(record)
        }
        var starts = [0]
        for own in wanted { starts.append(starts[starts.count - 1] + own.count) }
        var visited: [Int] = []
        try sorter.forEachUser(starts: starts, users: newUsers, items: newItems) { user, events in
            visited.append(user)
            let expected = wanted[user].sorted {
                ($0.time, $0.offset, $0.partition, $0.item, $0.type) < ($1.time, $1.offset, $1.partition, $1.item, $1.type)
            }
            #expect(events.count == expected.count)
            for (event, own) in zip(events, expected) {
                #expect(event.time == own.time && event.offset == own.offset && event.partition == own.partition)
                #expect(event.item == own.item && event.type == own.type && event.user == Int32(user))
            }
        }
        #expect(visited == Array(0..<users) && wanted[4].isEmpty)
        try EventSorter(path: path("sorter")).forEachUser(starts: [0], users: [], items: []) { _, _ in Issue.record("there is nobody") }
    }

    @Test("the newest dislikes are kept, whatever the order in which they come, of whom and what the log knows")
    func declined() {
        func kept(_ order: [Int], limit: Int, users: [String] = ["u0", "u1", "u2"]) -> [Int64] {
            var declined = DeclinedItems(limitEntries: limit)
            for number in order {
                declined.add(user: "u\(number % 3)", item: "i\(number)", time: EventTime(milliseconds: Int64(number / 2)))
            }
            var known = IDTable(), items = IDTable(), columns = ImpressionColumns()
            for user in users { _ = known.row(of: user) }
            for number in 0..<40 { _ = items.row(of: "i\(number)") }
            declined.append(to: &columns, users: known, item: items.knownRow)
            #expect(columns.outcomes.allSatisfy { $0 == ImpressionColumns.declined } && columns.fit(users: users.count, items: 40))
            return columns.times.sorted()
        }
        #expect(kept(Array(0..<20), limit: 4) == [8, 8, 9, 9] && kept((0..<20).reversed(), limit: 4) == [8, 8, 9, 9])
        #expect(kept(Array(0..<3), limit: 10).count == 3 && kept(Array(0..<20), limit: 0).isEmpty)
        #expect(kept(Array(0..<6), limit: 6, users: ["u1"]).count == 2)
    }

    @Test("impressions are renumbered in the order of users and times; rows that are none are noticed")
    func impressions() {
        var shown = ImpressionColumns()
        for (user, item, time, outcome) in [(1, 0, 9, 0), (0, 1, 5, 4), (1, 1, 2, 1), (2, 0, 1, 0x80)] as [(Int32, Int32, Int64, UInt8)] {
            shown.append(user: user, item: item, time: time, outcomes: outcome, amount: 7)
        }
        let moved = shown.renumbered(users: [1, 0, -1], items: [5, 3])
        #expect(moved.users == [0, 0, 1] && moved.times == [2, 9, 5] && moved.items == [3, 5, 3] && moved.amounts == [7, 7, 7])
        #expect((0..<3).map { moved.isTaken($0) } == [true, false, true] && !shown.isTaken(3))
        #expect(shown.fit(users: 3, items: 2) && !shown.fit(users: 2, items: 2) && !shown.fit(users: 3, items: 1))
        shown.times.removeLast()
        #expect(!shown.fit(users: 3, items: 2))
    }

    private static let log = TrainingLog(
        userIDs: ["a", "b", "c"], itemIDs: ["x", "y", "z"], contents: ["X", "Y", "Z"].map { ItemContent(title: $0) },
        isHidden: [false, false, true], attributes: [["k=1"], [], ["k=2"]], userStarts: [0, 4, 4, 6], items: Column([0, 1, 0, 2, 2, 0]),
        types: Column([1, 3, 1, 1, 1, 1]), times: Column([1, 2, 2, 9, 4, 5]), newRows: [3, 5], amounts: Column([-1, 50, -1, -1, -1, -1]),
        impressions: ImpressionColumns())

    @Test("a log knows whose a row is, what comes after a time, and what a user takes from a row on")
    func log() {
        let log = Self.log
        #expect((0..<6).map { log.user(of: $0) } == [0, 0, 0, 0, 2, 2] && log.newestTime == 9 && log.count == 6)
        #expect([0, 2, 9].map { log.firstRow(of: 0, after: $0) } == [0, 3, 4] && log.firstRow(of: 1, after: 0) == 4)
        #expect(log.answers(of: 0, from: 1) == [1, 0, 2] && log.answers(of: 0, from: 1, where: { log.types[$0] == 1 }) == [1, 2])
        #expect(log.answers(of: 0, from: 0, limitEvents: 2) == [0, 1] && log.answers(of: 1, from: 4).isEmpty)
        #expect(log.isConsistent)
        var wrong = log
        wrong.newRows = [5, 3]
        #expect(!wrong.isConsistent)
        wrong = log
        wrong.times = Column([1, 3, 2, 9, 4, 5])
        #expect(!wrong.isConsistent)
        wrong = log
        wrong.items = Column([0, 1, 0, 3, 2, 0])
        #expect(!wrong.isConsistent)
    }

    @Test("a training set has the users and items that were met before the ends, under rows of its own")
    func trainingSet() throws {
        let file = path("columns"), set = try Self.log.trainingSet(until: [3, 4, 5], columnsAt: file)
        #expect(set.userIDs == ["a", "c"] && set.itemIDs == ["x", "y", "z"] && Array(set.userStarts) == [0, 3, 4])
        #expect(Array(set.items) == [0, 1, 0, 2] && Array(set.times) == [1, 2, 2, 4] && set.userAttributes == [["k=1"], ["k=2"]])
        let early = try Self.log.trainingSet(until: [2, 4, 4], columnsAt: file)
        #expect(early.itemIDs == ["x", "y"] && early.itemContents.map(\.title) == ["X", "Y"] && early.userIDs == ["a"])
        #expect(try Self.log.trainingSet(columnsAt: file).eventCount == 6)
        #expect(!FileManager.default.fileExists(atPath: file), "the name is gone at once")
        #expect(throws: TrainingFileFailure.self) { _ = try Self.log.trainingSet(columnsAt: "/nowhere/at/all/columns") }
    }

    @Test("what a watermark says of currencies is told, and what it left out is warned of")
    func amounts() throws {
        let whole = #"{"order_currency":"EUR","price_currency":"EUR","orders_with_amount":7,"orders_left_out":"","prices_left_out":""}"#
        let notes = try #require(AmountNotes(watermark: whole))
        #expect(notes.warning == nil && notes.lines.map(\.name) == ["orders with an amount"])
        let left = #"{"order_currency":"EUR","orders_with_amount":7,"orders_left_out":"3 in VND","prices_left_out":"2 in XAU"}"#
        let short = try #require(AmountNotes(watermark: left))
        #expect(short.warning?.contains("orders: 3 in VND; prices of items: 2 in XAU. Set currency.rates") == true)
        #expect(short.lines.count == 3 && short.orders == 7)
        #expect(AmountNotes(watermark: #"{"snapshot":"1:1:"}"#) == nil)
        let back = #"{"orders_left_out":"","returns":9,"returns_left_over":"2 of 9 returns match no purchase"}"#
        let returns = try #require(AmountNotes(watermark: back))
        #expect(returns.returns == 9 && returns.lines.map(\.name) == ["returns"] && notes.leftOverReturns.isEmpty)
        #expect(AmountNotes.prices(watermark: left, rates: nil) == nil && AmountNotes.orders(watermark: left, rates: nil) != nil)
        #expect([.nan, 1e300, -1e300, 2.9].map { wholeNumber($0) } == [0, .max, .min, 2])
    }
}

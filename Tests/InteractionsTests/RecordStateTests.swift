import Interactions
import Testing

@Suite("The newest of each field wins, in any order")
struct RecordStateTests {
    private typealias State = RecordState<ItemRecord>

    /// What a sender says of one item.
    private enum Said {
        case whole(ItemRecord, EventTime)
        case patch(RecordPatch<ItemRecord>, EventTime)
        case deleted(EventTime)

        var time: EventTime {
            switch self {
            case .whole(_, let time), .patch(_, let time), .deleted(let time): time
            }
        }
    }

    private static func time(_ minutesAgo: Int) -> EventTime { EventTime(milliseconds: testNow.milliseconds - Int64(minutesAgo) * 60_000) }

    private static func patch(_ fields: String) -> RecordPatch<ItemRecord> {
        guard case .success(.patch(let patch)) = RecordPatchTests.decode(#"{"item_id":"i1","patch":true,\#(fields)}"#) else {
            preconditionFailure("no patch: \(fields)")
        }
        return patch
    }

    private static func take(_ said: Said, into state: inout State) {
        switch said {
        case .whole(let record, let time): state.take(record, at: time, now: testNow)
        case .patch(let patch, let time): state.take(patch, at: time, now: testNow)
        case .deleted(let time): state.delete(at: time, now: testNow)
        }
    }

    /// One of each kind of change at times that differ.
    private static func madeUp(_ count: Int, _ numbers: inout SeededGenerator) -> [Said] {
        let times = (0..<count).map { time($0 * 7 + 1) }.shuffled(using: &numbers)
        return times.enumerated().map { number, time in
            switch Int.random(in: 0..<10, using: &numbers) {
            case 0, 1:
                let attributes = [nil, #"{"a":\#(number)}"#, #"{"a":1,"b":"\#(number)"}"#].randomElement(using: &numbers)!
                return .whole(
                    ItemRecord(itemID: "i1", title: "whole \(number)", priceMicros: Bool.random(using: &numbers) ? 7 : nil,
                        attributes: attributes, stock: Int32(number)), time)
            case 2: return .deleted(time)
            case 3: return .patch(patch(#""attributes":null"#), time)
            default:
                let fields = [
                    #""title":"patched \#(number)""#, #""price":\#(number)"#, #""price":null"#, #""currency":"CHF","stock":\#(number)"#,
                    #""hidden":true"#, #""attributes":{"a":"\#(number)"}"#, #""attributes":{"a":null,"c":\#(number)}"#,
                    #""attributes":{"b":null},"price":\#(number)"#,
                ]
                return .patch(patch(fields.randomElement(using: &numbers)!), time)
            }
        }
    }

    /// What is left of it all, told in the order of the times.
    private static func reference(_ said: [Said]) -> (record: ItemRecord?, waiting: Bool) {
        var record: ItemRecord?, loose = State(id: "i1"), isLoose = true
        for change in said.sorted(by: { $0.time < $1.time }) {
            switch change {
            case .whole(let whole, _): (record, isLoose) = (whole, false)
            case .deleted: (record, isLoose, loose) = (nil, true, State(id: "i1"))
            case .patch(let patch, let time):
                if isLoose { loose.take(patch, at: time, now: testNow) }
                guard var own = record else { continue }
                var state = State(id: "i1")
                state.take(own, at: time, now: testNow)
                state.take(patch, at: time, now: testNow)
                own = state.values
                record = own
            }
        }
        return (record, isLoose && loose.isWaiting)
    }

    @Test func anyOrderAnyBatchesAndAnyRepeatsGiveTheSameFields() {
        var numbers = SeededGenerator(seed: 15)
        for round in 0..<400 {
            let said = Self.madeUp(Int.random(in: 1...12, using: &numbers), &numbers)
            var inOrder = State(id: "i1")
            for change in said.sorted(by: { $0.time < $1.time }) { Self.take(change, into: &inOrder) }
            _ = inOrder.fill(with: "USD")
            let expected = Self.reference(said)
            #expect(inOrder.isWaiting == expected.waiting, "round \(round)")
            if let record = expected.record {
                #expect(inOrder.values.title == record.title && inOrder.values.attributes == record.attributes, "round \(round)")
                #expect(inOrder.values.stock == record.stock && inOrder.values.priceMicros == record.priceMicros, "round \(round)")
            }
            for _ in 0..<4 {
                // Batches that are merged afterwards, with changes that come twice.
                var state = State(id: "i1")
                let sent = (said + said.prefix(3)).shuffled(using: &numbers)
                let size = Int.random(in: 1...4, using: &numbers)
                for first in stride(from: 0, to: sent.count, by: size) {
                    var batch = State(id: "i1")
                    for change in sent[first..<min(first + size, sent.count)] { Self.take(change, into: &batch) }
                    state.merge(batch, now: testNow)
                }
                _ = state.fill(with: "USD")
                #expect(state.values == inOrder.values && state.base == inOrder.base && state.times == inOrder.times, "round \(round)")
            }
        }
    }

    @Test func timesGoThroughTheDatabaseAsText() {
        var numbers = SeededGenerator(seed: 16)
        for _ in 0..<200 {
            var state = State(id: "i1")
            for change in Self.madeUp(6, &numbers) { Self.take(change, into: &state) }
            _ = state.fill(with: "USD")
            #expect(FieldTimes(json: state.times.json(of: ItemRecord.self), of: ItemRecord.self) == state.times)
        }
        #expect(FieldTimes().json(of: ItemRecord.self) == nil, "a record that was never patched costs nothing")
    }

    @Test func whatTakesNoValuesTellsWhichFieldsChange() throws {
        let price = PatchedFields(place: try #require(ItemRecord.patchPlaces["price"]))
        var stored = State(
            stored: ItemRecord(itemID: "i1"), base: .record(Self.time(60)), times: FieldTimes(json: nil, of: ItemRecord.self))
        var later = State(id: "i1")
        later.take(Self.patch(#""price":5"#), at: Self.time(50), now: testNow)
        #expect(!later.needsAttributes)
        #expect(stored.merge(later, now: testNow) == price)
        #expect(stored.merge(later, now: testNow) == price, "of equal times the later arrival")
        var older = State(id: "i1")
        older.take(Self.patch(#""price":4"#), at: Self.time(55), now: testNow)
        #expect(stored.merge(older, now: testNow) == [])
        older.take(ItemRecord(itemID: "i1", title: "too old"), at: Self.time(70), now: testNow)
        #expect(stored.merge(older, now: testNow) == [])
    }

    @Test func ofEqualTimesAPatchIsNewerThanARecordAndADeletionNewerThanAPatch() {
        for isFirst in [true, false] {
            let whole = Said.whole(ItemRecord(itemID: "i1", title: "whole"), Self.time(5))
            let patch = Said.patch(Self.patch(#""title":"patched""#), Self.time(5))
            var state = State(id: "i1")
            for change in isFirst ? [whole, patch] : [patch, whole] { Self.take(change, into: &state) }
            #expect(state.values.title == "patched")
            var gone = State(id: "i1")
            for change in isFirst ? [.deleted(Self.time(5)), patch] : [patch, .deleted(Self.time(5))] { Self.take(change, into: &gone) }
            #expect(!gone.isWaiting && gone.base == .deleted(Self.time(5)))
        }
    }

    @Test func aClockAheadWinsOverNobodyForLong() {
        // Stored by an older program, or with a larger ingest.max_future_skew_seconds.
        var state = State(id: "i1")
        Self.take(.whole(ItemRecord(itemID: "i1", title: "whole"), Self.time(60)), into: &state)
        Self.take(.patch(Self.patch(#""title":"from tomorrow","attributes":{"a":1}"#), Self.time(-1_440)), into: &state)
        Self.take(.patch(Self.patch(#""title":"from now","attributes":{"a":2}"#), Self.time(0)), into: &state)
        #expect(state.values.title == "from now" && state.values.attributes == #"{"a":2}"#)
        // Minutes ahead are believed, and a deletion takes them with it.
        Self.take(.patch(Self.patch(#""title":"in two minutes""#), Self.time(-2)), into: &state)
        Self.take(.patch(Self.patch(#""title":"from now""#), Self.time(0)), into: &state)
        #expect(state.values.title == "in two minutes")
        Self.take(.deleted(Self.time(0)), into: &state)
        #expect(!state.isWaiting)
    }

    @Test func aPriceWithoutACurrencyHasTheDefaultOneWhateverTheOrder() {
        let said: [Said] = [
            .whole(ItemRecord(itemID: "i1", priceMicros: 1, currency: "EUR"), Self.time(30)),
            .whole(ItemRecord(itemID: "i1"), Self.time(20)),
            .patch(Self.patch(#""price":5"#), Self.time(10)),
        ]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            var state = State(id: "i1")
            for place in order {
                Self.take(said[place], into: &state)
                _ = state.fill(with: "USD")
                // As it comes back from the database.
                state = State(stored: state.values, base: state.base, times: state.times)
            }
            _ = state.fill(with: "USD")
            #expect(state.values.currency == "USD" && state.times.isFilled, "\(order)")
            state = State(stored: state.values, base: state.base, times: state.times)
            Self.take(.patch(Self.patch(#""price":null"#), Self.time(5)), into: &state)
            #expect(state.fill(with: "USD") && state.values.currency == nil, "\(order)")
        }
    }

    @Test func attributesStayWithinTheirBounds() {
        var state = State(id: "i1")
        Self.take(.whole(ItemRecord(itemID: "i1", attributes: #"{"a":1}"#), Self.time(60)), into: &state)
        for number in 0..<3 {
            let text = String(repeating: "x", count: 7_000)
            let patch = Self.patch(#""attributes":{"k\#(number)":"\#(text)"},"stock":\#(number)"#)
            Self.take(.patch(patch, Self.time(50 - number)), into: &state)
        }
        #expect(state.overflows && state.values.stock == 2)
        #expect(state.values.attributes?.utf8.count ?? 0 < State.attributesLimitBytes)
        #expect(state.times.membersCount == 2)
    }

    @Test func whatIsTooMuchIsToldOfEachByItself() {
        var state = State(id: "i1"), told: [Bool] = []
        for text in ["1", String(repeating: "7", count: 16_370), "2"] {
            Self.take(.patch(Self.patch(#""attributes":{"k\#(text.prefix(1))":"\#(text)"}"#), Self.time(5)), into: &state)
            told.append(state.takeOverflow())
        }
        #expect(told == [false, true, false] && state.values.attributes == #"{"k1":"1","k2":"2"}"#)
        // A late whole record is no patch: what was stated after it stays beside all that it holds.
        let long = String(repeating: "x", count: 20_000)
        Self.take(.whole(ItemRecord(itemID: "i1", attributes: #"{"long":"\#(long)"}"#), Self.time(9)), into: &state)
        #expect(!state.takeOverflow() && state.times.membersCount == 2)
        #expect(state.values.attributes?.utf8.count ?? 0 > 20_000)
    }

    @Test func ofEqualTimesOfARecordAndItsDeletionTheLaterArrivalCounts() {
        for isDeletedLast in [true, false] {
            var state = State(id: "i1")
            let whole = Said.whole(ItemRecord(itemID: "i1", title: "whole"), Self.time(5)), gone = Said.deleted(Self.time(5))
            for change in isDeletedLast ? [whole, gone] : [gone, whole] { Self.take(change, into: &state) }
            #expect(state.base == (isDeletedLast ? .deleted(Self.time(5)) : .record(Self.time(5))))
        }
    }
}

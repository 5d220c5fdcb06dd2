import Features
import Interactions
import Testing

@Suite struct UserHistoryTests {
    private func entries(_ count: Int, seed: UInt64) -> [HistoryEntry] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            var entry = HistoryEntry(
                itemID: ["i1", "i2", "ünïcode", "", String(repeating: "long", count: 40)].randomElement(using: &random)!,
                type: [.click, .addToCart, .purchase].randomElement(using: &random)!,
                time: EventTime(milliseconds: start + Int64.random(in: -50...50, using: &random) * 1_000),
                position: Position(
                    partition: Int32.random(in: -1...2, using: &random), offset: Int64.random(in: 0...99, using: &random)),
                amountMinor: [0, 0, 1, 1_299, .max].randomElement(using: &random)!,
                ratingHundredths: [nil, nil, 450, -100, 0, .max, .min].randomElement(using: &random)!)
            entry.isReturned = entry.type == .purchase && seed % 3 == 0 && Bool.random(using: &random)
            return entry
        }
    }

    private func history(_ entries: [HistoryEntry], limit: Int) -> UserHistory {
        var history = UserHistory(limit: limit)
        for entry in entries { history.insert(entry) }
        return history
    }

    @Test(arguments: 1...30) func isTheNewestOfASet(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let all = entries(Int.random(in: 0...300, using: &random), seed: seed)
        let limit = Int.random(in: 1...100, using: &random)
        var expected: [HistoryEntry] = []
        for entry in all.sorted() where expected.last != entry { expected.append(entry) }
        expected = Array(expected.suffix(limit))
        #expect(history(all, limit: limit).entries == expected)
        #expect(history(all.shuffled(using: &random) + all, limit: limit).entries == expected)
        let cut = all.isEmpty ? 0 : Int.random(in: 0...all.count, using: &random)
        var one = history(Array(all[..<cut]), limit: limit)
        let two = history(Array(all[cut...]), limit: limit)
        var other = two
        other.merge(one)
        one.merge(two)
        #expect(one.entries == expected && other == one)
    }

    @Test func offsetsDecideBetweenEqualTimes() {
        let time = EventTime(milliseconds: start)
        func entry(_ offset: Int64, _ item: String) -> HistoryEntry {
            HistoryEntry(itemID: item, type: .click, time: time, position: Position(partition: 0, offset: offset))
        }
        // As text "10" comes before "9".
        #expect(history([entry(10, "a"), entry(9, "b")], limit: 5).entries.map(\.itemID) == ["b", "a"])
    }

    @Test(arguments: 1...30) func bytesGiveTheHistoryBack(_ seed: UInt64) {
        let one = history(entries(Int(seed) * 10 - 10, seed: seed), limit: 200)
        let bytes = one.encoded()
        #expect(UserHistory(decoding: bytes, limit: 200) == one)
        #expect(UserHistory(decoding: AnyCollection(bytes), limit: 200) == one)
        #expect(bytes.withUnsafeBytes { UserHistory(decoding: $0, limit: 200) } == one)
        #expect(UserHistory(decoding: bytes, limit: 3)?.entries == Array(one.entries.suffix(3)))
    }

    @Test func extremes() {
        let extreme = history(
            [
                HistoryEntry(
                    itemID: "a", type: .purchase, time: EventTime(milliseconds: .min),
                    position: Position(partition: .min, offset: .max)),
                HistoryEntry(
                    itemID: "b", type: .click, time: EventTime(milliseconds: .max),
                    position: Position(partition: .max, offset: .min)),
            ], limit: 9)
        #expect(UserHistory(decoding: extreme.encoded(), limit: 9) == extreme)
        #expect(UserHistory(decoding: UserHistory(limit: 4).encoded(), limit: 4) == UserHistory(limit: 4))
    }

    @Test func aVersionedFirstByte() {
        let entry = HistoryEntry(
            itemID: "a", type: .purchase, time: EventTime(milliseconds: 5), position: Position(partition: 0, offset: 1))
        let bytes = history([entry], limit: 9).encoded()
        #expect(bytes[0] == 1, "a history without amounts has the bytes that it always had")
        var paid = entry
        paid.amountMinor = 250
        #expect(history([paid], limit: 9).encoded()[0] == 2)
        paid.ratingHundredths = 400
        #expect(history([paid], limit: 9).encoded()[0] == 3)
        #expect(UserHistory(decoding: history([paid], limit: 9).encoded(), limit: 9)?.entries == [paid])
        #expect(UserHistory(decoding: [2] + bytes.dropFirst(), limit: 9) == nil)
        #expect(UserHistory(decoding: [3] + bytes.dropFirst(), limit: 9) == nil)
        #expect(UserHistory(decoding: [UInt8](), limit: 9) == nil)
    }

    @Test func whatWasRatedLowCanBeLeftOut() {
        func entry(_ offset: Int64, rating: String?) -> HistoryEntry {
            HistoryEntry(
                Interaction(
                    eventID: "e", type: .click, userID: "u", itemID: "i\(offset)", time: EventTime(milliseconds: offset),
                    context: rating.map { "{\"device\":\"tv\",\"rating\":\($0)}" } ?? "{\"device\":\"\\u0072ating\"}",
                    position: Position(partition: 0, offset: offset)))
        }
        let all = history([entry(1, rating: "4"), entry(2, rating: "3.5"), entry(3, rating: nil), entry(4, rating: "\"2\"")], limit: 9)
        #expect(all.entries.map(\.ratingHundredths) == [400, 350, nil, 200])
        #expect(all.rated(from: 4).entries.map(\.itemID) == ["i1", "i3"])
        #expect(all.rated(from: 3.5).entries.map(\.itemID) == ["i1", "i2", "i3"])
        #expect(all.rated(from: 0) == all)
        #expect(UserHistory(decoding: all.encoded(), limit: 9) == all)
    }

    @Test func anyTruncationIsSeen() {
        let bytes = history(entries(60, seed: 2), limit: 50).encoded()
        for count in 0..<bytes.count { #expect(UserHistory(decoding: bytes.prefix(count), limit: 50) == nil) }
        #expect(UserHistory(decoding: bytes + [0], limit: 50) == nil)
    }

    @Test func anyHarmIsSeen() {
        let one = history(entries(60, seed: 3), limit: 50)
        let bytes = one.encoded()
        var random = SeededGenerator(seed: 8)
        for index in bytes.indices {
            for bit in 0..<8 {
                var harmed = bytes
                harmed[index] ^= 1 << UInt8(bit)
                #expect(UserHistory(decoding: harmed, limit: 50) == nil)
            }
        }
        for _ in 0..<20_000 {
            // Bytes that never were a history, and a right checksum would not save them from a trap.
            let count = Int.random(in: 0...60, using: &random)
            let noise = [UInt8(1)] + (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(UserHistory(decoding: noise, limit: 50) == nil)
        }
    }

    @Test func wellSummedNonsenseIsRefused() {
        var random = SeededGenerator(seed: 12)
        let bytes = history(entries(12, seed: 5), limit: 50).encoded()
        var accepted = 0
        for _ in 0..<20_000 {
            var body = Array(bytes.dropLast(4))
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                body[Int.random(in: 1..<body.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var hash = PayloadHash()
            body.withUnsafeBytes { hash.combine($0) }
            let sum = UInt32(truncatingIfNeeded: hash.value)
            let whole = body + [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: sum >> $0) }
            // What is accepted is a history in order, whatever it says.
            if let read = UserHistory(decoding: whole, limit: 50) {
                accepted += 1
                #expect(read.entries == read.entries.sorted())
            }
        }
        #expect(accepted > 0)
    }

    @Test func whatWasPaidKeepsItsCurrency() throws {
        var paid = HistoryEntry(
            itemID: "a", type: .purchase, time: EventTime(milliseconds: 5), position: Position(partition: 0, offset: 1),
            amountMinor: 1_000_000,
            ratingHundredths: 450, currency: CurrencyCode("VND"))
        var history = UserHistory(limit: 9)
        history.insert(paid)
        var bytes = history.encoded()
        #expect(bytes[0] == 4 && UserHistory(decoding: bytes, limit: 9) == history)
        let read = UserHistory(decoding: bytes, limit: 9)?.entries
        #expect(read == [paid] && read?[0].currency?.text == "VND")
        for place in bytes.indices {
            bytes[place] ^= 1
            #expect(UserHistory(decoding: bytes, limit: 9) == nil, "byte \(place)")
            bytes[place] ^= 1
        }
        // The order of entries that differ in the currency alone is total, and nothing paid has no currency.
        var other = paid
        other.currency = CurrencyCode("usd")
        #expect(paid != other && (paid < other) != (other < paid))
        paid.currency = nil
        #expect(paid < other)
        #expect(
            HistoryEntry(
                itemID: "a", type: .click, time: EventTime(milliseconds: 5), position: Position(partition: 0, offset: 1),
                currency: CurrencyCode("VND")
            ).currency == nil)
        for text in ["AAA", "ZZZ", "VND", "eur"] { #expect(CurrencyCode(text)?.text == text.uppercased()) }
        #expect(
            CurrencyCode("Euro") == nil && CurrencyCode("E1R") == nil && CurrencyCode(rawValue: 0) == nil
                && CurrencyCode(rawValue: 17_577) == nil)
    }
}

import Interactions
import Testing

@Suite("Arrays inside records become records of their own")
struct MappedLinesTests {
    private let orders = TopicMapping(
        kind: .events, each: .init(path: Mapped.path("lines")), conditions: [.init(path: Mapped.path("sku"), .isNoneOf(["shipping"]))],
        fields: [
            "event_id": Mapped.from("$.order"), "user_id": Mapped.from("$.who.id"), "item_id": Mapped.from("sku"),
            "type": FieldSource(otherwise: #""purchase""#), "timestamp": Mapped.from("$.at"), "quantity": Mapped.from("n"),
        ])

    @Test("an order's lines are purchases under the order's id and the line's place; what the order is given again counts once")
    func order() {
        let record = #"{"order":"o1","at":1790000000000,"who":{"id":"u"},"lines":[{"sku":"a","n":2},{"sku":"shipping"},{"sku":"b"}]}"#
        #expect(Mapped.all(orders, record) == [
            #"0: {"event_id":"o1/0","type":"purchase","user_id":"u","item_id":"a","timestamp":1790000000000,"quantity":2}"#,
            "1: left out",
            #"2: {"event_id":"o1/2","type":"purchase","user_id":"u","item_id":"b","timestamp":1790000000000}"#,
        ])
        let again = Mapped.decoded(orders, record).compactMap { try? $0.get() }
        #expect(again.map(\.eventID) == ["o1/0", "o1/2"])
        #expect(again.map(\.payloadHash) == Mapped.decoded(orders, record).compactMap { try? $0.get().payloadHash })
    }

    @Test("nothing stays from line to line, and the record may follow its lines")
    func apart() {
        let record = #"{"lines":[{"sku":"a","n":2},{"n":3},{"sku":"b"},7,null,[1],"x"],"order":9,"at":1790000000000,"who":{"id":"u"}}"#
        let found = Mapped.decoded(orders, record)
        #expect(found.map { try? $0.get().itemID } == ["a", nil, "b", nil, nil, nil, nil])
        #expect(found.compactMap(\.code) == [RejectionCode](repeating: .missingField, count: 5))
        #expect(found.compactMap { try? $0.get().quantity } == [2, 1])
    }

    @Test("a line's own id, whole lines, and lists of plain values")
    func ids() {
        var mapping = orders
        mapping.each?.id = Mapped.path("no")
        let record = #"{"order":"o","lines":[{"no":"x\"1","sku":"a"},{"no":7,"sku":"b"},{"sku":"c"},{"no":"","sku":"d"}]}"#
        #expect(Mapped.all(mapping, record) == [
            #"0: {"event_id":"o/x\"1","type":"purchase","item_id":"a"}"#, #"1: {"event_id":"o/7","type":"purchase","item_id":"b"}"#,
            "2: refused missing_field event_id", "3: refused missing_field event_id",
        ])
        mapping.each?.id = nil
        mapping.fields["event_id"]?.prefix = #"a"\"#
        #expect(Mapped.all(mapping, #"{"order":"o","lines":[{"sku":"a"}]}"#)
            == [#"0: {"event_id":"a\"\\o/0","type":"purchase","item_id":"a"}"#])
        let list = TopicMapping(
            kind: .items, each: .init(path: Mapped.path("feed.ids")),
            fields: ["item_id": Mapped.from("@"), "tags": Mapped.from("$.feed.tag")])
        #expect(Mapped.all(list, #"{"feed":{"tag":"t","ids":["a",7]}}"#)
            == [#"0: {"item_id":"a","tags":"t"}"#, #"1: {"item_id":7,"tags":"t"}"#])
        #expect(Mapped.all(list, #"{"feed":{"ids":"a"}}"#) == [#"0: {"item_id":"a"}"#])
    }

    @Test("lines of a record without an id, or with the id of another line, are refused: as one event they would count once")
    func withoutIDs() {
        let line = #""at":1790000000000,"who":{"id":"u"},"lines":[{"sku":"a"},{"sku":"shipping"},{"sku":"a"}]"#
        for record in ["{\(line)}", #"{"order":null,\#(line)}"#, #"{"order":"",\#(line)}"#] {
            let found = Mapped.all(orders, record)
            #expect(found == ["0: refused missing_field event_id", "1: left out", "2: refused missing_field event_id"], "\(record)")
        }
        var mapping = orders
        mapping.each?.id = Mapped.path("no")
        let found = Mapped.all(mapping, #"{"order":"o","lines":[{"no":1,"sku":"a"},{"no":2,"sku":"a"},{"no":1,"sku":"b"}]}"#)
        #expect(found.count == 3 && found.last == "2: refused out_of_range event_id")
        // The same number in the next record is another line's.
        #expect(Mapped.all(mapping, #"{"order":"p","lines":[{"no":1,"sku":"a"}]}"#) == [
            #"0: {"event_id":"p/1","type":"purchase","item_id":"a"}"#
        ])
    }

    @Test("a missing array is refused, an empty one says nothing, and one alone is the only line")
    func shapes() {
        #expect(Mapped.all(orders, #"{"order":"o"}"#) == ["refused missing_field lines"])
        #expect(Mapped.all(orders, #"{"order":"o","lines":null}"#) == ["refused missing_field lines"])
        #expect(Mapped.all(orders, #"{"order":"o","lines":[ ]}"#) == ["left out"])
        #expect(Mapped.all(orders, #"{"order":"o","lines":{"sku":"a"}}"#) == [#"0: {"event_id":"o/0","type":"purchase","item_id":"a"}"#])
        var whole = orders
        whole.conditions = [.init(path: Mapped.path("$.status"), .isOneOf(["paid"]))]
        #expect(Mapped.all(whole, #"{"order":"o"}"#) == ["left out"], "what does not count needs no lines")
    }

    @Test("lines are bounded, and so is all that is made of a record")
    func bounds() {
        let many = "[" + Array(repeating: "{}", count: RecordMapper.linesLimit + 1).joined(separator: ",") + "]"
        #expect(Mapped.all(orders, #"{"order":"o","lines":\#(many)}"#) == ["refused too_many_elements lines"])
        let most = "[" + Array(repeating: "0", count: RecordMapper.linesLimit).joined(separator: ",") + "]"
        #expect(Mapped.all(orders, #"{"order":"o","lines":\#(most)}"#).count == RecordMapper.linesLimit)
        var copied = orders
        copied.fields["context"] = Mapped.from("$")
        let rules = DecodingRules(maxRecordBytes: 4_096)
        let lines = Array(repeating: "{}", count: 1_000).joined(separator: ",")
        let found = Mapped.all(copied, #"{"order":"o","lines":[\#(lines)]}"#, rules: rules)
        #expect(found.count == 1_000)
        #expect(found.last == "999: refused too_large -")
    }

    @Test("an id that would be too long is a part of it and a hash of all of it")
    func longIDs() {
        let order = String(repeating: "é", count: 128)
        let record = #"{"order":"\#(order)","at":1790000000000,"who":{"id":"u"},"lines":[{"sku":"a"},{"sku":"b"}]}"#
        let ids = Mapped.decoded(orders, record).compactMap { try? $0.get().eventID }
        #expect(ids.count == 2 && Set(ids).count == 2)
        #expect(ids.allSatisfy { $0.utf8.count <= 256 })
    }

    @Test("what is refused is found by whom it is about: by the paths, and where it is cut by what looks like them")
    func names() {
        func user(_ record: String, _ mapping: TopicMapping) -> String? {
            withRaw(Array(record.utf8)) { RecordMapper(mapping, rules: DecodingRules()).user(in: $0) }
                .map { String(decoding: $0, as: UTF8.self) }
        }
        let record = #"{"id":"wrong","who":{"x":1,"id":"u\u00e91"},"lines":[]}"#
        #expect(user(record, orders) == "ué1")
        #expect(user(String(record.dropLast(3)), orders) == "ué1")
        var prefixed = orders
        prefixed.fields["user_id"]?.prefix = "a\"-"
        #expect(user(record, prefixed) == "a\"-ué1")
        #expect(user(#"{"id":"wrong"}"#, orders) == nil)
        var perLine = orders
        perLine.fields["user_id"] = Mapped.from("buyer")
        #expect(user(#"{"lines":[{"a":1},{"buyer":7}]}"#, perLine) == "7")
        #expect(user(#"{"lines":[{"a":1},{"buyer":"x"#, perLine) == "x")
        perLine.fields["user_id"] = nil
        perLine.fields["session_id"] = Mapped.from("$.s")
        #expect(user(#"{"s":"s1"}"#, perLine) == "session:s1")
        var timed = orders
        timed.fields["timestamp"]?.unit = .seconds
        let time = withRaw(Array(#"{"at":1790000000,"lines":7"#.utf8)) { RecordMapper(timed, rules: DecodingRules()).time(in: $0) }
        #expect(time?.milliseconds == 1_790_000_000_000)
    }
}

import Interactions
import Testing

/// What the members of a group say together.
@Suite struct ItemGroupTests {
    private func member(_ id: String, _ change: (inout ItemRecord) -> Void = { _ in }) -> ItemRecord {
        var record = ItemRecord(itemID: id, groupID: "g")
        change(&record)
        return record
    }

    @Test("words of the first, labels and attributes of all, the lowest price, hidden where all are")
    func merged() {
        let members = [
            member("a") {
                ($0.categories, $0.tags, $0.priceMicros, $0.currency) = (["shoes"], ["new"], 9, "EUR")
                ($0.attributes, $0.publishedAt, $0.hidden) = (#"{"brand":"Acme","sizes":["s",1]}"#, EventTime(milliseconds: 7), true)
            },
            member("b") {
                ($0.title, $0.categories, $0.priceMicros, $0.currency) = ("B", ["shoes", "men"], 5, "EUR")
                ($0.attributes, $0.embedding) = (#"{"brand":"Acme","sizes":[1,"l"],"sole":"flat"}"#, [1, 2])
            },
            member("c") { ($0.title, $0.priceMicros, $0.currency, $0.publishedAt) = ("C", 1, "USD", EventTime(milliseconds: 3)) },
        ]
        let merged = ItemGroup.merged(members, groupID: "g")
        #expect(merged.itemID == ItemGroup.unitID("g") && merged.groupID == "g" && merged.title == "B")
        #expect(merged.categories == ["shoes", "men"] && merged.tags == ["new"] && merged.priceMicros == 5 && merged.currency == "EUR")
        #expect(merged.attributes == #"{"brand":"Acme","sizes":["s",1,"l"],"sole":"flat"}"#)
        #expect(merged.embedding == [1, 2] && merged.publishedAt == EventTime(milliseconds: 3) && !merged.hidden)
        #expect(ItemGroup.merged(members.map { member in var member = member; member.hidden = true; return member }, groupID: "g").hidden)
    }

    @Test("a group's record is read again like any other, and no item can have its id")
    func ids() throws {
        let merged = ItemGroup.merged([member("a"), member("b")], groupID: "ü \"g\"")
        var line = merged.json()
        let origin = RecordOrigin(source: "", cluster: "", position: Position(partition: 0, offset: 0), recordTime: nil)
        let stored = line.withUTF8 {
            RecordDecoder(rules: .stored).item(UnsafeRawBufferPointer($0), origin: origin, now: EventTime(milliseconds: 0))
        }
        #expect(try stored.get().itemID == merged.itemID)
        let sent = line.withUTF8 { RecordDecoder().item(UnsafeRawBufferPointer($0), origin: origin, now: EventTime(milliseconds: 0)) }
        #expect(throws: Rejection.self) { try sent.get() }
    }

    @Test("what tells members apart")
    func traits() {
        let members = [#"{"brand":"Acme","Size":"M","fit":["slim"]}"#, #"{"brand":"Acme","Size":"L"}"#, nil].map { attributes in
            member("x") { $0.attributes = attributes }
        }
        #expect(ItemGroup.distinguishing(Array(members.prefix(2))) == [["size=m", "fit=slim"], ["size=l"]])
        #expect(ItemGroup.distinguishing(members)[2].isEmpty && ItemGroup.distinguishing([members[0]]) == [[]])
    }

    @Test("large groups cost what their bound says, and too many attributes are those of the first")
    func bounds() {
        let many = (0..<5_000).map { number in member("m\(number)") { $0.tags = ["t\(number)"] } }
        #expect(ItemGroup.merged(many, groupID: "g").tags.count == ItemGroup.describingMembersLimit)
        let wide = (0..<20).map { number in
            member("w\(number)") { $0.attributes = "{\"a\(number)\":\"" + String(repeating: "x", count: 16_000) + "\"}" }
        }
        #expect(ItemGroup.merged(wide, groupID: "g").attributes == wide[0].attributes)
    }

    @Test(
        "stock and times as records have them",
        arguments: [
            (#""stock":0"#, false), (#""stock":-3"#, false), (#""stock":7.0"#, true), (#""stock":null"#, true),
            (#""hidden":true,"stock":9"#, false),
            (#""available_from":1700000000001"#, false), (#""available_from":"2023-11-14T22:13:20Z""#, true),
            (#""available_until":1700000000000"#, false), (#""available_until":1700000000001"#, true),
            (#""available_from":1700000000001,"available_until":1700000000001"#, false), ("\"item_group_id\":7", true),
        ])
    func availability(fields: String, isAvailable: Bool) throws {
        var line = "{\"item_id\":\"i\",\(fields)}"
        let origin = RecordOrigin(source: "", cluster: "", position: Position(partition: 0, offset: 0), recordTime: nil)
        let now = EventTime(milliseconds: 1_700_000_000_000)
        func decoded(_ line: inout String) throws -> ItemRecord {
            try line.withUTF8 { RecordDecoder().item(UnsafeRawBufferPointer($0), origin: origin, now: now) }.get()
        }
        let record = try decoded(&line)
        #expect(record.isAvailable(at: now) == isAvailable)
        var again = record.json()
        #expect(try decoded(&again) == record)
    }

    @Test(arguments: [#""stock":1.5"#, #""stock":"many""#, #""stock":3000000000"#, #""available_from":"soon""#, #""item_group_id":[1]"#,
        #""available_from":1700000000009,"available_until":1700000000001"#, #""patch":true,"available_until":1,"available_from":2"#])
    func wrongFieldsAreRefusedByName(field: String) {
        var line = "{\"item_id\":\"i\",\(field)}"
        let origin = RecordOrigin(source: "", cluster: "", position: Position(partition: 0, offset: 0), recordTime: nil)
        let found = line.withUTF8 { RecordDecoder().item(UnsafeRawBufferPointer($0), origin: origin, now: EventTime(milliseconds: 0)) }
        guard case .failure(let rejection) = found else { Issue.record("was taken"); return }
        #expect(rejection.field.map { field.contains($0) } == true)
    }
}

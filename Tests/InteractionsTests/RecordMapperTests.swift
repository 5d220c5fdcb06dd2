import Interactions
import Testing

@Suite("Records of other shapes become Freshet's own")
struct RecordMapperTests {
    @Test("the documented example: nested names, words for types, microseconds, cents")
    func example() throws {
        var type = Mapped.from("name")
        type.words = ["view_item": #""click""#, "purchase": #""purchase""#]
        var time = Mapped.from("ts")
        time.unit = .microseconds
        var value = Mapped.from("price")
        value.isInMinorUnits = true
        let mapping = TopicMapping(
            kind: .events, conditions: [.init(path: Mapped.path("name"), .isOneOf(["view_item", "purchase"]))],
            fields: [
                "event_id": Mapped.from("id"), "user_id": Mapped.from("payload.user.id"), "item_id": Mapped.from("payload.sku"),
                "type": type, "timestamp": time, "value": value, "context.device": Mapped.from("payload.ua"),
            ])
        let payload = #"{"sku":"s1","user":{"id":"u1","x":[1]},"ua":"ph\"one"}"#
        let record = #"{"id":7,"name":"purchase","ts":1790000000123456,"price":1999,"payload":\#(payload)}"#
        let event = try #require(try? Mapped.decoded(mapping, record).first?.get())
        #expect(event.eventID == "7" && event.userID == "u1" && event.itemID == "s1" && event.type == .purchase)
        #expect(event.time.milliseconds == 1_790_000_000_123 && event.amountMinor == 1_999 && event.currency == "USD")
        #expect(event.context == #"{"device":"ph\"one"}"#)
        #expect(Mapped.all(mapping, #"{"name":"scroll","payload":7}"#) == ["left out"])
        #expect(Mapped.all(mapping, #"{"payload":7}"#) == ["left out"])
    }

    @Test("values are copied as they stand, escapes and all digits included, and what is absent is left out")
    func copies() {
        let mapping = Mapped.events(["context": Mapped.from("more"), "quantity": Mapped.from("n"), "currency": Mapped.from("c", "d")])
        #expect(Mapped.all(mapping, #"{\#(Mapped.plain), "more" : { "a" : [1, {"b":null}] },"n":3,"c":null,"d":"EUR"}"#)
            == [
                #"{"event_id":"e1","type":"click","user_id":"u1","item_id":"i1","timestamp":1790000000000,"currency":"EUR","quantity":3,"#
                    + #""context":{ "a" : [1, {"b":null}] }}"#
            ])
        #expect(Mapped.all(mapping, #"{"u":"\u0061\n","i":12345678901234567890}"#)
            == [#"{"user_id":"\u0061\n","item_id":12345678901234567890}"#])
        #expect(Mapped.all(mapping, "{}") == ["{}"])
        #expect(Mapped.all(mapping, #"{"u":"","i":null,"t":[],"n":"3"}"#) == [#"{"type":[],"quantity":3}"#])
    }

    @Test("keys may be escaped, long, of any letters and twice: the last value counts, whole")
    func keys() {
        let long = "a_name_of_more_than_eight_bytes"
        let mapping = TopicMapping(
            kind: .users, fields: ["user_id": Mapped.from("\(long).größe"), "attributes.x": Mapped.from("\(long).x")])
        #expect(Mapped.all(mapping, #"{"\#(long)":{"gr\u00f6\u00dfe":"u","x":1}}"#) == [#"{"user_id":"u","attributes":{"x":1}}"#])
        #expect(Mapped.all(mapping, #"{"\#(long)":{"größe":"u","x":1},"\#(long)":{"größe":"v"}}"#) == [#"{"user_id":"v"}"#])
        #expect(Mapped.all(mapping, #"{"\#(long)":{"größe":"u"},"\#(long)":null}"#) == ["{}"])
        #expect(Mapped.all(mapping, #"{"a_name_of_more_than_eight_bytez":{"größe":"u"}}"#) == ["{}"])
        #expect(Mapped.all(mapping, #"{"\u0061_name_of_more_than_eight_bytes":{"größe":"u","größe":"w"}}"#) == [#"{"user_id":"w"}"#])
    }

    @Test("elements of arrays by their place, whole objects, and paths that share a beginning")
    func elements() {
        let mapping = TopicMapping(
            kind: .items,
            fields: [
                "item_id": Mapped.from("ids[1]"), "title": Mapped.from("texts[0].de", "texts[0].en"), "tags": Mapped.from("ids"),
                "attributes": Mapped.from("$"),
            ])
        #expect(Mapped.all(mapping, #"{"ids":["a","b","c"],"texts":[{"en":"T"}]}"#)
            == [#"{"item_id":"b","title":"T","tags":["a","b","c"],"attributes":{"ids":["a","b","c"],"texts":[{"en":"T"}]}}"#])
        #expect(Mapped.all(mapping, #"{"ids":"a"}"#) == [#"{"tags":"a","attributes":{"ids":"a"}}"#])
    }

    @Test("constants, defaults, the first of several, words, prefixes")
    func sources() {
        var type = FieldSource(otherwise: #""purchase""#), currency = Mapped.from("c"), item = Mapped.from("i"), user = Mapped.from("u")
        currency.otherwise = #""EUR""#
        item.prefix = "shop\"1:"
        user.words = ["true": "\"yes\"", "1.50": "\"number\"", "é": "7"]
        let mapping = TopicMapping(kind: .events, fields: ["type": type, "currency": currency, "item_id": item, "user_id": user])
        #expect(Mapped.all(mapping, #"{"c":"","i":"a\"b","u":true}"#)
            == [#"{"type":"purchase","user_id":"yes","item_id":"shop\"1:a\"b","currency":"EUR"}"#])
        #expect(Mapped.all(mapping, #"{"c":"USD","i":42.0,"u":1.50}"#)
            == [#"{"type":"purchase","user_id":"number","item_id":"shop\"1:42","currency":"USD"}"#])
        #expect(Mapped.all(mapping, #"{"u":"\u00e9"}"#) == [#"{"type":"purchase","user_id":7,"currency":"EUR"}"#])
        #expect(Mapped.all(mapping, #"{"u":"other"}"#) == ["refused out_of_range user_id"])
        #expect(Mapped.all(mapping, #"{"u":[1]}"#) == ["refused out_of_range user_id"])
        type = Mapped.from("t")
        type.words = ["a": #""click""#]
        #expect(Mapped.all(TopicMapping(kind: .events, fields: ["type": type]), #"{"t":"b"}"#) == ["refused unknown_type type"])
    }

    @Test("conditions: one of, none of, there or not, all together; texts, numbers and truths as they are written")
    func conditions() {
        func left(_ test: TopicMapping.Condition.Test, _ record: String) -> Bool {
            let mapping = TopicMapping(kind: .users, conditions: [.init(path: Mapped.path("a.b"), test)], fields: [:])
            return Mapped.all(mapping, record) == ["left out"]
        }
        for value in [#""x""#, #""\u0078""#] { #expect(!left(.isOneOf(["y", "x"]), #"{"a":{"b":\#(value)}}"#)) }
        #expect(!left(.isOneOf(["7"]), #"{"a":{"b":7}}"#) && left(.isOneOf(["7"]), #"{"a":{"b":7.0}}"#))
        #expect(!left(.isOneOf(["true"]), #"{"a":{"b":true}}"#))
        for value in ["null", "[]", "{}", "\"\""] { #expect(left(.isOneOf(["x"]), #"{"a":{"b":\#(value)}}"#)) }
        #expect(left(.isOneOf(["x"]), #"{"a":3}"#) && left(.isOneOf(["x"]), "{}"))
        #expect(left(.isNoneOf(["x"]), #"{"a":{"b":"x"}}"#) && !left(.isNoneOf(["x"]), "{}"))
        #expect(!left(.isNoneOf(["x"]), #"{"a":{"b":null}}"#))
        #expect(left(.exists(true), #"{"a":{"b":null}}"#) && !left(.exists(true), #"{"a":{"b":{}}}"#))
        #expect(left(.exists(false), #"{"a":{"b":0}}"#) && !left(.exists(false), #"{"a":[]}"#))
        let both = TopicMapping(
            kind: .users, conditions: ["a", "b"].map { .init(path: Mapped.path($0), .exists(true)) }, fields: [:])
        #expect(Mapped.all(both, #"{"a":1}"#) == ["left out"] && Mapped.all(both, #"{"a":1,"b":2}"#) == ["{}"])
    }

    @Test("cents by the record's currency, to the last unit")
    func minorUnits() {
        var amount = Mapped.from("p")
        amount.isInMinorUnits = true
        let mapping = TopicMapping(kind: .events, fields: ["value": amount, "currency": Mapped.from("c")])
        func value(_ number: String, _ currency: String) -> String {
            Mapped.all(mapping, #"{"p":\#(number),"c":"\#(currency)"}"#).first?.split(separator: ",").first.map(String.init) ?? ""
        }
        #expect(value("1999", "eur") == #"{"value":19.99"# && value("1999", "JPY") == #"{"value":1999"#)
        #expect(value("1999", "KWD") == #"{"value":1.999"#)
        #expect(value("5", "EUR") == #"{"value":0.05"# && value("0", "EUR") == #"{"value":0"# && value("1e3", "EUR") == #"{"value":10"#)
        #expect(value(#""700""#, "EUR") == #"{"value":7"# && value("-5", "EUR") == #"{"value":-0.05"#)
        #expect(value("9223372036854775807", "EUR") == #"{"value":92233720368547758.07"#)
        for number in ["19.99", #""19,99""#, "true", "[1]", "99999999999999999999", "1e300"] {
            #expect(value(number, "EUR") == "refused wrong_type value", "\(number)")
        }
        #expect(Mapped.all(mapping, #"{"p":150}"#) == [#"{"value":1.5}"#])
        let price = Mapped.events(["value": Mapped.from("p")])
        let amounts = Mapped.decoded(price, #"{\#(Mapped.plain),"p":"19.99"}"#).map { try? $0.get().amountMinor }
        #expect(amounts == [1_999], "a number in quotes is one")
    }

    @Test("a reason names the field and the path that it is mapped from")
    func reasons() throws {
        let mapping = Mapped.events(["user_id": Mapped.from("a.b", "c")])
        guard case .failure(let missing)? = Mapped.decoded(mapping, #"{"id":"e","i":"i","t":"click","at":1}"#).first else {
            Issue.record("accepted")
            return
        }
        #expect(missing.code == .missingField && missing.field == "user_id" && missing.detail.hasSuffix("; mapped from a.b or c"))
        #expect(Mapped.all(mapping, "[1]") == ["refused not_an_object -"] && Mapped.all(mapping, "") == ["refused malformed_json -"])
        #expect(Mapped.all(mapping, #"{"a":{"b":"u"}"#) == ["refused malformed_json -"])
        #expect(Mapped.all(mapping, #"{"a":{"b":"u"}}}"#) == ["refused malformed_json -"])
        #expect(Mapped.all(mapping, #"{"other":01,"a":{"b":"u"}}"#) == ["refused malformed_json -"])
        let latin: [UInt8] = [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D]
        #expect(Mapped.all(RecordMapper(mapping, rules: DecodingRules()), latin) == ["refused invalid_utf8 -"])
        #expect(Mapped.all(mapping, "\u{FEFF}{}") == ["{}"])
    }

    @Test("levels and bytes are bounded as those of any record, on mapped ways and beside them")
    func bounds() {
        let mapping = Mapped.events(["context.x": Mapped.from(String(repeating: "a.", count: 20) + "a")])
        func nested(_ name: String, _ levels: Int) -> String {
            String(repeating: #"{"\#(name)":"#, count: levels) + "1" + String(repeating: "}", count: levels)
        }
        #expect(Mapped.all(mapping, nested("a", 16)) == ["{}"] && Mapped.all(mapping, nested("b", 16)) == ["{}"])
        for name in ["a", "b"] { #expect(Mapped.all(mapping, nested(name, 17)) == ["refused too_deep -"]) }
        let deep = DecodingRules(maxDepth: 64)
        #expect(Mapped.all(mapping, nested("a", 21), rules: deep) == [#"{"context":{"x":1}}"#])
        let small = DecodingRules(maxRecordBytes: 256)
        #expect(Mapped.all(mapping, #"{"z":"\#(String(repeating: "z", count: 249))"}"#, rules: small) == ["refused too_large -"])
    }
}

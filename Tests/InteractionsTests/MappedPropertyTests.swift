import Foundation
import FuzzInputs
import Interactions
import Testing

@Suite("Mapped records of any bytes")
struct MappedPropertyTests {
    /// A document of some levels in which names of a few letters stand at random, with what stands at `path` for a reader that keeps trees.
    private func document(_ random: inout SeededGenerator, _ depth: Int = 0) -> String {
        let space = ["", " ", "\n\t"].randomElement(using: &random)!
        switch Int.random(in: 0..<(depth > 4 ? 5 : 9), using: &random) {
        case 0: return "\(space)\(Int.random(in: -99...99, using: &random))"
        case 1: return "null"
        case 2: return #""x\u00e9\"y""#
        case 3: return "true"
        case 4: return "\"\""
        case 5, 6, 7:
            let members = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                let name = [#""a""#, #""b""#, #""c""#, #""\u0061""#, #""abcdefghij""#, #""abcdefghik""#].randomElement(using: &random)!
                return "\(name)\(space):\(document(&random, depth + 1))"
            }
            return "{" + members.joined(separator: "\(space),") + "}"
        default:
            return "[" + (0..<Int.random(in: 0...3, using: &random)).map { _ in document(&random, depth + 1) }.joined(separator: ",") + "]"
        }
    }

    /// The value at a path by Foundation, as sorted JSON text; of a name that stands twice its parser takes one value only, so that such
    /// documents are left to the other tests.
    private func reference(_ root: Any, _ path: RecordPath) -> String? {
        var value: Any? = root
        for step in path.steps {
            switch step {
            case .member(let name): value = (value as? [String: Any])?[name]
            case .element(let number):
                let array = value as? [Any] ?? []
                value = number < array.count ? array[number] : nil
            }
        }
        guard let value, !(value is NSNull), value as? String != "" else { return nil }
        return Self.text(value)
    }

    private static func text(_ value: Any) -> String? {
        (try? JSONSerialization.data(withJSONObject: [value], options: [.sortedKeys])).map { String(decoding: $0, as: UTF8.self) }
    }

    private func hasTwins(_ text: String) -> Bool {
        // The order of keys and their number tell, once spaces and escapes are out: a tree that is written again is shorter.
        guard let tree = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed),
            let again = try? JSONSerialization.data(withJSONObject: tree, options: .fragmentsAllowed)
        else { return true }
        return text.utf8.count { $0 == UInt8(ascii: ":") } != again.count { $0 == UInt8(ascii: ":") }
    }

    @Test("what stands at paths is what a reader of whole trees finds there")
    func paths() throws {
        let paths = ["a", "a.b", "a.b.c", "b[0]", "b[1].a", "abcdefghij", "abcdefghik.a", "c.a[0][1]", "$", "c"].map(Mapped.path)
        let fields = Dictionary(uniqueKeysWithValues: paths.enumerated().map { ("attributes.p\($0)", FieldSource(paths: [$1])) })
        let mapper = RecordMapper(TopicMapping(kind: .users, fields: fields), rules: DecodingRules())
        var random = SeededGenerator(seed: 17), compared = 0, found = 0
        while compared < 600 {
            let record = document(&random)
            guard record.hasPrefix("{"), !hasTwins(record) else { continue }
            compared += 1
            let tree = try JSONSerialization.jsonObject(with: Data(record.utf8))
            let own = try #require(Mapped.all(mapper, Array(record.utf8)).first)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(own.utf8)) as? [String: Any], "\(own) of \(record)")
            let attributes = object["attributes"] as? [String: Any] ?? [:]
            for (number, path) in paths.enumerated() {
                let expected = reference(tree, path)
                #expect(attributes["p\(number)"].flatMap(Self.text) == expected, "\(path) of \(record)")
                if expected != nil { found += 1 }
            }
        }
        #expect(found > 600)
    }

    @Test("no bytes trap it, and what comes out is JSON that the decoder reads or refuses")
    func fuzz() async {
        let lines = TopicMapping(
            kind: .events, each: .init(path: Mapped.path("lines"), id: Mapped.path("no")),
            conditions: [.init(path: Mapped.path("sku"), .exists(true))],
            fields: [
                "event_id": Mapped.from("$.event_id"), "user_id": Mapped.from("$.user_id"), "type": Mapped.from("$.type"),
                "item_id": Mapped.from("sku"), "timestamp": Mapped.from("$.timestamp"),
            ])
        var plain = Mapped.events([
            "user_id": Mapped.from("user_id", "session_id"), "item_id": Mapped.from("item_id"), "type": Mapped.from("type"),
        ])
        var value = Mapped.from("value")
        value.isInMinorUnits = true
        var time = Mapped.from("timestamp")
        time.unit = .microseconds
        plain.fields["value"] = value
        plain.fields["timestamp"] = time
        for name in ["currency", "context"] { plain.fields[name] = Mapped.from(name) }
        let rules = DecodingRules(maxRecordBytes: 65_536), decoder = RecordDecoder(rules: rules)
        var same = plain
        for name in ["event_id", "timestamp", "value"] { same.fields[name] = Mapped.from(name) }
        let mappers = [lines, plain, same].map { RecordMapper($0, rules: rules) }
        let report = await FuzzDoor("mapped records", short: 1_000, long: 2_000_000).run { source, index in
            var bytes = source.anyRecord(.events)
            if index % 3 == 0 {
                bytes = Array(#"{"lines":["#.utf8) + bytes + Array(#",{"sku":"a","no":1}],"event_id":"e","user_id":"u"}"#.utf8)
            }
            if index % 5 == 0 { source.mutate(&bytes, times: 3) }
            var isAccepted = false
            withRaw(bytes) { raw in
                for mapper in mappers {
                    do throws(Rejection) {
                        try mapper.map(raw) { _, outcome in
                            guard case .record(let own) = outcome else { return }
                            switch decoder.interaction(own, origin: kafkaOrigin, now: testNow) {
                            case .success: isAccepted = true
                            case .failure(let rejection):
                                #expect(![.malformedJSON, .invalidUTF8].contains(rejection.code), "\(String(decoding: own, as: UTF8.self))")
                            }
                        }
                    } catch {}
                    _ = mapper.user(in: raw)
                    _ = mapper.time(in: raw)
                }
            }
            return isAccepted ? .accepted : .refused
        }
        #expect(report.findings.isEmpty, "\(report.findings)")
        #expect(report.accepted > 0)
    }
}

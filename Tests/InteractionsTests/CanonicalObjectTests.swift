import Foundation
import Interactions
import Testing

/// An object has one spelling, whoever sent it: a repeat whose library orders members by chance is a repeat.
@Suite struct CanonicalObjectTests {
    private func context(_ json: String) throws -> Interaction { try decode(event([("context", json)])).get() }

    @Test("order, white space, escapes and repeated keys make no difference")
    func oneSpelling() throws {
        let expected = try context(#"{"country":"DE","device":"phone","n":{"a":[1,{"x":2,"y":3}],"b":null}}"#)
        for text in [
            #"{"device":"phone","country":"DE","n":{"b":null,"a":[1,{"y":3,"x":2}]}}"#,
            #"{ "n" : {"a" : [ 1 , {"x":2,"y":3} ],"b":null}, "country":"DE",  "device":"phone" }"#,
            #"{"device":"\u0070hone","\u0063ountry":"DE","n":{"a":[1,{"x":2,"y":3}],"b":null}}"#,
            #"{"country":"FR","device":"phone","n":{"a":[1,{"x":2,"y":3}],"b":null},"country":"DE"}"#,
        ] {
            let found = try context(text)
            #expect(found.context == expected.context && found.payloadHash == expected.payloadHash, "\(text)")
        }
        #expect(expected.context == #"{"country":"DE","device":"phone","n":{"a":[1,{"x":2,"y":3}],"b":null}}"#)
        #expect(
            try context(#"{"country":"DE","device":"tablet"}"#).payloadHash != context(#"{"country":"DE","device":"phone"}"#).payloadHash)
    }

    @Test("what has to stay escaped stays so, and numbers stay as they were written")
    func escapes() throws {
        #expect(try context(#"{"b":1.50,"a":"\n\"\\\u007f\/"}"#).context == #"{"a":"\n\"\\\u007f/","b":1.50}"#)
        #expect(try context(#"{"b":-0.0,"a":1E+2,"":{}}"#).context == #"{"":{},"a":1E+2,"b":-0.0}"#)
    }

    @Test("generated objects keep their meaning, whichever way their members come")
    func shuffled() throws {
        var random = SeededGenerator(seed: 17)
        for _ in 0..<2_000 {
            let value = Self.object(&random, depth: 0)
            let one = Self.text(value, shuffledBy: &random), other = Self.text(value, shuffledBy: &random)
            guard case .success(let first) = decode(event([("context", one)])) else { continue }
            let second = try decode(event([("context", other)])).get()
            #expect(first.context == second.context && first.payloadHash == second.payloadHash, "\(one) and \(other)")
            let again = try context(first.context ?? "{}")
            #expect(again.context == first.context)
            let read = first.context.map { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary }
            let sent = try JSONSerialization.jsonObject(with: Data(one.utf8)) as? NSDictionary
            #expect(first.context == nil ? sent?.count == 0 : read == sent, "\(one)")
        }
    }

    private indirect enum Value {
        case plain(String)
        case list([Value])
        case members([(String, Value)])
    }

    private static func object(_ random: inout SeededGenerator, depth: Int) -> Value {
        let names = ["a", "b", "aa", "B", "é", "z\\n", "\\u0061b", "", "device", "~"]
        var taken = Set<String>()
        return .members((0..<Int.random(in: 0...(depth == 0 ? 40 : 4), using: &random)).compactMap { number in
            let name = depth == 0 && number > 8 ? "k\(Int.random(in: 0..<500, using: &random))" : names.randomElement(using: &random)!
            return taken.insert(name).inserted ? (name, Self.value(&random, depth: depth + 1)) : nil
        })
    }

    private static func value(_ random: inout SeededGenerator, depth: Int) -> Value {
        switch Int.random(in: 0..<(depth > 3 ? 4 : 6), using: &random) {
        case 0: .plain("\(Int.random(in: -5...5, using: &random))")
        case 1: .plain(["true", "false", "null"].randomElement(using: &random)!)
        case 2: .plain(#""\u00e9x""#)
        case 3: .plain(#""text""#)
        case 4: .list((0..<Int.random(in: 0...3, using: &random)).map { _ in value(&random, depth: depth + 1) })
        default: object(&random, depth: depth + 1)
        }
    }

    private static func text(_ value: Value, shuffledBy random: inout SeededGenerator) -> String {
        switch value {
        case .plain(let text): return text
        case .list(let elements): return "[" + elements.map { text($0, shuffledBy: &random) }.joined(separator: ",") + "]"
        case .members(let members):
            let space = Bool.random(using: &random) ? " " : ""
            return "{" + members.shuffled(using: &random).map { "\"\($0.0)\":\(space)" + text($0.1, shuffledBy: &random) }
                .joined(separator: ",") + "}"
        }
    }
}

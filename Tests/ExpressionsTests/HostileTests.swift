import Expressions
import Foundation
import Testing

@Suite("Hostile expressions are refused, or end within their steps")
struct HostileTests {
    static let deep = 1_500

    @Test("too deep, too long and too many are refused", arguments: [
        String(repeating: "(", count: deep), String(repeating: "(", count: deep) + "1" + String(repeating: ")", count: deep),
        String(repeating: "[", count: deep) + String(repeating: "]", count: deep), String(repeating: "!", count: deep) + "true",
        String(repeating: "-", count: deep) + "1.0", String(repeating: "1+", count: deep) + "1",
        "user" + String(repeating: ".a", count: deep),
        "user" + String(repeating: "[0]", count: 1_000), String(repeating: "true?1:", count: 500) + "1",
        String(repeating: "size(", count: 500),
        String(repeating: "[1].map(x,", count: 300), String(repeating: "1,", count: 3_000),
        "[" + String(repeating: "1,", count: 2_040) + "]",
        String(repeating: " ", count: 5_000) + "true", String(repeating: "has(", count: 1_000), "'" + String(repeating: "a", count: 5_000),
    ])
    func bounded(text: String) {
        #expect(refusal(text) != nil)
    }

    @Test("the deepest that is allowed takes a small stack")
    func smallStack() {
        let levels = ExpressionLimits.maxDepthLevels - 4
        let texts = [
            String(repeating: "(", count: levels) + "true" + String(repeating: ")", count: levels),
            String(repeating: "!", count: levels) + "true",
            String(repeating: "[", count: levels) + "1" + String(repeating: "]", count: levels) + " != []",
            String(repeating: "1 + ", count: levels) + "1 > 0", String(repeating: "true ? true : ", count: levels) + "true",
            String(repeating: "[true].all(x, ", count: levels / 2) + "true" + String(repeating: ")", count: levels / 2),
        ]
        let done = DispatchSemaphore(value: 0), outcome = Outcome()
        let thread = Thread {
            outcome.failures = texts.filter { text in
                guard let expression = try? RuleExpression(condition: text),
                case .success(true) = expression.holds(Facts.shoe) else { return true }
                return false
            }
            done.signal()
        }
        thread.stackSize = 1 << 20
        thread.start()
        done.wait()
        #expect(outcome.failures == [])
    }

    /// Written by one thread before another reads it.
    private final class Outcome: @unchecked Sendable {
        var failures = ["not run"]
    }

    @Test("loops in loops, and texts and lists that double, end within their steps", arguments: [
        "L.all(a, L.all(b, L.all(c, L.all(d, L.all(e, a + b + c + d + e >= 0)))))", "L.map(a, L.map(b, L.map(c, L + L))).size() > 0",
        "L.map(a, S + S).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).size() > 0",
        "[L + L].map(a, a + a + a + a).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).size() > 0",
        "L.all(a, L.all(b, L.all(c, L == L)))", "L.exists(a, L.exists(b, S.contains('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')))",
        "L.exists(a, L.exists(b, L.exists(c, S == S + 'a')))",
    ])
    func endless(text: String) throws {
        let facts = Facts(values: ["item.attributes": .map(["L": .list((0..<200).map { .int($0) }),
            "S": .string(String(repeating: "a", count: 20_000))])])
        // In the texts above L and S stand for a list and a string of the item.
        let full = text.replacing(/\b[LS]\b/.wordBoundaryKind(.simple)) { "item.attributes.\($0.output)" }
        #expect(try said(full, of: facts) == "too_many_steps", "\(full)")
    }

    @Test("any text is an expression or a problem, and any expression ends")
    func noise() {
        var seed: UInt64 = 4
        func next(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        let words = [
            "item", ".price", ".tags", "user", "[", "]", "(", ")", "\"", "'", "\\", "\\x", "1", "0x", "1e", ".", ",", "?", ":", "&&",
            "||", "!", "-",
            "+", "*", "/", "%", "<", "==", " in ", "has(", "size(", ".exists(x,", ".map(y,", "x", ".matches(", "r'", "(a*)*", "{", "}",
            "é", "\u{0}", "//",
            "\n", "now", "timestamp(", "true", "null", "9223372036854775807", "1u", "&", "\"\"\"", "b'", "cart", ".categories",
        ]
        var valid = 0
        for _ in 0..<20_000 {
            let text = (0..<(1 + next(12))).map { _ in words[next(words.count)] }.joined()
            guard let expression = try? RuleExpression(text) else { continue }
            valid += 1
            _ = expression.holds(Facts.shoe)
        }
        #expect(valid > 100)
    }
}

import Expressions
import Testing

@Suite("Patterns are found in linear time")
struct PatternTests {
    @Test("what is found, and what is not", arguments: [
        ("abc", "b", true), ("abc", "^b", false), ("abc", "^a.c$", true), ("a\nc", "^a.c$", false), ("", "^$", true),
        ("abab", "^(ab)+$", true),
        ("aba", "^(?:ab)+$", false), ("aaa", "^a{2}$", false), ("aaa", "^a{2,}$", true), ("aaa", "^a{1,3}$", true),
        ("aaaa", "^a{1,3}$", false),
        ("a{x", "a{x", true), ("cat", "dog|cat", true), ("cow", "^(dog|cat)$", false), ("B", "[a-c]", false), ("B", "(?i)[a-c]", true),
        ("É", "(?i)é", true), ("5", "\\d", true), ("x", "[^\\d]", true), ("5", "[^\\d]", false), ("x", "[\\D]", true),
        ("a b", "a\\sb", true),
        ("a.b", "a\\.b", true), ("axb", "a\\.b", false), ("the cat", "\\bcat\\b", true), ("concat", "\\bcat\\b", false),
        ("-", "[a-]", true),
        ("]", "[]]", true), ("ac", "ab?c", true), ("abbbc", "ab*?c", true), ("👍", "^.$", true), ("ab", "(|a)b", true),
        ("b", "^(a*)*b$", true),
    ])
    func found(text: String, pattern: String, isFound: Bool) throws {
        let expression = try RuleExpression("\"\"\"\(text)\"\"\".matches(r'\(pattern)')")
        #expect(try expression.value(Facts()) == .bool(isFound), "\(pattern) in \(text)")
    }

    @Test("what is no pattern is refused where it is written", arguments: [
        "(", ")", "[a", "*a", "a**", "a\\", "(?=a)", "\\1", "[b-a]", "a{2,1}", "a{1001}", "((a{100}){100}){100}", "((){1000}){1000}",
        "[[:alpha:]]",
        String(repeating: "(", count: 40), "\\pL", "(((((x{9}){9}){9}){9}){9}){9}",
    ])
    func refused(pattern: String) {
        let said = refusal("item.title.matches(r'\(pattern)')")
        #expect(said?.hasPrefix("column 20: the pattern ") == true, "\(pattern): \(said ?? "taken")")
    }

    @Test("patterns that take others hours take few steps")
    func hostile() throws {
        let text = String(repeating: "a", count: 3_000)
        let facts = Facts(values: ["item.title": .string(text)])
        for pattern in ["^(a+)+$b", "(a|aa)+$b", "(a*)*b", "(.*)(.*)(.*)b"] {
            let said = try said("item.title.matches(r'\(pattern)')", of: facts)
            #expect(said == "false", "\(pattern)")
        }
        #expect(try said("item.title.matches(r'(a?){300}a{300}b')", of: facts) == "too_many_steps")
    }
}

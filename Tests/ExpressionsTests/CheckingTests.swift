import Expressions
import Testing

@Suite("An expression is checked when it is written")
struct CheckingTests {
    @Test("what is wrong is said with its column and what to do", arguments: [
        ("", "column 1: the expression is empty"),
        ("item.prise > 1.0",
         "column 6: there is no field of an item named prise; did you mean price?; attributes are item.attributes.NAME"),
        ("itm.price > 1.0", "column 1: there is no name itm; did you mean item?"),
        ("cart.category", "column 6: there is no field of the cart named category; did you mean categories?"),
        ("item.title.startWith(\"a\")", "column 12: there is no function startWith; did you mean startsWith?"),
        ("siz(item.tags)", "column 1: there is no function siz; did you mean size?"),
        ("item.tags.exist(1)", "column 11: there is no function exist; did you mean exists?"),
        ("exists(item.tags, t, true)", "column 19: there is no name t; known: cart, context, item, now, user"),
        ("itms == 1", "column 1: there is no name itms; did you mean item?"),
        ("item == 1", "column 1: item is no value by itself; name a field, as in item.price"),
        ("item.price > \"3\"", "column 12: double and string are never compared by '>'; convert by double() or string()"),
        ("item.published_at > \"2026-01-01T00:00:00Z\"",
         "column 19: timestamp and string are never compared by '>'; write timestamp(\"2026-01-31T00:00:00Z\")"),
        ("item.tags == \"a\"", "column 11: list and string are never compared by '=='; an element is found by 'in'"),
        ("item.price * 2 > 1.0", "column 12: there is no double * int; convert by double() or int(), or write 1.0 for 1"),
        ("item.hidden && item.price", "column 21: '&&' takes bool, and this is double"),
        ("item.title in item.price", "column 20: 'in' takes list or map, and this is double"),
        ("timestamp(\"yesterday\") < now", "column 1: 'yesterday' is no time; write it as 2026-01-31T08:00:00Z"),
        ("item.price = 1.0", "column 12: '=' has no meaning here; equality is =="),
        ("item.hidden and true", "column 13: 'and' is no operator; write &&"),
        ("(1 + 2", "column 7: the end stands where ')' is expected"),
        ("1 2", "column 3: 2 stands where the end or an operator is expected"),
        ("1 +", "column 4: the end stands where a value is expected"),
        ("{\"a\": 1}", "column 1: maps and messages cannot be written in the subset; use a list"),
        ("b\"a\" == b\"a\"", "column 1: bytes are not in the subset: write a string without the b"),
        ("'abc", "column 1: the string that begins here has no end; close it with its quote"),
        ("'\\q'", "column 2: \\q is no escape; write \\\\ for a backslash, or r\"…\" for a string without escapes"),
        ("'\\ud800'", "column 2: this escape is no character of Unicode; it takes 4 digits"),
        ("9223372036854775808", "column 1: the number 9223372036854775808 does not fit 64 bits"),
        ("1e999", "column 1: the number 1e999 does not fit 64 bits"),
        ("12abc", "column 3: 'a' follows the number 12 without a space or sign between them"),
        ("has(item)", "column 1: has() asks for a field, as in has(item.price)"),
        ("size()", "column 1: 'size' takes 1 values in its brackets, and here are 0"),
        ("item.title.matches(item.currency)",
         "column 12: 'matches' takes a text and a pattern that is a literal, as in item.title.matches(\"^[A-Z]\")"),
        ("startsWith(\"a\", \"b\")", "column 1: 'startsWith' is written x.startsWith(…)"),
        ("item.tags.all(for, true)", "column 15: 'for' stands where the name of a variable, as in all(x, …) is expected"),
        ("\u{200B}1", "column 1: U+200B has no meaning here"),
    ])
    func refused(text: String, sentence: String) {
        #expect(refusal(text) == sentence)
    }

    @Test("a condition is true or false")
    func conditions() {
        #expect(throws: ExpressionProblem.self) { try RuleExpression(condition: "item.price") }
        #expect(throws: Never.self) { try RuleExpression(condition: "item.attributes.vegan") }
    }

    @Test("the facts that it asks for, and its parts")
    func facts() throws {
        let text = "item.price > 1.0 && (has(user.age) || \"x\" in context) && item.attributes[\"brand\"] == \"A\" && now > timestamp(0)"
        let expression = try RuleExpression(condition: text)
        #expect(Set(expression.facts.map(\.description)) == ["item.price", "user.age", "context", "item.attributes.brand", "now"])
        #expect(expression.conjuncts.map { Set($0.facts.map(\.root)) } == [[.item], [.user, .context], [.item], [.now]])
        #expect(try RuleExpression("(true && false) && (true && (true && false))").conjuncts.count == 5)
    }
}

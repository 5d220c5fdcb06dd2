import Expressions
import Testing

@Suite("Expressions mean what CEL says")
struct SemanticsTests {
    @Test("operators, equality and order", arguments: [
        ("1 + 2 * 3", "7"), ("(1 + 2) * 3", "9"), ("7 / 2", "3"), ("-7 / 2", "-3"), ("-7 % 3", "-1"), ("7 % -3", "1"), ("1.5 + 1.0", "2.5"),
        ("1.0 / 0.0", "inf"), ("1 / 0", "division_by_zero"), ("1 % 0", "division_by_zero"), ("9223372036854775807 + 1", "out_of_range"),
        ("-9223372036854775808", "-9223372036854775808"), ("-(-9223372036854775807 - 1)", "out_of_range"), ("1u - 2u", "out_of_range"),
        ("-9223372036854775808 / -1", "out_of_range"), ("-9223372036854775808 % -1", "out_of_range"), ("0x1F", "31"), ("0xFFu", "255u"),
        ("1e3", "1000.0"), (".5", "0.5"), ("1 == 1.0", "true"), ("1u == 1", "true"), ("1 < 1.5", "true"), ("2u > 1.5", "true"),
        ("9007199254740993 == 9007199254740992.0", "false"), ("9223372036854775807 < 9223372036854775808.0", "true"),
        ("18446744073709551615u == 18446744073709551616.0", "false"), ("-1 < 0u", "true"), ("0.0 == -0.0", "true"),
        ("0.0/0.0 == 0.0/0.0", "false"), ("0.0/0.0 < 1", "false"), ("0.0/0.0 != 1.0", "true"), ("null == null", "true"),
        ("1 == null", "false"),
        ("\"a\" < \"b\"", "true"), ("\"é\" == \"e\\u0301\"", "false"), ("\"Z\" < \"a\"", "true"), ("\"\u{FFFF}\" < \"\u{10000}\"", "true"),
        ("false < true", "true"), ("[1, 2] == [1.0, 2u]", "true"), ("[1] != [2]", "true"), ("[1] + [2, 3]", "[1, 2, 3]"),
        ("\"a\" + \"b\"", "\"ab\""), ("true ? 1 : 2", "1"), ("false ? 1 : true ? 2 : 3", "2"), ("!!true", "true"), ("--1", "1"),
        ("- -1.5", "1.5"),
        ("[1, 2][1]", "2"), ("[1, 2][1.0]", "2"), ("[1, 2][1u]", "2"), ("[1][1]", "absent"), ("[1][-1]", "absent"), ("[1,]", "[1]"),
        ("1 in [2, 1.0]", "true"), ("\"brand\" in item.attributes", "true"), ("3 in item.attributes", "false"), ("1 in []", "false"),
        ("item.attributes[\"brand\"]", "\"Acme\""), ("item.attributes.size.eu", "43.0"), ("item.attributes.size[\"us\"]", "absent"),
        ("\"grip\" in item.tags && item.price > 0.0 // so", "true"), ("item.price > 80", "true"),
        ("now - item.published_at", "duration 172800000"),
    ])
    func operators(text: String, value: String) throws {
        #expect(try said(text) == value, "\(text)")
    }

    @Test("a part that decides is enough, whatever fails beside it", arguments: [
        ("true || item.attributes.x == 1", "true"), ("item.attributes.x == 1 || true", "true"),
        ("item.attributes.x == 1 || false", "absent"),
        ("false && item.attributes.x == 1", "false"), ("item.attributes.x == 1 && false", "false"),
        ("item.attributes.x == 1 && true", "absent"),
        ("user.age || true", "true"), ("user.age && false", "false"), ("user.age && true", "wrong_type"), ("user.x ? 1 : 2", "absent"),
        ("true ? 1 : user.x", "1"), ("[1, 0].exists(x, 1 / x == 1)", "true"), ("[0, 1].exists(x, 1 / x == 1)", "true"),
        ("[0].exists(x, 1 / x == 1)", "division_by_zero"), ("[0, 1].all(x, 1 / x == 2)", "false"),
        ("[0, 1].all(x, 1 / x == 1)", "division_by_zero"),
        ("[0, 1].exists_one(x, 1 / x == 1)", "division_by_zero"), ("[].all(x, false)", "true"), ("[].exists(x, true)", "false"),
    ])
    func shortCircuit(text: String, value: String) throws {
        #expect(try said(text) == value, "\(text)")
    }

    @Test("has, macros and functions", arguments: [
        ("has(item.price)", "true"), ("has(item.description)", "false"), ("has(item.attributes.brand)", "true"),
        ("has(item.attributes.x)", "false"),
        ("has(cart.tags)", "false"), ("has(cart.categories)", "true"), ("has(item.attributes.size.eu)", "true"),
        ("has(item.attributes.none)", "true"),
        ("has(item.attributes.x.y)", "absent"), ("has(user.age)", "true"),
        ("[1, 2, 3].exists_one(x, x > 2)", "true"), ("[1, 2, 3].filter(x, x > 1)", "[2, 3]"), ("[1, 2].map(x, x * 2)", "[2, 4]"),
        ("[1, 2].map(x, x > 1, x * 2)", "[4]"), ("[[1], [2, 3]].exists(x, x.exists(y, y == 3))", "true"),
        ("[1, 2].map(x, [3].map(x, x))", "[[3], [3]]"),
        ("[1].map(item, item + 1)", "[2]"), ("item.attributes.exists(k, k == \"brand\")", "true"),
        ("item.categories.exists(c, c in cart.categories)", "true"), ("size(\"é👍\")", "2"), ("\"ab\".size()", "2"),
        ("size(item.tags)", "1"),
        ("size(user)", "2"), ("\"abc\".startsWith(\"ab\")", "true"), ("\"abc\".endsWith(\"bc\")", "true"),
        ("\"abc\".contains(\"b\")", "true"),
        ("\"abc\".contains(\"\")", "true"), ("\"\".contains(\"a\")", "false"), ("\"a\".endsWith(\"ba\")", "false"),
        ("int(\"12\")", "12"), ("int(-1.9)", "-1"), ("int(1e19)", "out_of_range"), ("int(\"a\")", "unreadable"),
        ("uint(-1)", "out_of_range"),
        ("double(user.age) > 24.0", "true"), ("double(\"0x1p3\")", "unreadable"), ("string(1.0)", "\"1\""), ("string(1.5)", "\"1.5\""),
        ("string(true)", "\"true\""), ("string(duration(\"1m1.5s\"))", "\"61.5s\""), ("string(timestamp(0))", "\"1970-01-01T00:00:00Z\""),
        ("dyn(1) == \"a\"", "false"), ("int(timestamp(\"1969-12-31T23:59:59.5Z\"))", "-1"),
    ])
    func functions(text: String, value: String) throws {
        #expect(try said(text) == value, "\(text)")
    }

    @Test("times and durations", arguments: [
        ("timestamp(\"2026-01-01T00:00:00Z\") + duration(\"1h\") == timestamp(\"2026-01-01T02:00:00+01:00\")", "true"),
        ("duration(\"1.5h\") == duration(\"90m\")", "true"), ("duration(\"-1h30m\")", "duration -5400000"),
        ("duration(\"0\")", "duration 0"),
        ("duration(\"250ms\").getMilliseconds()", "250"), ("duration(\"90m\").getHours()", "1"),
        ("now - duration(\"24h\") > item.published_at", "true"),
        ("timestamp(\"9999-12-31T23:59:59Z\") + duration(\"1s\")", "out_of_range"), ("timestamp(9223372036854775807)", "out_of_range"),
        ("timestamp(\"2024-12-31T23:30:15.250Z\").getFullYear()", "2024"),
        ("timestamp(\"2024-12-31T23:30:15.250Z\").getDayOfYear()", "365"),
        ("timestamp(\"2024-12-31T23:30:15.250Z\").getFullYear(\"+01:00\")", "2025"),
        ("timestamp(\"2024-12-31T23:30:15.250Z\").getMonth()", "11"),
        ("timestamp(\"2024-12-31T23:30:15.250Z\").getDate()", "31"), ("timestamp(\"2024-12-31T23:30:15.250Z\").getDayOfMonth()", "30"),
        ("timestamp(\"2024-12-31T23:30:15.250Z\").getDayOfWeek()", "2"),
        ("timestamp(\"2024-12-31T23:30:15.250Z\").getHours(\"-00:30\")", "23"),
        ("timestamp(\"2024-12-31T23:30:15.250Z\").getMilliseconds()", "250"), ("timestamp(\"1969-12-28T00:00:00Z\").getDayOfWeek()", "0"),
        ("now.getHours(\"Europe/Berlin\")", "unreadable"),
    ])
    func times(text: String, value: String) throws {
        #expect(try said(text, checksTypes: false) == value, "\(text)")
    }

    @Test("strings and their escapes", arguments: [
        (#""a\n\t\\\"\x41\u00e9\U0001F44D\101""#, "a\n\t\\\"A\u{e9}\u{1F44D}A"), (#"r"a\n""#, "a\\n"), ("'a\"b'", "a\"b"),
        ("\"\"\"a\n\"b\" \"\"\"", "a\n\"b\" "), ("'''it's'''", "it's"), ("''", ""),
    ])
    func strings(text: String, value: String) throws {
        #expect(try said(text) == "\"\(value)\"")
    }
}

import ForeignFormats
import Interactions
import Testing

@Suite("Numbers, money and times of foreign files")
struct ValueTests {
    /// The price that a cell becomes, or why none.
    private func price(_ cell: String, _ mark: DecimalMark = .auto, separator: Character = "\t") throws -> String {
        let options = try Reading.options { $0.decimalMark = mark }
        let read = try Reading("item_id\(separator)price\n1\(separator)\(cell)\n", kind: .items, options: options)
        guard let record = read.records.first else { return read.refused.first?.reason.detail ?? "" }
        return String(record.dropFirst(#"{"item_id":"1","price":"#.utf8.count).dropLast())
    }

    @Test("decimal commas and points, thousands, signs of currencies", arguments: [
        ("12.50", "12.50"), ("12,50", "12.50"), ("1,234.50", "1234.50"), ("1.234,50", "1234.50"), ("1 234,50", "1234.50"),
        ("1\u{202F}234,5", "1234.5"), ("1'234.50", "1234.50"), ("1,234,567", "1234567"), ("1.234.567", "1234567"), ("0,125", "0.125"),
        ("1.234", "1.234"), ("007", "7"), (".5", "0.5"), ("5.", "5"), ("1.5e3", "1.5e3"), ("-3.20", "-3.20"), ("+3", "3"),
        ("15.00 USD", #"15.00,"currency":"USD""#), ("eur 12,50", #"12.50,"currency":"EUR""#), ("€12.50", #"12.50,"currency":"EUR""#),
        ("12,50 €", #"12.50,"currency":"EUR""#), ("$1,299.00", "1299.00"), ("-$5", "-5"),
    ])
    func automatic(_ cell: String, _ number: String) throws {
        #expect(try price(cell) == number)
    }

    @Test("what could be read in two ways is refused with both, until somebody says which", arguments: [
        ("1,234", "1234", "1.234"), ("12,345", "12345", "12.345"), ("999,000", "999000", "999.000"), ("1,034", "1034", "1.034"),
    ])
    func ambiguous(_ cell: String, _ whole: String, _ fraction: String) throws {
        #expect(try price(cell).contains("may be \(whole) or \(fraction): say --decimal"))
        #expect(try price(cell, .point) == whole)
        #expect(try price(cell, .comma) == fraction)
    }

    @Test("where cells are separated by semicolons a point before three digits is unclear, too")
    func semicolons() throws {
        #expect(try price("1.234", separator: ";").contains("may be 1234 or 1.234"))
        #expect(try price("1.234", .comma, separator: ";") == "1234")
        #expect(try price("12,50", separator: ";") == "12.50")
    }

    @Test("no number is made of what is none", arguments: [
        "abc", "1,23,4", "1.2.3,4,5", "12,34,567", "--5", "1e", "e5", "1 23", "NaN", "12.50.10",
    ])
    func none(_ cell: String) throws {
        let found = try price(cell)
        #expect(found.contains("is no number"), "\(cell): \(found)")
    }

    /// The time that a cell becomes, or why none.
    private func time(_ cell: String, _ rules: TimeRules = TimeRules()) throws -> String {
        let options = try Reading.options("user_id=\"u\"", "item_id=\"i\"", "type=\"click\"", "event_id=\"e\"") { $0.times = rules }
        let read = try Reading("timestamp\tx\n\(cell)\ty\n", options: options)
        guard let record = read.records.first else { return read.refused.first?.reason.detail ?? "" }
        return JSONText.string("timestamp", inObject: record) ?? ""
    }

    @Test("times in the forms that exports have", arguments: [
        ("2019-10-01T00:00:00Z", "2019-10-01T00:00:00.000Z"), ("2019-10-01 00:00:01 UTC", "2019-10-01T00:00:01.000Z"),
        ("2019-10-01T02:00:00.25+02:00", "2019-10-01T00:00:00.250Z"), ("2019-10-01 02:00:00 -0530", "2019-10-01T07:30:00.000Z"),
        ("2019-10-01", "2019-10-01T00:00:00.000Z"), ("20191001", "2019-10-01T00:00:00.000Z"),
        ("2019/10/1 5:06", "2019-10-01T05:06:00.000Z"),
        ("12/31/2010 8:26", "2010-12-31T08:26:00.000Z"), ("31/12/2010 8:26:05", "2010-12-31T08:26:05.000Z"),
        ("12/31/10 8:26 PM", "2010-12-31T20:26:00.000Z"), ("12/31/2010, 12:05:01 am", "2010-12-31T00:05:01.000Z"),
        ("1.2.2021 10:00", "2021-02-01T10:00:00.000Z"), ("2/2/2021", "2021-02-02T00:00:00.000Z"),
        ("1569888000", "2019-10-01T00:00:00.000Z"), ("1569888000123", "2019-10-01T00:00:00.123Z"),
        ("1569888000123456", "2019-10-01T00:00:00.123Z"), ("978300760.0", "2000-12-31T22:12:40.000Z"),
        ("1.569888e+09", "2019-10-01T00:00:00.000Z"),
    ])
    func times(_ cell: String, _ expected: String) throws {
        #expect(try time(cell) == expected)
    }

    @Test("days and months that cannot be told apart are refused until somebody says which stands first")
    func orders() throws {
        #expect(try time("3/4/2021 10:00").contains("--dates mdy or --dates dmy"))
        #expect(try time("3/4/2021 10:00", TimeRules(order: .monthFirst)) == "2021-03-04T10:00:00.000Z")
        #expect(try time("3/4/2021 10:00", TimeRules(order: .dayFirst)) == "2021-04-03T10:00:00.000Z")
        #expect(try time("3-4-2021", TimeRules(order: .dayFirst)) == "2021-04-03T00:00:00.000Z")
    }

    @Test("zones and units")
    func zones() throws {
        let start = EventTime(milliseconds: 0)
        let east = LocalZone(name: "+02:00", periods: [LocalZone.Period(start: start, offsetSeconds: 7_200)])
        #expect(try time("2021-01-01 10:00:00", TimeRules(zone: east)) == "2021-01-01T08:00:00.000Z")
        #expect(try time("2021-01-01T10:00:00Z", TimeRules(zone: east)) == "2021-01-01T10:00:00.000Z")
        #expect(try time("20210101", TimeRules(zone: east)) == "2020-12-31T22:00:00.000Z")
        // Clocks that are put forward within the file: each time by those of its day.
        let summer = LocalZone.Period(start: try #require(EventTime(rfc3339: "2021-03-28T01:00:00Z")), offsetSeconds: 7_200)
        let place = LocalZone(name: "x", periods: [LocalZone.Period(start: start, offsetSeconds: 3_600), summer])
        #expect(try time("2021-03-27 10:00", TimeRules(zone: place)) == "2021-03-27T09:00:00.000Z")
        #expect(try time("2021-03-28 10:00", TimeRules(zone: place)) == "2021-03-28T08:00:00.000Z")
        #expect(try time("1569888000", TimeRules(unit: .milliseconds)) == "1970-01-19T04:04:48.000Z")
        for (text, minutes) in [("+02:00", 120), ("-0530", -330), ("Z", 0), ("utc", 0), ("+2", nil), ("CET", nil), ("+25:00", nil)] {
            #expect(TimeRules.offset(text) == minutes, "\(text)")
        }
    }

    @Test("no time is made of what is none", arguments: [
        "yesterday", "2019-13-01", "2019-02-30", "13/13/2010", "2019-10-01 25:00", "2019-10-01 10:00 CET", "2019-10-01 10:60", "1e300",
        "12/31/2010 13:00 PM", "2019-10-01T", "99999-01-01", "1/2", "1569888000x", "-", ".", "1.2.3.4",
    ])
    func noTimes(_ cell: String) throws {
        let found = try time(cell)
        #expect(found.contains("is no time"), "\(cell): \(found)")
    }
}

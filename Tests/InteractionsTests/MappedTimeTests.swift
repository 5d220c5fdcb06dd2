import Interactions
import Testing

@Suite("Times of mapped records")
struct MappedTimeTests {
    private func time(_ value: String, unit: TimeUnit? = nil, zone: LocalZone? = nil) -> String {
        var source = Mapped.from("ts")
        source.unit = unit
        source.zone = zone
        let mapping = TopicMapping(kind: .events, fields: ["timestamp": source])
        let all = Mapped.all(mapping, #"{"ts":\#(value)}"#).joined()
        return all.hasPrefix("refused") ? all : String(all.dropFirst(#"{"timestamp":"#.count).dropLast())
    }

    @Test("numbers of each unit, in quotes too; what is finer than a millisecond is cut off")
    func units() {
        #expect(time("1790000000", unit: .seconds) == "1790000000000" && time("1790000000.1239", unit: .seconds) == "1790000000123")
        #expect(time("1.79e9", unit: .seconds) == "1790000000000" && time(#""1790000000""#, unit: .seconds) == "1790000000000")
        for value in ["1790000000123", "1790000000123.9"] { #expect(time(value, unit: .milliseconds) == "1790000000123") }
        #expect(time("1790000000123999", unit: .microseconds) == "1790000000123")
        #expect(time("1790000000123999999", unit: .nanoseconds) == "1790000000123")
        #expect(time("-1", unit: .microseconds) == "-1" && time("-1000", unit: .microseconds) == "-1" && time("0", unit: .seconds) == "0")
        #expect(time("1e-400", unit: .seconds) == "0" && time("-1e-400", unit: .seconds) == "-1")
        for value in ["1e300", "999999999999999999", "-999999999999999999"] {
            #expect(time(value, unit: .seconds) == "refused wrong_type timestamp", "\(value)")
        }
        #expect(time("253402300800", unit: .seconds) == "refused out_of_range timestamp")
        for value in [#""2026-11-21T08:00:00Z""#, "true", "[1]", #""12x""#, #""0x1F""#, #"" 1""#, "12345678901234567890123456789012"] {
            #expect(time(value, unit: .seconds) == "refused wrong_type timestamp", "\(value)")
        }
        #expect(time(#""2026-11-21T08:00:00Z""#, unit: .rfc3339) == #""2026-11-21T08:00:00Z""#)
        #expect(time("1790000000123", unit: .rfc3339) == "refused wrong_type timestamp")
        #expect(time("1790000000123") == "1790000000123" && time(#""2026-11-21T08:00:00Z""#) == #""2026-11-21T08:00:00Z""#)
    }

    /// Clocks of +01:00, with an hour more from March to October of 2026.
    private let berlin = LocalZone(
        name: "Europe/Berlin",
        periods: [
            .init(start: EventTime(milliseconds: 0), offsetSeconds: 3_600),
            .init(start: EventTime(rfc3339: "2026-03-29T01:00:00Z")!, offsetSeconds: 7_200),
            .init(start: EventTime(rfc3339: "2026-10-25T01:00:00Z")!, offsetSeconds: 3_600),
        ])

    @Test("local times by the clocks of their zone, the hour that is twice and the one that is not there included", arguments: [
        ("2026-01-15T12:00:00", "2026-01-15T11:00:00.000Z"), ("2026-07-15 12:00:00.25", "2026-07-15T10:00:00.250Z"),
        ("2026-07-15 12:00", "2026-07-15T10:00:00.000Z"), ("2026-07-15", "2026-07-14T22:00:00.000Z"),
        ("2026-03-29T01:59:59", "2026-03-29T00:59:59.000Z"), ("2026-03-29T03:00:00", "2026-03-29T01:00:00.000Z"),
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00.000Z"), ("2026-10-25T01:30:00", "2026-10-24T23:30:00.000Z"),
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00.000Z"), ("2026-10-25T03:00:00", "2026-10-25T02:00:00.000Z"),
        ("1969-12-31T23:00:00", "1969-12-31T22:00:00.000Z"),
        ("2026-07-15T12:00:00Z", "2026-07-15T12:00:00.000Z"), ("2026-07-15T12:00:00+05:00", "2026-07-15T07:00:00.000Z"),
    ])
    func zones(_ text: String, _ expected: String) {
        let milliseconds = Int64(time(#""\#(text)""#, zone: berlin)) ?? 0
        #expect(EventTime(milliseconds: milliseconds).rfc3339() == expected)
    }

    @Test("what is no time is refused, and a number needs no zone")
    func refusals() {
        for text in ["", "yesterday", "15.07.2026", "2026-13-01", "2026-07-15T25:00", "2026-07-15T12:00:00.", "12:00"] where !text.isEmpty {
            #expect(time(#""\#(text)""#, zone: berlin) == "refused wrong_type timestamp", "\(text)")
        }
        #expect(time("1790000000123", zone: berlin) == "1790000000123")
        #expect(time(#""2026-07-15T12\u003a00:00""#, zone: berlin) == "\(EventTime(rfc3339: "2026-07-15T10:00:00Z")!.milliseconds)")
    }
}

import Foundation
import Interactions
import Testing

@Suite struct TimeTests {
    @Test func forms() {
        let expected = EventTime(milliseconds: 1_795_248_000_123)
        for text in [
            "2026-11-21T08:00:00.123Z", "2026-11-21t08:00:00.123z", "2026-11-21 08:00:00.123999Z",
            "2026-11-21T10:00:00.123456789+02:00", "2026-11-20T20:30:00.123-11:30",
        ] {
            #expect(EventTime(rfc3339: text) == expected, "\(text)")
        }
        #expect(EventTime(rfc3339: "2026-11-21T08:00:00.1Z")?.milliseconds == 1_795_248_000_100)
        #expect(EventTime(rfc3339: "2026-12-31T23:59:60Z") == EventTime(rfc3339: "2027-01-01T00:00:00Z"))
        #expect(EventTime(rfc3339: "1969-12-31T23:59:59.999Z")?.milliseconds == -1)
        #expect(EventTime(rfc3339: "2000-02-29T00:00:00Z") != nil)
    }

    @Test func refused() {
        for text in [
            "", "2026", "2026-11-21", "2026-11-21T08:00:00", "2026-11-21T08:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-11-31T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-21T24:00:00Z",
            "2026-11-21T08:60:00Z", "2026-11-21T08:00:61Z", "2026-11-21T08:00:00.Z", "2026-11-21T08:00:00.1234567890Z",
            "2026-11-21T08:00:00+2:00", "2026-11-21T08:00:00+24:00", "2026-11-21T08:00:00+02:60", "2026-11-21T08:00:00ZZ",
            "2026-11-21T08:00:00.123", "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2026/11/21T08:00:00Z",
            "２026-11-21T08:00:00Z", "2026-11-21T08:00:00,5Z", " 2026-11-21T08:00:00Z",
        ] {
            #expect(EventTime(rfc3339: text) == nil, "\(text)")
        }
    }

    @Test func agreesWithFoundation() {
        var random = SeededGenerator(seed: 5)
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        for _ in 0..<2_000 {
            // From 1900 on: Foundation's calendar changes to the Julian one in 1582, ours does not.
            let time = EventTime(milliseconds: Int64.random(in: -2_208_988_800_000...253_402_300_799_999, using: &random))
            let text = time.rfc3339()
            #expect(EventTime(rfc3339: text) == time)
            let date = formatter.date(from: text)
            #expect(date.map { Int64(($0.timeIntervalSince1970 * 1_000).rounded()) } == time.milliseconds, "\(text)")
        }
        for milliseconds: Int64 in [.min, .max, -62_167_219_200_000, 253_402_300_799_999, 0, -1] {
            #expect(EventTime(rfc3339: EventTime(milliseconds: milliseconds).rfc3339()) != nil)
        }
    }

    @Test func milliseconds() throws {
        func time(_ text: String) throws -> Int64 { try decode(event([("timestamp", text)])).get().time.milliseconds }
        #expect(try time("1793520000004") == 1_793_520_000_004)
        #expect(try time("1793520000004.0") == 1_793_520_000_004)
        #expect(try time("1.793520000004e12") == 1_793_520_000_004)
        #expect(try time("\"2026-11-01T00:00:00.004Z\"") == 1_793_491_200_004)
        #expect(try time(#""2026-11-01\u005400:00:00.004Z""#) == 1_793_491_200_004)
    }

    @Test("a time in another unit or spelling is refused with a hint", arguments: [
        ("1793520000", "seconds"), ("1793520000.25", "seconds"), ("1793520000004000", "microseconds"),
        ("1793520000004000000", "nanoseconds"), (#""1793520000004""#, "as a number, without quotes"), (#""1793520000""#, "as a number"),
        (#""2026-11-01""#, "no time of day"), (#""2026-11-01T08:00:00""#, "offset is missing"),
        (#""2026-11-01 08:00""#, "offset is missing"),
    ])
    func hints(written: String, hint: String) throws {
        guard case .failure(let rejection) = decode(event([("timestamp", written)])) else {
            Issue.record("\(written) was accepted")
            return
        }
        #expect(rejection.field == "timestamp" && rejection.detail.contains(hint), "\(rejection.detail)")
    }
}

import Testing
import TowerModel

@Suite("Times between interactions in buckets")
struct TimeBucketTests {
    private static let minute: Int64 = 60_000

    @Test func gapsDoubleFromAMinute() {
        #expect(TimeBuckets.gap(milliseconds: 0) == 0 && TimeBuckets.gap(milliseconds: Self.minute - 1) == 0)
        for bucket in 1..<20 {
            let first = (Int64(1) << Int64(bucket) - 1) * Self.minute
            #expect(TimeBuckets.gap(milliseconds: first) == bucket, "\(bucket)")
            #expect(TimeBuckets.gap(milliseconds: first - 1) == bucket - 1, "\(bucket)")
        }
    }

    @Test func idleTimesDoubleFromHalfAnHour() {
        #expect(TimeBuckets.idle(milliseconds: 30 * Self.minute - 1) == 0 && TimeBuckets.idle(milliseconds: 30 * Self.minute) == 1)
        #expect(TimeBuckets.idle(milliseconds: 90 * Self.minute) == 2)
    }

    @Test func whatIsLongerThanTheLastBucketIsInIt() {
        #expect(TimeBuckets.gap(milliseconds: .max) == TimeBuckets.unknownGap)
        #expect(Int(TimeBuckets.gap(milliseconds: .max)) == TowerShape.gapCount - 1)
        #expect(Int(TimeBuckets.idle(milliseconds: .max)) == TowerShape.idleCount - 1)
    }

    @Test func timesThatAreFarApartOrReversedTrapNowhere() {
        #expect(TimeBuckets.gap(from: .min, to: .max) == TimeBuckets.unknownGap)
        #expect(TimeBuckets.idle(from: .max, to: .min) == 0 && TimeBuckets.gap(from: 9, to: 3) == 0)
        #expect(TimeBuckets.difference(7, 3) == 4)
    }
}

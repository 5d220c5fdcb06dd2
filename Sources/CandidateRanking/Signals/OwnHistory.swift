#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a user did, as a request or a question knows it.
public struct CandidateHistory: Sendable {
    /// Rows of the items, oldest first; below 0 or beyond the tables for items that are not known.
    public var rows: [Int32]
    /// Milliseconds since 1970, one a row.
    public var times: [Int64]
    /// What was paid, in minor units, one a row; 0 where nothing is known.
    public var amounts: [Int64]
    /// Whether it was a purchase, one a row.
    public var isPurchase: [Bool]
    /// The moment of the question.
    public var now: Int64

    /// Makes a history.
    public init(rows: [Int32], times: [Int64], amounts: [Int64], isPurchase: [Bool], now: Int64) {
        precondition(
            rows.count == times.count && rows.count == amounts.count && rows.count == isPurchase.count,
            "\(rows.count) rows, \(times.count) times, \(amounts.count) amounts and \(isPurchase.count) kinds")
        (self.rows, self.times, self.amounts, self.isPurchase, self.now) = (rows, times, amounts, isPurchase, now)
    }
}

/// What a user did with one item, or with one group.
struct OwnCounts {
    var lines: Float = 0
    var visits: Float = 0
    var of20Days: Float = 0, of60Days: Float = 0, of120Days: Float = 0, of180Days: Float = 0
    var byVisits: Float = 0
    var newestDays: Float = ItemCounts.never, oldestDays: Float = 0
    var newestVisit: Float = ItemCounts.never
    var worth: Float = 0, paidLines: Float = 0, lastWorth: Float = 0
    var purchases: Float = 0, purchaseDays: Float = ItemCounts.never

    /// Adds a line; oldest first.
    mutating func add(ageDays age: Float, visit: Float, worth amount: Float, isPurchase: Bool, decays: SIMD4<Float>) {
        lines += 1
        if visit != newestVisit {
            visits += 1
            byVisits += pow(0.8, visit)
        }
        newestVisit = visit
        of20Days += decays[0]
        of60Days += decays[1]
        of120Days += decays[2]
        of180Days += decays[3]
        newestDays = min(newestDays, age)
        oldestDays = max(oldestDays, age)
        if amount > 0 {
            worth += amount
            paidLines += 1
            lastWorth = amount
        }
        if isPurchase {
            purchases += 1
            purchaseDays = min(purchaseDays, age)
        }
    }

    /// Days between two visits; −1 where there was one.
    var interval: Float { visits > 1 ? (oldestDays - newestDays) / (visits - 1) : -1 }

    /// How much of the interval is over; −1 where there was one visit.
    var overdue: Float { visits > 1 ? newestDays / max(interval, 0.25) : -1 }
}

/// What a user did in all.
struct UserCounts {
    var lines: Float = 0, visits: Float = 0
    var lastDays: Float = ItemCounts.never, firstDays: Float = 0
    var distinctItems: Float = 0
    var pairVisits: Float = 0
    /// Of what was taken in the last three visits: how much, and how much of it had been taken in an earlier visit.
    var late: Float = 0, lateRepeats: Float = 0
    var worth: Float = 0, paidLines: Float = 0

    var interval: Float { visits > 1 ? (firstDays - lastDays) / (visits - 1) : -1 }
    var overdue: Float { visits > 1 ? lastDays / max(interval, 0.25) : -1 }
    var basket: Float { pairVisits / max(visits, 1) }
    var repeatShare: Float { 1 - distinctItems / max(pairVisits, 1) }
    var lateRepeatShare: Float { lateRepeats / max(late, 1) }
}

import Console
import Interactions
import RecommendationAPI

/// How many records a second are stored, by a total that is looked at now and then.
package struct StoredRate: Sendable {
    /// How far back the series goes.
    package static let keptSeconds: Int64 = 600
    private static let most = 1e15

    /// Between the last two looks.
    package private(set) var perSecond = 0.0
    /// A point a look, oldest first.
    package private(set) var series: [RatePoint] = []
    private var last: (count: Int64, at: ContinuousClock.Instant)?

    /// Before the first look.
    package init() {}

    /// Takes a look in. A total that is smaller than the one before, as after a restore, is a rate of 0.
    ///
    /// - Parameters:
    ///   - instant: when it was looked, for the rate.
    ///   - now: the same for the series.
    package mutating func look(total: Int64, at instant: ContinuousClock.Instant, now: EventTime) {
        defer { last = (total, instant) }
        guard let last else { return }
        let seconds = last.at.duration(to: instant).inSeconds
        guard seconds > 0 else { return }
        perSecond = min(Self.most, total > last.count ? (Double(total) - Double(last.count)) / seconds : 0)
        let second = now.milliseconds / 1_000
        series.append(RatePoint(second: second, count: Int64(perSecond.rounded())))
        series.removeAll { $0.second < second - Self.keptSeconds }
    }
}

/// Some of the newest of what happened, newest first.
package struct ActivityFeed: Sendable {
    /// Entries that are kept.
    package static let limitEntries = 60

    /// Newest first.
    package private(set) var entries: [ActivityEntry] = []

    /// Nothing happened yet.
    package init() {}

    /// Adds an entry, and drops the oldest beyond the limit.
    package mutating func note(_ kind: String, _ text: String, at time: EventTime) {
        entries.insert(ActivityEntry(time: time, kind: kind, text: text), at: 0)
        if entries.count > Self.limitEntries { entries.removeLast() }
    }
}

/// Stored numbers may be anything: a sum of them must not end the service. What is beyond the largest number is the largest.
package func boundedSum(_ numbers: some Sequence<Int64>) -> Int64 {
    numbers.reduce(0) { sum, next in
        let (larger, isBeyond) = sum.addingReportingOverflow(next)
        return isBeyond ? .max : larger
    }
}

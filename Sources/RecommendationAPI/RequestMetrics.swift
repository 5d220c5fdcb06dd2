import Recommending

/// What the HTTP service counts of itself. Counting takes no lock.
package final class RequestMetrics: Sendable {
    /// Upper bounds of the latency buckets for Prometheus, from 0.1 ms to 5 s.
    static let bucketBoundsMicroseconds: [UInt64] = [
        100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
        5_000_000,
    ]
    /// Statuses that are counted apart; the last slot is for all others.
    private static let statuses = [
        200, 202, 204, 304, 400, 401, 403, 404, 405, 408, 409, 413, 414, 415, 417, 421, 422, 429, 431, 500, 501, 503, 504,
    ]

    /// `METHOD template` of each route; the last is for requests that meet none.
    private let routeNames: [(method: String, route: String)]
    private let byStatus: AtomicCounters
    private let buckets: AtomicCounters
    private let microseconds: AtomicCounters
    private let inFlightCount = AtomicCounters(count: 1)
    private let reasonCounts = AtomicCounters(count: RecommendationReason.allCases.count)
    /// Answers to known and to unknown users.
    private let warmAndCold = AtomicCounters(count: 2)
    private let intakeCounts = AtomicCounters(count: 2)
    private let recommendationRate = RateSeries()
    private let recentLatency = RecentLatency()

    /// Counters for these routes.
    package init(routes: [(method: String, route: String)]) {
        routeNames = routes + [("", "unmatched")]
        byStatus = AtomicCounters(count: routeNames.count * (Self.statuses.count + 1))
        buckets = AtomicCounters(count: routeNames.count * (Self.bucketBoundsMicroseconds.count + 1))
        microseconds = AtomicCounters(count: routeNames.count)
    }

    /// Counts a request in and tells how many are being answered, itself included. ``leave()`` must follow.
    package func enter() -> Int {
        inFlightCount.add(1, to: 0)
        return Int(inFlightCount[0])
    }

    /// Counts a request that has ended.
    package func leave() { inFlightCount.add(UInt64.max, to: 0) }

    /// Counts an answer. `route` is its place in the table, or nil where it met none.
    func answered(route: Int?, status: Int, duration: Duration) {
        let route = route ?? routeNames.count - 1
        let statusSlot = Self.statuses.firstIndex(of: status) ?? Self.statuses.count
        byStatus.add(1, to: route * (Self.statuses.count + 1) + statusSlot)
        let elapsed = duration.wholeMicroseconds
        let bounds = Self.bucketBoundsMicroseconds
        let bucket = bounds.firstIndex { elapsed <= $0 } ?? bounds.count
        buckets.add(1, to: route * (bounds.count + 1) + bucket)
        microseconds.add(elapsed, to: route)
    }

    /// Counts an answer of recommendations.
    func recommended(_ list: RecommendationList, duration: Duration, second: Int64) {
        for item in list.items { reasonCounts.add(1, to: item.reason.slot) }
        warmAndCold.add(1, to: list.isColdUser ? 1 : 0)
        recommendationRate.record(second: second)
        recentLatency.record(duration, second: second)
    }

    /// Counts records that came in.
    func took(_ outcome: IntakeOutcome) {
        intakeCounts.add(UInt64(max(0, outcome.accepted)), to: 0)
        intakeCounts.add(UInt64(outcome.refusals.count), to: 1)
    }

    /// What the dashboard shows of the serving.
    func serving(second: Int64) -> ServingStatistics {
        let recent = recentLatency.quantiles([0.5, 0.99], second: second)
        let warm = warmAndCold[0]
        let cold = warmAndCold[1]
        var reasons: [String: Int64] = [:]
        for reason in RecommendationReason.allCases where reasonCounts[reason.slot] > 0 {
            reasons[reason.rawValue] = Int64(reasonCounts[reason.slot])
        }
        return ServingStatistics(
            requests: Int64(warm + cold), perSecond: recommendationRate.perSecond(before: second, seconds: 5),
            medianMilliseconds: recent?[0], p99Milliseconds: recent?[1],
            coldShare: warm + cold == 0 ? nil : Double(cold) / Double(warm + cold), reasons: reasons,
            series: recommendationRate.points(before: second, seconds: 599))
    }

    /// Prometheus text of everything counted here.
    func write(to text: inout PrometheusText) {
        text.begin("freshet_http_requests_total", .counter, "Requests answered, by route and status.")
        for (route, name) in routeNames.enumerated() {
            for slot in 0...Self.statuses.count {
                let count = byStatus[route * (Self.statuses.count + 1) + slot]
                guard count > 0 else { continue }
                let status = slot < Self.statuses.count ? String(Self.statuses[slot]) : "other"
                text.sample(
                    [("method", name.method), ("route", name.route), ("status", status)], Double(count))
            }
        }
        writeHistograms(to: &text)
        text.begin("freshet_http_requests_in_flight", .gauge, "Requests being answered now.")
        text.sample([], Double(inFlightCount[0]))
        text.begin("freshet_recommended_items_total", .counter, "Items recommended, by reason.")
        for reason in RecommendationReason.allCases {
            text.sample([("reason", reason.rawValue)], Double(reasonCounts[reason.slot]))
        }
        text.begin("freshet_recommendations_total", .counter, "Answers to users with and without a known history.")
        text.sample([("user", "known")], Double(warmAndCold[0]))
        text.sample([("user", "cold")], Double(warmAndCold[1]))
        text.begin("freshet_intake_records_total", .counter, "Records that came in over HTTP, by result.")
        text.sample([("result", "accepted")], Double(intakeCounts[0]))
        text.sample([("result", "rejected")], Double(intakeCounts[1]))
    }

    private func writeHistograms(to text: inout PrometheusText) {
        text.begin("freshet_http_request_duration_seconds", .histogram, "Time to answer, by route.")
        let bounds = Self.bucketBoundsMicroseconds
        for (route, name) in routeNames.enumerated() {
            let counts = (0...bounds.count).map { buckets[route * (bounds.count + 1) + $0] }
            guard counts.contains(where: { $0 > 0 }) else { continue }
            let labels = [("method", name.method), ("route", name.route)]
            var cumulative: UInt64 = 0
            for (bound, count) in zip(bounds, counts) {
                cumulative += count
                text.sample(labels + [("le", "\(Double(bound) / 1e6)")], Double(cumulative), suffix: "_bucket")
            }
            cumulative += counts[bounds.count]
            text.sample(labels + [("le", "+Inf")], Double(cumulative), suffix: "_bucket")
            text.sample(labels, Double(microseconds[route]) / 1e6, suffix: "_sum")
            text.sample(labels, Double(cumulative), suffix: "_count")
        }
    }
}

extension RecommendationReason {
    /// Its place among all reasons.
    fileprivate var slot: Int {
        switch self {
        case .personal: 0
        case .similar: 1
        case .fresh: 2
        case .adapted: 3
        case .trending: 4
        }
    }
}

extension Duration {
    /// Whole microseconds, at least 0.
    var wholeMicroseconds: UInt64 {
        let (seconds, attoseconds) = components
        return seconds < 0 ? 0 : UInt64(seconds) * 1_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000_000)
    }

    /// Milliseconds with their fraction.
    var milliseconds: Double { Double(wholeMicroseconds) / 1_000 }
}

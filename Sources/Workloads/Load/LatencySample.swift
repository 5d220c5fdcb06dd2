import Console

/// Durations in milliseconds, and their percentiles.
public struct LatencySample: Sendable {
    private(set) var milliseconds: [Double] = []

    /// An empty sample.
    public init() {}

    /// Takes one in.
    public mutating func add(_ duration: Duration) {
        milliseconds.append(duration.inSeconds * 1_000)
    }

    /// How many there are.
    public var count: Int { milliseconds.count }

    /// The value below which `percent` of the sample lies (nearest rank); NaN without any.
    public func percentile(_ percent: Double) -> Double {
        guard !milliseconds.isEmpty else { return .nan }
        let sorted = milliseconds.sorted()
        let rank = Int((percent / 100 * Double(sorted.count)).rounded(.up)) - 1
        return sorted[min(sorted.count - 1, max(0, rank))]
    }

    /// Takes in what another task measured.
    public mutating func merge(_ other: LatencySample) {
        milliseconds += other.milliseconds
    }
}

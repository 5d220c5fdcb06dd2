/// How often something was done with an item by people of whom something is known, such as those with `country=DE`.
public struct SegmentCount: Sendable, Equatable {
    /// `name=value`; the empty text stands for everybody.
    public var segment: String
    /// The item's id.
    public var itemID: String
    /// Events, each counted less the older it is; above 0.
    public var events: Double

    /// Makes a count.
    public init(segment: String, itemID: String, events: Double) {
        self.segment = segment
        self.itemID = itemID
        self.events = events
    }
}

/// What each segment of the users likes more, or less, than everybody does.
///
/// The lift of item i in segment s is (n_si + k) / (e_si + k): n_si its events there, e_si what the segment's events would give it if
/// the segment were like everybody, and k events of prior (the gamma-Poisson shrinkage of DuMouchel 1999 with a prior of mean 1). So a
/// small segment, and a rare item, stay near everybody's list. What is known of a user are several segments; their lifts
/// multiply, as if they were independent given the item.
public struct SegmentTable: Sendable {
    /// Segments that are kept at most: those with most events.
    public static let segmentsLimit = 512
    /// Segments of one user that count at most.
    public static let segmentsOfUserLimit = 16

    private struct Segment: Sendable {
        var total: Double = 0
        var events: [Int32: Float] = [:]
    }

    private var segments: [String: Segment] = [:]
    private var everybody = Segment()
    private let prior: Double

    /// An empty table.
    ///
    /// - Parameter priorEvents: k, above 0.
    public init(priorEvents: Double) {
        precondition(priorEvents > 0, "the prior must be above 0 events, not \(priorEvents)")
        prior = priorEvents
    }

    /// Whether no segment is known.
    public var isEmpty: Bool { segments.isEmpty || everybody.total <= 0 }

    /// Adds events of one item in a segment; the empty text is everybody.
    public mutating func add(_ row: Int32, segment: String, events: Double) {
        guard events > 0, events.isFinite else { return }
        if segment.isEmpty {
            everybody.total += events
            everybody.events[row, default: 0] += Float(events)
        } else {
            segments[segment, default: Segment()].total += events
            segments[segment]?.events[row, default: 0] += Float(events)
        }
    }

    /// Drops the segments with the fewest events beyond ``segmentsLimit``.
    public mutating func prune() {
        guard segments.count > Self.segmentsLimit else { return }
        let order = segments.sorted { $0.value.total != $1.value.total ? $0.value.total > $1.value.total : $0.key < $1.key }
        segments = Dictionary(uniqueKeysWithValues: order.prefix(Self.segmentsLimit).map { ($0.key, $0.value) })
    }

    /// Those of the tokens that are segments of this table, in their order, each once.
    public func known(_ tokens: [String]) -> [String] {
        var found: [String] = []
        for token in tokens where found.count < Self.segmentsOfUserLimit && segments[token] != nil && !found.contains(token) {
            found.append(token)
        }
        return found
    }

    /// ln of the product of an item's lifts in segments that are known; 0 where nobody met the item.
    public func logLift(_ row: Int32, in known: [String]) -> Float {
        guard everybody.total > 0, let all = everybody.events[row] else { return 0 }
        let share = Double(all) / everybody.total
        var sum: Float = 0
        for name in known {
            guard let segment = segments[name] else { continue }
            sum += naturalLogarithm(Float((Double(segment.events[row] ?? 0) + prior) / (segment.total * share + prior)))
        }
        return sum
    }

    /// The items with most events in a segment of those that `admits` takes, at most `count`: what a list for it should not overlook.
    public func top(_ count: Int, in segment: String, where admits: (Int32) -> Bool = { _ in true }) -> [Int32] {
        let events = (segments[segment]?.events ?? [:]).filter { admits($0.key) }
        return Array(events.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.prefix(count).map(\.key))
    }

    /// Everybody's events of an item.
    public func events(_ row: Int32) -> Float { everybody.events[row] ?? 0 }
}

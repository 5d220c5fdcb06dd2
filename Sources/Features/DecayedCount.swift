import Interactions

/// A count in which an event loses half its weight every half-life, kept so exactly that the order of events does not matter.
///
/// Forward decay (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay", ICDE 2009): an event's weight is fixed once, relative to
/// a landmark before it, and only the division by the growth since then happens when the count is read. Landmarks stand every
/// 16 half-lives, at multiples of that period since 1970. The weight of an event at `t` after the landmark `k × period` is
/// `round(2^20 × 2^((t − k × period) / halfLife))`, a whole number between 2^20 and 2^36, and sums of whole numbers commute.
///
/// Two landmarks are kept. What belongs to older ones has lost at least 16 half-lives, less than 2^-16 of each event remains,
/// and it is dropped; which ones are dropped depends only on the newest event, so that ``merge(_:)`` is commutative and
/// associative. Sums stop at `Int64.max`, beyond 134 million events of the largest weight.
public struct DecayedCount: Sendable, Equatable {
    /// The newest event's landmark, as a multiple of the period; ``emptyLandmark`` where there is no event.
    public var landmark: Int64
    /// The sum of the weights relative to ``landmark``.
    public var newest: Int64
    /// The sum of the weights relative to the landmark before.
    public var previous: Int64

    /// The landmark of no event: below every real one, and far enough from `Int64.min` to subtract from.
    public static let emptyLandmark = Int64.min / 2
    /// Half-lives between two landmarks.
    public static let halfLivesPerPeriod: Int64 = 16
    /// The weight of an event at its landmark is 2 to this power.
    public static let weightBits: Int64 = 20

    /// No event yet.
    public init() {
        landmark = Self.emptyLandmark
        newest = 0
        previous = 0
    }

    /// A count as it was stored.
    public init(landmark: Int64, newest: Int64, previous: Int64) {
        self.landmark = landmark
        self.newest = newest
        self.previous = previous
    }

    /// Whether no event was added.
    public var isEmpty: Bool { landmark == Self.emptyLandmark }

    /// The landmark and the weight of one event.
    public static func weight(of time: EventTime, rules: FeatureRules) -> (landmark: Int64, weight: Int64) {
        let halfLife = rules.decayHalfLifeMilliseconds
        let period = rules.decayPeriodMilliseconds
        var (landmark, phase) = time.milliseconds.quotientAndRemainder(dividingBy: period)
        if phase < 0 {
            landmark -= 1
            phase += period
        }
        let (halvings, rest) = phase.quotientAndRemainder(dividingBy: halfLife)
        let step = Int((rest << PowerOfTwo.stepBits) / halfLife)
        let scale = Double(Int64(1) << (weightBits + halvings))
        return (landmark, Int64((PowerOfTwo.fraction(step: step) * scale).rounded(.toNearestOrAwayFromZero)))
    }

    /// Adds one event.
    public mutating func add(time: EventTime, rules: FeatureRules) {
        let (landmark, weight) = Self.weight(of: time, rules: rules)
        merge(DecayedCount(landmark: landmark, newest: weight, previous: 0))
    }

    /// Adds the events of another count.
    @inline(__always)
    public mutating func merge(_ other: DecayedCount) {
        if other.landmark == landmark {
            newest = saturatingSum(newest, other.newest)
            previous = saturatingSum(previous, other.previous)
        } else if other.landmark < landmark {
            if other.landmark == landmark - 1 { previous = saturatingSum(previous, other.newest) }
        } else {
            previous = landmark == other.landmark - 1 ? saturatingSum(newest, other.previous) : other.previous
            newest = other.newest
            landmark = other.landmark
        }
    }

    /// The count at a time: an event at that very time counts 1, one a half-life before it 0.5.
    ///
    /// 0 where it is too small for a double, which is after about a thousand half-lives: what is compared or ranked takes
    /// ``scaledValue(at:rules:)``. The relative error is below 2·10^-6, apart from the events that were dropped.
    public func value(at time: EventTime, rules: FeatureRules) -> Double { scaledValue(at: time, rules: rules).double }

    /// The count at a time, however far that lies from the events. All counts decay alike: their order, and the share that one
    /// is of another, are the same at every time.
    public func scaledValue(at time: EventTime, rules: FeatureRules) -> ScaledValue {
        guard !isEmpty else { return .zero }
        let (start, isBeyond) = landmark.multipliedReportingOverflow(by: rules.decayPeriodMilliseconds)
        let (distance, isTooFar) = time.milliseconds.subtractingReportingOverflow(start)
        // No time of an event is so far away; a stored landmark may be anything.
        guard !isBeyond, !isTooFar else { return .zero }
        var (halvings, rest) = distance.quotientAndRemainder(dividingBy: rules.decayHalfLifeMilliseconds)
        if rest < 0 {
            halvings -= 1
            rest += rules.decayHalfLifeMilliseconds
        }
        return Self.decayed(newest, halvings: halvings, rest: rest, rules)
            + Self.decayed(previous, halvings: halvings + Self.halfLivesPerPeriod, rest: rest, rules)
    }

    /// `sum × 2^-20 × 2^-(halvings + rest / halfLife)`.
    private static func decayed(_ sum: Int64, halvings: Int64, rest: Int64, _ rules: FeatureRules) -> ScaledValue {
        guard sum > 0 else { return .zero }
        // 2^-x with x = whole + fraction is 2^-(whole + 1) × 2^(1 - fraction).
        let halfLife = rules.decayHalfLifeMilliseconds
        let step = rest == 0 ? 0 : Int(((halfLife - rest) << PowerOfTwo.stepBits) / halfLife)
        let whole = Int(halvings) + (rest == 0 ? 0 : 1)
        return ScaledValue(significand: Double(sum) * PowerOfTwo.fraction(step: step), exponent: -whole - Int(weightBits))
    }
}

/// The sum, or the nearest number that fits. For numbers that are not negative it is commutative and associative.
@inline(__always)
func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? (left < 0 ? .min : .max) : sum
}

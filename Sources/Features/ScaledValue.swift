/// A number that is not negative, with an exponent of its own: decayed counts of different ages stand thousands of halvings
/// apart, where doubles have become 0 long ago.
///
/// The value is `significand × 2^exponent`. Order and ratios are those of the values, whatever their size.
public struct ScaledValue: Sendable, Equatable, Comparable {
    /// In [1, 2); 0 for the value 0.
    public let significand: Double
    /// 0 for the value 0.
    public let exponent: Int

    /// Nothing.
    public static let zero = ScaledValue(significand: 0, exponent: 0)

    /// Further apart than this a smaller summand is below the last bit of the larger one.
    private static let significantBits = 64

    /// `significand × 2^exponent`; what is not a finite number above 0 counts as 0.
    public init(significand: Double, exponent: Int) {
        guard significand > 0, significand.isFinite else {
            self.significand = 0
            self.exponent = 0
            return
        }
        self.significand = significand.significand
        self.exponent = exponent + Int(significand.exponent)
    }

    /// A double; what is not a finite number above 0 counts as 0.
    public init(_ value: Double) {
        self.init(significand: value, exponent: 0)
    }

    /// Whether it is 0.
    public var isZero: Bool { significand == 0 }

    /// The value as a double: 0 where it is too small for one, the largest double where it is too large.
    public var double: Double {
        if exponent > 1_023 { return .greatestFiniteMagnitude }
        if exponent < -1_100 { return 0 }
        // In two steps, so that the factor itself does not become 0 before its product does.
        let half = exponent / 2
        return significand * Double(sign: .plus, exponent: half, significand: 1)
            * Double(sign: .plus, exponent: exponent - half, significand: 1)
    }

    /// What share of `whole` it is, as a double; 0 where that is too small for one, and where `whole` is 0.
    public func share(of whole: ScaledValue) -> Double {
        whole.isZero ? 0 : ScaledValue(significand: significand / whole.significand, exponent: exponent - whole.exponent).double
    }

    /// The value `factor` times; a factor that is not a finite number above 0 gives 0.
    public func times(_ factor: Double) -> ScaledValue {
        guard factor > 0, factor.isFinite else { return .zero }
        return ScaledValue(significand: significand * factor.significand, exponent: exponent + Int(factor.exponent))
    }

    /// The sum.
    public static func + (left: ScaledValue, right: ScaledValue) -> ScaledValue {
        if left.isZero { return right }
        if right.isZero { return left }
        let (large, small) = left < right ? (right, left) : (left, right)
        let distance = large.exponent - small.exponent
        guard distance <= significantBits else { return large }
        return ScaledValue(
            significand: large.significand + small.significand * Double(sign: .plus, exponent: -distance, significand: 1),
            exponent: large.exponent)
    }

    public static func < (left: ScaledValue, right: ScaledValue) -> Bool {
        if left.isZero || right.isZero { return left.isZero && !right.isZero }
        return left.exponent != right.exponent ? left.exponent < right.exponent : left.significand < right.significand
    }
}

import CKernels

/// Loops over bare memory, compiled for several instruction sets and chosen at run time. They trust their arguments: pointers
/// must be valid for `count` elements, counts must not be negative, and arrays may be the same but not overlap otherwise.
///
/// Each has a plain twin in `ReferenceKernels` that tests hold it against.
public enum Kernels {
    /// Σ a·b.
    @inlinable public static func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
        fk_dot(a, b, count)
    }

    /// Σ x.
    @inlinable public static func sum(_ x: UnsafePointer<Float>, count: Int) -> Float { fk_sum(x, count) }

    /// Σ (a − b)².
    @inlinable public static func squaredDistance(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int
    ) -> Float { fk_squared_distance(a, b, count) }

    /// The largest element: NaN where one is NaN, −∞ where there is none.
    @inlinable public static func max(_ x: UnsafePointer<Float>, count: Int) -> Float { fk_max(x, count) }

    /// y += alpha · x.
    @inlinable public static func axpy(
        _ alpha: Float, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
    ) { fk_axpy(alpha, x, y, count) }

    /// out = alpha · x.
    @inlinable public static func scale(
        _ alpha: Float, _ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int
    ) { fk_scale(alpha, x, out, count) }

    /// out = alpha + x.
    @inlinable public static func offset(
        _ alpha: Float, _ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int
    ) { fk_offset(alpha, x, out, count) }

    /// An operation on two arrays, element by element.
    public enum Binary: Sendable, CaseIterable { case add, subtract, multiply, divide }

    /// out = a (operation) b.
    @inlinable public static func apply(
        _ operation: Binary, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
        into out: UnsafeMutablePointer<Float>, count: Int
    ) {
        switch operation {
        case .add: fk_add(a, b, out, count)
        case .subtract: fk_subtract(a, b, out, count)
        case .multiply: fk_multiply(a, b, out, count)
        case .divide: fk_divide(a, b, out, count)
        }
    }

    /// A function of one number, applied element by element.
    ///
    /// `exp` is within 2 units in the last place. `gelu` is its tanh form. `step` is 1 where x > 0 and 0 elsewhere: the slope
    /// of `relu`. NaN stays NaN except in `step`.
    public enum Unary: Sendable, CaseIterable { case exp, log, sqrt, relu, step, tanh, sigmoid, silu, gelu }

    /// out = function(x).
    @inlinable public static func apply(
        _ function: Unary, _ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int
    ) {
        switch function {
        case .exp: fk_exp(x, out, count)
        case .log: fk_log(x, out, count)
        case .sqrt: fk_sqrt(x, out, count)
        case .relu: fk_relu(x, out, count)
        case .step: fk_step(x, out, count)
        case .tanh: fk_tanh(x, out, count)
        case .sigmoid: fk_sigmoid(x, out, count)
        case .silu: fk_silu(x, out, count)
        case .gelu: fk_gelu(x, out, count)
        }
    }

    /// e^x of one number, as the kernels compute it.
    @inlinable public static func exp(_ x: Float) -> Float {
        var result: Float = 0
        withUnsafePointer(to: x) { fk_exp($0, &result, 1) }
        return result
    }

    /// ln x of one number.
    @inlinable public static func log(_ x: Float) -> Float {
        var result: Float = 0
        withUnsafePointer(to: x) { fk_log($0, &result, 1) }
        return result
    }

    /// ln Σ e^x without overflow; −∞ where all are −∞. `count` > 0.
    @inlinable public static func logSumExp(_ x: UnsafePointer<Float>, count: Int) -> Float { fk_log_sum_exp(x, count) }

    /// out = e^x / Σ e^x, and returns ln Σ e^x. A row of nothing but −∞ gives zeros. `count` > 0.
    @inlinable @discardableResult public static func softmax(
        _ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int
    ) -> Float { fk_softmax(x, out, count) }

    /// out = x / max(|x|, epsilon), and returns 1 / max(|x|, epsilon). `count` > 0.
    @inlinable @discardableResult public static func l2Normalise(
        _ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int, epsilon: Float = 1e-12
    ) -> Float { fk_l2_normalise(x, out, count, epsilon) }

    /// out = (x − mean) / √(variance + epsilon) · gain + bias, and returns 1 / √(variance + epsilon). `count` > 0.
    @inlinable @discardableResult public static func layerNorm(
        _ x: UnsafePointer<Float>, gain: UnsafePointer<Float>? = nil, bias: UnsafePointer<Float>? = nil,
        into out: UnsafeMutablePointer<Float>, count: Int, epsilon: Float = 1e-5
    ) -> Float { fk_layer_norm(x, gain, bias, out, count, epsilon) }
}

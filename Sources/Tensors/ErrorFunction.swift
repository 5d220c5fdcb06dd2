import CKernels

extension Kernels {
    /// out = x Φ(x) with the normal distribution function itself: the form of BERT, where ``Unary/gelu`` is its tanh approximation.
    /// Within 2·10⁻⁷ (1 + |x|).
    @inlinable public static func geluOfNormal(_ x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, count: Int) {
        fk_gelu_erf(x, out, count)
    }
}

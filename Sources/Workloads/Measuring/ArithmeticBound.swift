import Console
import Interactions
import Tensors

/// Operations a second that the processor's multiply-adds allow: products on operands that stay in the first-level cache, on all
/// threads at once, the best of many short runs.
package struct ArithmeticBound {
    /// With operands of 32 bits.
    package var float32: Double
    /// With operands of 16 bits; nil where the processor has no such instruction.
    package var bfloat16: Double?

    /// Both, in operations a second.
    package init(float32: Double, bfloat16: Double? = nil) {
        self.float32 = float32
        self.bfloat16 = bfloat16
    }

    /// Measures for some seconds.
    package static func measured(threads: Int) -> ArithmeticBound {
        let float32 = best(threads: threads, operations: 2 * 48 * 64 * 64) { a, b, c in
            Kernels.rowProduct(.add, rows: 48, columns: 64, inner: 64, a, strides: (64, 1), b, stride: 64, into: c, stride: 64)
        }
        guard Kernels.hasBFloat16 else { return ArithmeticBound(float32: float32) }
        let bfloat16 = best(threads: threads, operations: 2 * 256 * 256 * 64) { a, b, c in
            Kernels.multiply(
                rows: 256, columns: 256, inner: 64, a, stride: 64, b, stride: 256, into: c, stride: 256, threads: 1, precision: .bfloat16)
        }
        return ArithmeticBound(float32: float32, bfloat16: bfloat16)
    }

    /// The bound of products of factors of this precision.
    package func bound(of precision: ProductPrecision) -> Double { precision == .bfloat16 ? bfloat16 ?? float32 : float32 }

    /// A rate of operations a second beside the bounds, as the benches of training print it.
    package func add(rate: Double, to line: inout ResultLine) {
        line.add("gflop_per_s", .number(rate / 1e9))
        line.add("float32_bound_gflop_per_s", .number(float32 / 1e9))
        line.add("bfloat16_bound_gflop_per_s", bfloat16.map { .number($0 / 1e9) } ?? .null)
        line.add("share_of_float32_bound", .number(rate / float32))
        line.add("share_of_bfloat16_bound", bfloat16.map { .number(rate / $0) } ?? .null)
    }

    private typealias Product = (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void

    private static func best(threads: Int, operations: Double, _ product: Product) -> Double {
        var fastest = Double.infinity
        let repeats = max(1, Int(2e8 / operations))
        for _ in 0..<40 {
            let clock = ContinuousClock.now
            parallelFor(count: threads, threads: threads) { range, _ in
                for _ in range {
                    withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * 256 * 256) { buffer in
                        buffer.initialize(repeating: 0.5)
                        guard let start = buffer.baseAddress else { return }
                        for _ in 0..<repeats { product(start, start + 65_536, start + 131_072) }
                    }
                }
            }
            fastest = min(fastest, clock.duration(to: .now).inSeconds)
        }
        return operations * Double(repeats * threads) / fastest
    }
}

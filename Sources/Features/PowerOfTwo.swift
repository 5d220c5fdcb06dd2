/// 2^x for x in [0, 1) in steps of 2^-20, the same on every machine.
///
/// The C library's `exp2` may differ in its last bit from one version to the next, and a sum of weights must not. These tables
/// come from square roots and products of doubles alone, which IEEE 754 rounds in one way only; Swift never contracts a product
/// and a sum into a fused operation.
enum PowerOfTwo {
    static let stepBits: Int64 = 20

    /// 2^(step / 2^20), with a relative error below 10^-14.
    @inline(__always)
    static func fraction(step: Int) -> Double {
        coarse[step >> 10] * fine[step & 1023]
    }

    /// 2^(i / 2^10).
    private static let coarse = table(rootsBefore: 0)
    /// 2^(i / 2^20).
    private static let fine = table(rootsBefore: 10)

    private static func table(rootsBefore: Int) -> [Double] {
        var root = 2.0
        for _ in 0..<rootsBefore { root = root.squareRoot() }
        var values = [Double](repeating: 1, count: 1024)
        for bit in (0..<10).reversed() {
            root = root.squareRoot()
            for index in values.indices where index & (1 << bit) != 0 { values[index] *= root }
        }
        return values
    }
}

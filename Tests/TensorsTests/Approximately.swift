import Tensors

/// Lengths around every block size of the kernels, and empty.
let kernelLengths = [0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 200, 1000, 1027]

/// Values that break careless kernels.
let awkwardValues: [Float] = [
    0, -0, 1, -1, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
    .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 88.7, 88.8, -87.4, -103.9, -104.1, 1e-20, 0.6, -0.7, 300, -300,
]

/// Equal up to a tolerance relative to `scale` or the expected value; NaN only where NaN is expected; infinities exact.
func approximatelyEqual(_ a: Float, _ expected: Float, tolerance: Float, scale: Float = 0) -> Bool {
    if expected.isNaN || a.isNaN { return expected.isNaN && a.isNaN }
    if a == expected { return true }
    if a.isInfinite || expected.isInfinite { return false }
    return abs(a - expected) <= tolerance * max(abs(expected), scale, .leastNormalMagnitude)
}

/// `count` normal numbers from a seed.
func normals(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in generator.normal() }
}

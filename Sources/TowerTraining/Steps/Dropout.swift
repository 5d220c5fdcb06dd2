import Bytes

/// Sets values to zero with a probability and scales the others up; the same key gives the same choice, so that the way back
/// repeats it without storing it.
func applyDropout(_ values: UnsafeMutablePointer<Float>, count: Int, rate: Float, key: UInt64) {
    let threshold = UInt64(rate * 65_536), scale = 1 / (1 - rate)
    var index = 0
    while index < count {
        var bits = SplitMix64Mixing.mixed(key &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15)
        for lane in index..<min(index + 4, count) {
            values[lane] *= bits & 0xffff < threshold ? 0 : scale
            bits >>= 16
        }
        index += 4
    }
}

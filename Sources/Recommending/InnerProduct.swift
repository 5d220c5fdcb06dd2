/// The inner product of two vectors of `count` elements, with two vector accumulators so that additions overlap.
@inline(__always)
func innerProduct(_ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>, _ count: Int) -> Float {
    let a = UnsafeRawPointer(left)
    let b = UnsafeRawPointer(right)
    var first = SIMD16<Float>.zero
    var second = SIMD16<Float>.zero
    var index = 0
    while index &+ 32 <= count {
        let offset = index &* 4
        first += a.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
            * b.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
        second += a.loadUnaligned(fromByteOffset: offset &+ 64, as: SIMD16<Float>.self)
            * b.loadUnaligned(fromByteOffset: offset &+ 64, as: SIMD16<Float>.self)
        index &+= 32
    }
    var sum = (first + second).sum()
    while index < count {
        sum += left[index] * right[index]
        index &+= 1
    }
    return sum
}

/// Whether every element is a number.
func isFinite(_ vector: [Float]) -> Bool {
    vector.allSatisfy { $0.isFinite }
}

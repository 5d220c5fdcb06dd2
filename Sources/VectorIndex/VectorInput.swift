/// What every index asks of the vectors that it is built from.
enum VectorInput {
    /// The number of vectors. Throws where the floats do not fit the dimension or one of them is not finite.
    static func checkedCount(_ vectors: [Float], dimension: Int) throws(VectorIndexError) -> Int {
        guard dimension > 0, dimension <= 65_536 else {
            throw VectorIndexError(.invalidInput, "The dimension is \(dimension); it must be between 1 and 65,536.")
        }
        guard vectors.count % dimension == 0, vectors.count / dimension <= Int(Int32.max) else {
            throw VectorIndexError(
                .invalidInput,
                "\(vectors.count) floats are no whole number of vectors of dimension \(dimension), or are too many.")
        }
        if let place = firstNotFinite(vectors) {
            throw VectorIndexError(
                .invalidInput,
                "Row \(place / dimension), element \(place % dimension) is \(vectors[place]). Leave such vectors out.")
        }
        return vectors.count / dimension
    }

    private static func firstNotFinite(_ vectors: [Float]) -> Int? {
        vectors.withUnsafeBufferPointer { values in
            // x - x is 0 for finite numbers only; a sum of blocks is quicker than a branch an element.
            let block = 4_096
            for first in stride(from: 0, to: values.count, by: block) {
                var lanes = SIMD16<Float>.zero
                let end = min(first + block, values.count)
                var place = first
                while place + 16 <= end, let base = values.baseAddress {
                    let value = UnsafeRawPointer(base + place).loadUnaligned(as: SIMD16<Float>.self)
                    lanes += value - value
                    place += 16
                }
                let rest = values[place..<end].contains { !$0.isFinite }
                if rest || lanes.sum() != 0 { return values[first..<end].firstIndex { !$0.isFinite } }
            }
            return nil
        }
    }

    /// A hash over every float: two tables with one different float have different hashes.
    static func fingerprint(_ vectors: UnsafeRawBufferPointer, count: Int, dimension: Int) -> UInt64 {
        var hash = WordHash()
        hash.combine(UInt64(count))
        hash.combine(UInt64(dimension))
        hash.combine(vectors)
        return hash.value
    }

    /// Whether a query has the right dimension and is finite.
    static func accepts(_ query: UnsafeBufferPointer<Float>, dimension: Int) -> Bool {
        query.count == dimension && query.allSatisfy(\.isFinite)
    }
}

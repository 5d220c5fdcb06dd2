// Layout, little-endian: 32-bit counts of components (0: no space), rows of the token table and trained items; the mean length of
// factors and of encoded items; by token its row; as bfloat16 the token table, the numbers' table and the factors; as float32 the mean; the
// trained items' hashes.
extension ContentSpace {
    /// Appends a space, or a sign that there is none.
    static func append(_ space: ContentSpace?, to bytes: inout [UInt8]) {
        guard let space else { return ContentChannel.append([UInt32(0)], to: &bytes) }
        let tableRows = space.tokens.count / space.dimension
        ContentChannel.append([space.dimension, tableRows, space.trained.count].map { UInt32(clamping: $0) }, to: &bytes)
        ContentChannel.append([space.factorLength, space.meanLength], to: &bytes)
        ContentChannel.append(space.rows, to: &bytes)
        for table in [space.tokens, space.numbers, space.factors] { ContentChannel.append(table.map(half), to: &bytes) }
        ContentChannel.append(space.mean, to: &bytes)
        ContentChannel.append(space.trained, to: &bytes)
    }

    /// Reads what ``append(_:to:)`` wrote.
    static func read(_ reader: inout ContentReader, tokenCount: Int) throws(ContentFormatError) -> ContentSpace? {
        let dimension = Int(try reader.values(UInt32.self, 1)[0])
        guard dimension > 0 else { return nil }
        let counts = try reader.values(UInt32.self, 2).map { Int($0) }
        guard dimension <= dimensionLimit, dimension.isMultiple(of: 16) else {
            throw ContentFormatError(description: "the content space has \(dimension) components, which no training makes. Train again.")
        }
        let lengths = try reader.finite(2)
        let rows = try reader.values(Int32.self, tokenCount)
        guard rows.allSatisfy({ $0 >= -1 && Int($0) < counts[0] }) else {
            throw ContentFormatError(
                description: "the content space names a token that it does not hold. Restore the file, or train again.")
        }
        let tokens = try reader.halves(counts[0] * dimension)
        let numbers = try reader.halves(ContentNumbers.count * dimension), factors = try reader.halves(counts[1] * dimension)
        let mean = try reader.finite(dimension), trained = try reader.values(UInt64.self, counts[1])
        return ContentSpace(
            dimension: dimension, rows: rows, tokens: tokens, numbers: numbers, mean: mean, trained: trained, factors: factors,
            factorLength: lengths[0], meanLength: lengths[1])
    }

    /// The upper 16 bits, rounded to nearest, ties to even.
    private static func half(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
    }
}

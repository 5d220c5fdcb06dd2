// Layout, little-endian: the 8 bytes "FRFACTO1"; 32-bit rank and counts of tokens, numbers and items; then the floats of tokens, numbers,
// mean and histories.
extension ContentFactors {
    /// The name of the file beside the model.
    public static let attachmentName = "factors"
    private static let magic = Array("FRFACTO1".utf8)
    private static let rankLimit = 1_024

    /// The factors as bytes, for a file beside the model.
    public func encoded() -> [UInt8] {
        let width = rank + 1
        var bytes = Self.magic
        for count in [rank, tokenRows.count / width, numberRows.count / width, itemCount] {
            withUnsafeBytes(of: UInt32(clamping: count).littleEndian) { bytes.append(contentsOf: $0) }
        }
        for column in [tokenRows, numberRows, mean, historyRows] { column.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        return bytes
    }

    /// The same factors with the history rows in another order: row i here is the former row `rows[i]`, or none.
    public func renumbered(_ rows: [Int?]) -> ContentFactors {
        var history = [Float](repeating: 0, count: rows.count * rank)
        for (new, old) in rows.enumerated() {
            if let old { for place in 0..<rank { history[new * rank + place] = historyRows[old * rank + place] } }
        }
        return ContentFactors(rank: rank, tokenRows: tokenRows, numberRows: numberRows, mean: mean, historyRows: history)
    }

    /// Factors from their bytes.
    ///
    /// - Throws: where they are cut short, too long, of another version, or hold numbers that cannot be.
    public init(encoded bytes: UnsafeRawBufferPointer) throws(ContentFormatError) {
        func fail(_ words: String) -> ContentFormatError {
            ContentFormatError(description: "the content factors \(words). Restore the file, or train again.")
        }
        guard bytes.count >= 24, bytes.prefix(8).elementsEqual(Self.magic) else { throw fail("are none of this version") }
        let counts = (0..<4).map { Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 + 4 * $0, as: UInt32.self))) }
        let rank = counts[0], width = rank + 1
        guard (1...Self.rankLimit).contains(rank), counts[2] == ContentNumbers.count else {
            throw fail("have other parts than this program knows")
        }
        let sizes = [counts[1] * width, counts[2] * width, width, counts[3] * rank]
        guard bytes.count == 24 + 4 * sizes.reduce(0, +) else { throw fail("have another length than they say") }
        var offset = 24
        var columns: [[Float]] = []
        for size in sizes {
            let column = (0..<size).map { bytes.loadUnaligned(fromByteOffset: offset + 4 * $0, as: Float.self) }
            guard column.allSatisfy(\.isFinite) else { throw fail("hold values that are not finite") }
            columns.append(column)
            offset += 4 * size
        }
        self.init(rank: rank, tokenRows: columns[0], numberRows: columns[1], mean: columns[2], historyRows: columns[3])
    }
}

/// A set of rows as bits. For 100,000 rows it is 12.5 kB, cheaper to fill than a hash set of a few hundred.
struct RowSet: Sendable {
    private var words: [UInt64]

    /// An empty set that can hold `0..<rows` without growing.
    init(rows: Int) {
        words = [UInt64](repeating: 0, count: (rows + 63) >> 6)
    }

    @inline(__always)
    func contains(_ row: Int32) -> Bool {
        let word = Int(row) >> 6
        return word < words.count && words[word] & (1 << UInt64(row & 63)) != 0
    }

    /// Adds a row; says whether it was new.
    @discardableResult
    mutating func insert(_ row: Int32) -> Bool {
        let word = Int(row) >> 6
        while word >= words.count { words.append(0) }
        let bit: UInt64 = 1 << UInt64(row & 63)
        if words[word] & bit != 0 { return false }
        words[word] |= bit
        return true
    }

    mutating func remove(_ row: Int32) {
        let word = Int(row) >> 6
        if word < words.count { words[word] &= ~(1 << UInt64(row & 63)) }
    }

    var count: Int {
        words.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    /// How many of the rows are smaller than a bound.
    func count(below bound: Int) -> Int {
        let whole = min(bound >> 6, words.count)
        let rest = whole < words.count ? (words[whole] & (1 << UInt64(bound & 63) - 1)).nonzeroBitCount : 0
        return words[..<whole].reduce(rest) { $0 + $1.nonzeroBitCount }
    }

    /// The rows of either set.
    func union(_ other: RowSet) -> RowSet {
        var all = words.count >= other.words.count ? self : other
        let fewer = words.count >= other.words.count ? other : self
        for (place, word) in fewer.words.enumerated() { all.words[place] |= word }
        return all
    }
}

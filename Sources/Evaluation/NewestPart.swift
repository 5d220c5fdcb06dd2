/// The newest part of a log: where it begins, for whatever is counted or held out there.
public enum NewestPart {
    /// The time up to which all but about the newest share of some times lie: what is later belongs to the newest part. Times that are
    /// equal stay together, before it; nil without times.
    ///
    /// - Parameters:
    ///   - share: from 0, for none, to 1.
    ///   - times: in any order, `count` of them; gone through four times.
    public static func border(newest share: Double, of times: some Sequence<Int64>, count: Int) -> Int64? {
        guard count > 0 else { return nil }
        return value(atRank: max(1, count - Int((Double(count) * share).rounded())) - 1, of: times, count: count)
    }

    /// The value that would stand at `rank` (from 0) if the values were sorted. Goes through them four times and keeps a count for each of
    /// 65,536 digits.
    public static func value(atRank rank: Int, of values: some Sequence<Int64>, count: Int) -> Int64 {
        precondition((0..<count).contains(rank), "rank \(rank) of \(count) values")
        // Flipping the sign makes the order that of whole numbers without one.
        var prefix: UInt64 = 0, left = rank
        for shift in [48, 32, 16, 0] as [UInt64] {
            var counts = [Int](repeating: 0, count: 1 << 16)
            for value in values {
                let bits = UInt64(bitPattern: value) ^ 1 << 63
                if shift == 48 || bits >> (shift + 16) == prefix { counts[Int(bits >> shift & 0xFFFF)] += 1 }
            }
            var digit = 0
            while left >= counts[digit] {
                left -= counts[digit]
                digit += 1
            }
            prefix = prefix << 16 | UInt64(digit)
        }
        return Int64(bitPattern: prefix ^ 1 << 63)
    }
}

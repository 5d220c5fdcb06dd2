import ContentModel

/// Why bytes are no blend.
public struct BlendFormatError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence: what is wrong and what to do.
    public var description: String
}

// Layout, little-endian: the 8 bytes "FRBLEND3"; 32-bit counts of features, items, window, neighbour limit, history limit; the
// decay; one weight a feature; a 32-bit count of newcomers' weights, and for each a 32-bit limit of the history and one weight a
// feature; the shortest and the longest pause; the tail lift; the value of unseen items, the border of the head; popularity, recent
// popularity, repeat rate, leaving and reaching sums by item; for each item a 32-bit count of neighbours; the rows and then the sums
// of all neighbours.
extension RankingBlend {
    private static let magic = Array("FRBLEND3".utf8)
    /// Of the version before, which is read too.
    private static let magicWithoutNewcomers = Array("FRBLEND2".utf8)
    /// A file with more is none.
    private static let newcomersLimit = 16

    /// The blend as bytes, for a file beside the model.
    public func encoded() -> [UInt8] {
        let table = tables.transitions, rules = table.rules
        var bytes = Self.magic
        for count in [RankingFeature.count, tables.itemCount, rules.window, rules.neighbourLimitItems, rules.historyLimitItems] {
            Self.append([UInt32(clamping: count)], to: &bytes)
        }
        Self.append([rules.decay], to: &bytes)
        Self.append(weights.values, to: &bytes)
        Self.append([UInt32(clamping: weights.newcomers.count)], to: &bytes)
        for newcomer in weights.newcomers {
            Self.append([UInt32(clamping: newcomer.historyLimitEvents)], to: &bytes)
            Self.append(newcomer.values, to: &bytes)
        }
        Self.append([weights.shortestPause, weights.longestPause], to: &bytes)
        Self.append([weights.tailLift, tables.unseen, tables.headBorder], to: &bytes)
        for column in [tables.popularity, tables.recentPopularity, tables.repeatRate, table.leaving, table.reaching] {
            Self.append(column, to: &bytes)
        }
        Self.append(table.neighbours.map { UInt32($0.count) }, to: &bytes)
        for row in table.neighbours { Self.append(row.map(\.row), to: &bytes) }
        for row in table.neighbours { Self.append(row.map(\.sum), to: &bytes) }
        return bytes
    }

    /// A blend from its bytes.
    ///
    /// - Throws: ``BlendFormatError`` where they are cut short, too long, of another version, or hold rows or numbers that
    ///   cannot be.
    public init(encoded bytes: UnsafeRawBufferPointer) throws(BlendFormatError) {
        var reader = ColumnReader(bytes, of: "the ranking blend") { BlendFormatError(description: $0) }
        let magic = try reader.values(UInt8.self, Self.magic.count)
        guard magic == Self.magic || magic == Self.magicWithoutNewcomers else {
            throw BlendFormatError(description: "these bytes are no ranking blend of this version. Train again.")
        }
        let counts = try reader.values(UInt32.self, 5).map { Int($0) }
        guard counts[0] == RankingFeature.count else {
            throw BlendFormatError(
                description: "the ranking blend has \(counts[0]) features and this program knows \(RankingFeature.count). Train again.")
        }
        let items = counts[1]
        let decay = try reader.finite(1)[0]
        let weights = try reader.finite(RankingFeature.count)
        let newcomerCount = magic == Self.magic ? Int(try reader.values(UInt32.self, 1)[0]) : 0
        guard newcomerCount <= Self.newcomersLimit else {
            throw BlendFormatError(description: "the ranking blend holds \(newcomerCount) sets of weights for newcomers. Train again.")
        }
        var newcomers: [BlendWeights.Newcomer] = []
        for _ in 0..<newcomerCount {
            let limit = Int(try reader.values(UInt32.self, 1)[0])
            newcomers.append(BlendWeights.Newcomer(historyLimitEvents: limit, values: try reader.finite(RankingFeature.count)))
        }
        let pauses = try reader.finite(2)
        guard 0 <= pauses[0], pauses[0] <= pauses[1], pauses[1] <= 1 else {
            throw BlendFormatError(description: "the ranking blend holds pauses that cannot be. Train again.")
        }
        let levels = try reader.finite(3)
        let popularity = try reader.finite(items), recent = try reader.finite(items), repeats = try reader.finite(items)
        let leaving = try reader.finite(items), reaching = try reader.finite(items)
        let sizes = try reader.values(UInt32.self, items).map { Int($0) }
        let pairs = sizes.reduce(0, +)
        let rows = try reader.values(Int32.self, pairs)
        let sums = try reader.finite(pairs)
        try reader.end()
        guard rows.allSatisfy({ $0 >= 0 && Int($0) < items }), sums.allSatisfy({ $0 >= 0 }),
            leaving.allSatisfy({ $0 >= 0 }), reaching.allSatisfy({ $0 >= 0 })
        else { throw BlendFormatError(description: "the ranking blend holds rows or sums that cannot be. Train again.") }
        var neighbours: [[TransitionTable.Neighbour]] = []
        neighbours.reserveCapacity(items)
        var start = 0
        for size in sizes {
            neighbours.append((start..<start + size).map { TransitionTable.Neighbour(row: rows[$0], sum: sums[$0]) })
            start += size
        }
        let rules = TransitionTable.Rules(
            window: counts[2], neighbourLimitItems: counts[3], historyLimitItems: counts[4], decay: decay)
        var blended = BlendWeights(weights, pauses: pauses[0]...pauses[1])
        blended.tailLift = levels[0]
        blended.newcomers = newcomers
        self.init(
            weights: blended,
            tables: RankingTables(
                popularity: popularity, recentPopularity: recent, repeatRate: repeats, unseen: levels[1], headBorder: levels[2],
                transitions: TransitionTable(rules: rules, neighbours: neighbours, leaving: leaving, reaching: reaching)))
    }

    private static func append<Element: BitwiseCopyable>(_ values: [Element], to bytes: inout [UInt8]) {
        #if _endian(little)
            values.withUnsafeBytes { bytes.append(contentsOf: $0) }
        #else
            #error("model files are little-endian")
        #endif
    }
}

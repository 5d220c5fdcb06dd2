import Tensors

extension RankingBlend {
    private static let version = 1
    /// Sets of weights for newcomers: a part with more is none.
    private static let newcomersLimit = 16
    private static let countRange = 0...Int(UInt32.max)

    /// The blend as tensors; those of items are in the model's rows.
    public func encoded() -> PartTensors {
        let table = tables.transitions, rules = table.rules
        var part = PartTensors(version: Self.version)
        part.add("weights", weights.values)
        part.add("newcomers.limits", integers: weights.newcomers.map(\.historyLimitEvents))
        part.add("newcomers.weights", weights.newcomers.flatMap(\.values), columns: RankingFeature.count)
        part.add("pauses", [weights.shortestPause, weights.longestPause])
        part.add("tail_lift", [weights.tailLift])
        part.add("unseen", [tables.unseen])
        part.add("head_border", [tables.headBorder])
        part.add("popularity", tables.popularity)
        part.add("recent_popularity", tables.recentPopularity)
        part.add("repeat_rate", tables.repeatRate)
        part.add("transitions.rules", integers: [rules.window, rules.neighbourLimitItems, rules.historyLimitItems])
        part.add("transitions.decay", [rules.decay])
        part.add("transitions.leaving", table.leaving)
        part.add("transitions.reaching", table.reaching)
        // A list an item, one after the other.
        part.add("transitions.counts", .int32(table.neighbours.map { Int32(clamping: $0.count) }))
        part.add("transitions.rows", .int32(table.neighbours.flatMap { $0.map(\.row) }))
        part.add("transitions.sums", table.neighbours.flatMap { $0.map(\.sum) })
        return part
    }

    /// A blend from its tensors.
    ///
    /// - Throws: ``PartFormatError`` where one is missing, unknown, of another version or length, or holds rows or numbers that cannot be.
    public init(encoded part: PartTensors) throws(PartFormatError) {
        var reader = try PartReader(part, of: "the ranking blend", version: Self.version)
        let values = try reader.floats("weights")
        guard values.count == RankingFeature.count else {
            throw PartFormatError(
                "the ranking blend has \(values.count) features and this program knows \(RankingFeature.count). Train again.")
        }
        let limits = try reader.integers("newcomers.limits", in: Self.countRange)
        guard limits.count <= Self.newcomersLimit else {
            throw reader.failure("holds \(limits.count) sets of weights for newcomers")
        }
        let newcomers = try reader.floats("newcomers.weights", count: limits.count * RankingFeature.count, columns: RankingFeature.count)
        let pauses = try reader.floats("pauses", count: 2)
        guard 0 <= pauses[0], pauses[0] <= pauses[1], pauses[1] <= 1 else { throw reader.failure("holds pauses that cannot be") }
        var weights = BlendWeights(values, pauses: pauses[0]...pauses[1])
        weights.tailLift = try reader.floats("tail_lift", count: 1)[0]
        weights.newcomers = limits.enumerated().map { place, limit in
            BlendWeights.Newcomer(
                historyLimitEvents: limit,
                values: Array(newcomers[place * RankingFeature.count..<(place + 1) * RankingFeature.count]))
        }
        let unseen = try reader.floats("unseen", count: 1)[0], headBorder = try reader.floats("head_border", count: 1)[0]
        let popularity = try reader.floats("popularity"), items = popularity.count
        let recent = try reader.floats("recent_popularity", count: items), repeats = try reader.floats("repeat_rate", count: items)
        let transitions = try TransitionTable(from: &reader, itemCount: items, countRange: Self.countRange)
        try reader.end()
        self.init(
            weights: weights,
            tables: RankingTables(
                popularity: popularity, recentPopularity: recent, repeatRate: repeats, unseen: unseen, headBorder: headBorder,
                transitions: transitions))
    }
}

extension TransitionTable {
    fileprivate init(from reader: inout PartReader, itemCount: Int, countRange: ClosedRange<Int>) throws(PartFormatError) {
        let rules = try reader.integers("transitions.rules", count: 3, in: countRange)
        let decay = try reader.floats("transitions.decay", count: 1)[0]
        let leaving = try reader.floats("transitions.leaving", count: itemCount)
        let reaching = try reader.floats("transitions.reaching", count: itemCount)
        let counts = try reader.int32("transitions.counts", count: itemCount, in: 0...Int(Int32.max))
        let rows = try reader.int32("transitions.rows", in: 0...max(itemCount - 1, 0))
        let sums = try reader.floats("transitions.sums", count: rows.count)
        guard counts.reduce(0, { $0 + Int($1) }) == rows.count, itemCount > 0 || rows.isEmpty else {
            throw reader.failure("holds other transitions than it says")
        }
        guard (leaving + reaching + sums).allSatisfy({ $0 >= 0 }) else { throw reader.failure("holds sums of transitions below 0") }
        var neighbours: [[Neighbour]] = [], start = 0
        neighbours.reserveCapacity(itemCount)
        for count in counts {
            neighbours.append((start..<start + Int(count)).map { Neighbour(row: rows[$0], sum: sums[$0]) })
            start += Int(count)
        }
        self.init(
            rules: Rules(window: rules[0], neighbourLimitItems: rules[1], historyLimitItems: rules[2], decay: decay),
            neighbours: neighbours, leaving: leaving, reaching: reaching)
    }
}

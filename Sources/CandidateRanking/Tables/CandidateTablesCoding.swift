import Tensors

extension CandidateTables {
    private static let version = 1

    /// The tables as tensors, in their own rows.
    public func encoded() -> PartTensors {
        var part = PartTensors(version: Self.version)
        part.add("end", .int64([end]))
        part.add("uses_times", .uint8([usesTimes ? 1 : 0]))
        part.add("items", items.columns.flatMap(\.self))
        part.add("items.unknown", items.unknown)
        for (name, own) in [("ease", links.ease), ("followers", links.followers), ("next", links.next), ("neighbours", links.neighbours)] {
            part.add("\(name).starts", .int32(own.starts))
            part.add("\(name).targets", .int32(own.targets))
            part.add("\(name).weights", own.weights)
        }
        for (level, own) in groups.enumerated() {
            part.add("group\(level)", .int32(own.group))
            part.add("group\(level).popularity", own.popularity)
            part.add("group\(level).recent", own.recent)
            part.add("group\(level).rebuy", own.rebuyRate)
            part.add("group\(level).top", lists: own.top)
        }
        part.add("tokens.starts", .int32(tokens.starts))
        part.add("tokens.tokens", .int32(tokens.tokens))
        part.add("tokens.weights", tokens.weights)
        part.add("tokens.count", integers: [tokens.tokenCount])
        part.add("popular", lists: popular)
        return part
    }

    /// Tables from their tensors.
    ///
    /// - Throws: ``PartFormatError`` where one is missing, unknown, of another version or length, or holds numbers that cannot be.
    public init(encoded part: PartTensors) throws(PartFormatError) {
        var reader = try PartReader(part, of: "the tables of the ranker", version: Self.version)
        end = Int64(try reader.integer("end", in: Int.min...Int.max))
        usesTimes = try reader.flags("uses_times", count: 1)[0]
        let unknown = try reader.floats("items.unknown", count: ItemCounts.Column.count)
        let values = try reader.floats("items")
        guard values.count.isMultiple(of: unknown.count) else { throw reader.failure("has \(values.count) numbers of items") }
        let count = values.count / unknown.count
        items = ItemCounts(columns: unknown.indices.map { Array(values[$0 * count..<($0 + 1) * count]) }, unknown: unknown)
        links = LinkTables(
            ease: try ItemLinks("ease", items: count, from: &reader), followers: try ItemLinks("followers", items: count, from: &reader),
            next: try ItemLinks("next", items: count, from: &reader), neighbours: try ItemLinks("neighbours", items: count, from: &reader))
        var groups: [ItemGroups] = []
        while reader.has("group\(groups.count)"), groups.count < 2 {
            groups.append(try ItemGroups("group\(groups.count)", items: count, from: &reader))
        }
        self.groups = groups
        tokens = try ItemTokens(items: count, from: &reader)
        popular = try reader.lists("popular", in: 0..<count)
        guard popular.count == Self.popularLists else { throw reader.failure("has \(popular.count) popular lists") }
        try reader.end()
    }
}

extension ItemLinks {
    fileprivate init(_ name: String, items: Int, from reader: inout PartReader) throws(PartFormatError) {
        let targets = try reader.int32("\(name).targets", in: 0...max(0, items - 1))
        let starts = try reader.int32("\(name).starts", count: items + 1, in: 0...targets.count)
        let weights = try reader.floats("\(name).weights", count: targets.count)
        guard starts.first == 0, starts.last.map(Int.init) == targets.count, zip(starts, starts.dropFirst()).allSatisfy(<=) else {
            throw reader.failure("holds \(name) that cannot be")
        }
        self.init(starts: starts, targets: targets, weights: weights)
    }
}

extension ItemTokens {
    fileprivate init(items: Int, from reader: inout PartReader) throws(PartFormatError) {
        let count = try reader.integer("tokens.count", in: 0...Int(Int32.max))
        let tokens = try reader.int32("tokens.tokens", in: 0...max(0, count - 1))
        let starts = try reader.int32("tokens.starts", count: items + 1, in: 0...tokens.count)
        guard starts.first == 0, starts.last.map(Int.init) == tokens.count, zip(starts, starts.dropFirst()).allSatisfy(<=) else {
            throw reader.failure("holds tokens that cannot be")
        }
        self.init(starts: starts, tokens: tokens, weights: try reader.floats("tokens.weights", count: tokens.count), tokenCount: count)
    }
}

extension ItemGroups {
    fileprivate init(_ name: String, items: Int, from reader: inout PartReader) throws(PartFormatError) {
        let popularity = try reader.floats("\(name).popularity"), count = popularity.count
        self.init(
            group: try reader.int32(name, count: items, in: -1...max(-1, count - 1)), popularity: popularity,
            recent: try reader.floats("\(name).recent", count: count), rebuyRate: try reader.floats("\(name).rebuy", count: count),
            top: try reader.lists("\(name).top", in: 0..<items))
        guard top.count == count else { throw reader.failure("has \(top.count) lists of \(count) groups") }
    }
}

extension PartTensors {
    /// Lists of rows, and where each ends.
    fileprivate mutating func add(_ name: String, lists: [[Int32]]) {
        var ends: [Int64] = [], count: Int64 = 0
        for list in lists {
            count += Int64(list.count)
            ends.append(count)
        }
        add("\(name).rows", .int32(lists.flatMap(\.self)))
        add("\(name).ends", .int64(ends))
    }
}

extension PartReader {
    fileprivate mutating func lists(_ name: String, in rows: Range<Int>) throws(PartFormatError) -> [[Int32]] {
        let all = try int32("\(name).rows", in: 0...max(0, rows.upperBound - 1)), ends = try integers("\(name).ends", in: 0...all.count)
        guard ends.last ?? 0 == all.count, zip(ends, ends.dropFirst()).allSatisfy(<=), all.isEmpty || !rows.isEmpty else {
            throw failure("holds \(name) that cannot be")
        }
        return ends.indices.map { Array(all[($0 > 0 ? ends[$0 - 1] : 0)..<ends[$0]]) }
    }
}

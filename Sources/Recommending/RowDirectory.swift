/// From item ids to rows. Ids are only ever added; copies share the large, old part.
///
/// Dictionaries are kept in levels, each at least twice the next one, so that adding to a copy touches the small last
/// level and a lookup tries few.
struct RowDirectory: Sendable {
    /// The last level is joined with the one before when it grows past this.
    private static let smallLevelEntries = 512

    private var levels: [[String: Int32]]
    private(set) var count: Int

    /// The rows are the places in `ids`. Of a repeated id the first row counts.
    init(_ ids: some Sequence<String>) {
        var first: [String: Int32] = [:]
        var next: Int32 = 0
        for id in ids {
            if first[id] == nil { first[id] = next }
            next += 1
        }
        levels = [first]
        count = Int(next)
    }

    func row(of id: String) -> Int32? {
        for level in levels {
            if let row = level[id] { return row }
        }
        return nil
    }

    /// Gives an id that is not known yet the next row.
    mutating func append(_ id: String) -> Int32 {
        let row = Int32(count)
        count += 1
        if levels.count == 1 || levels[levels.count - 1].count >= Self.smallLevelEntries {
            while levels.count > 2, levels[levels.count - 2].count <= 2 * levels[levels.count - 1].count {
                let last = levels.removeLast()
                levels[levels.count - 1].merge(last) { old, _ in old }
            }
            levels.append([:])
        }
        levels[levels.count - 1][id] = row
        return row
    }
}

/// Which row the members of groups are recommended by. Copies share the large part of the build.
struct VariantDirectory: Sendable {
    private var built: [String: Int32] = [:]
    /// What has changed since; −1 is no member any more.
    private var later: [String: Int32] = [:]

    /// Whether there never was a member.
    var isEmpty: Bool { built.isEmpty && later.isEmpty }

    init() {}

    /// Members of the rows of a build. Of one that is named twice the first row counts.
    init(_ entries: [CatalogueEntry]) {
        for (row, entry) in entries.enumerated() {
            for variant in entry.variants where built[variant.itemID] == nil { built[variant.itemID] = Int32(row) }
        }
    }

    func row(of itemID: String) -> Int32? {
        guard let row = later[itemID] ?? built[itemID], row >= 0 else { return nil }
        return row
    }

    /// Nil: it is a member no more.
    mutating func set(_ itemID: String, _ row: Int32?) {
        if let row { later[itemID] = row } else if self.row(of: itemID) != nil { later[itemID] = -1 }
    }
}

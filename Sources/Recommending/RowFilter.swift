/// Which rows a request may show: available, not excluded, of the category that it asks for.
struct RowFilter {
    private let catalogue: Catalogue
    private let category: String?
    private var blocked: RowSet
    /// How many different known items are excluded.
    private(set) var blockedCount = 0

    init(_ catalogue: Catalogue, category: String?, excluding lists: [String]...) {
        self.catalogue = catalogue
        self.category = category
        blocked = RowSet(rows: catalogue.count)
        for list in lists {
            for itemID in list {
                if let row = catalogue.row(of: itemID), blocked.insert(row) { blockedCount += 1 }
            }
        }
    }

    /// Excludes one more row.
    mutating func block(_ row: Int32) {
        if blocked.insert(row) { blockedCount += 1 }
    }

    @inline(__always)
    func admits(_ row: Int32) -> Bool {
        guard catalogue.available.contains(row), !blocked.contains(row) else { return false }
        guard let category else { return true }
        return catalogue[row].categories.contains(category)
    }
}

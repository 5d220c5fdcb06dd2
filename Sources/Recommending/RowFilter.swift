/// Which rows a request may show: available, not excluded, of the category that it asks for.
///
/// A class, since it is asked for thousands of rows through closures, each of which would copy a value's parts.
final class RowFilter {
    private let catalogue: Catalogue
    private let category: String?
    /// Available and not excluded.
    private let open: RowSet
    /// How many different known items are excluded.
    let blockedCount: Int

    /// - Parameter rows: more that are excluded.
    init(_ catalogue: Catalogue, category: String?, excluding lists: [String]..., rows: [Int32] = []) {
        self.catalogue = catalogue
        self.category = category
        var open = catalogue.available, blocked = RowSet(rows: catalogue.count), count = 0
        func block(_ row: Int32) {
            guard blocked.insert(row) else { return }
            open.remove(row)
            count += 1
        }
        for list in lists {
            for itemID in list {
                if let row = catalogue.row(of: itemID) { block(row) }
            }
        }
        for row in rows { block(row) }
        self.open = open
        blockedCount = count
    }

    @inline(__always)
    func admits(_ row: Int32) -> Bool {
        guard open.contains(row) else { return false }
        guard let category else { return true }
        return catalogue[row].categories.contains(category)
    }
}

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

    /// Rows of a category at most that are looked at one and all.
    private static let fewRows = 2_000

    /// All rows that may be admitted, each once, where these are few; nil else.
    var few: [Int32]? {
        guard let category else { return nil }
        let rows = catalogue.rows(mayBeIn: category)
        guard rows.count <= Self.fewRows else { return nil }
        var seen = RowSet(rows: catalogue.count)
        return rows.filter { admits($0) && seen.insert($0) }
    }

    /// About how many rows are admitted at most.
    var admissible: Int { category.map { catalogue.rows(mayBeIn: $0).count } ?? catalogue.count }

    @inline(__always)
    func admits(_ row: Int32) -> Bool {
        guard open.contains(row) else { return false }
        guard let category else { return true }
        return catalogue[row].categories.contains(category)
    }
}

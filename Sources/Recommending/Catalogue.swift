/// Every item that the snapshot knows, by row. Rows are never reused within a snapshot and its descendants.
struct Catalogue: Sendable {
    private(set) var entries: PagedArray<CatalogueEntry>
    private(set) var available: RowSet
    private var directory: RowDirectory
    private var categoryNumbers: [String: Int]
    /// Rows that are or were in a category, in the order of arrival: readers check the entry.
    private var postings: [[Int32]]
    /// The finest categories that items have or had, and whether one has none.
    private var finest: Set<String> = [], hasUnsorted = false

    /// Rows are the places in `entries`. Of a repeated id the first one counts; the others are not available.
    init(_ entries: [CatalogueEntry]) {
        self.entries = PagedArray(entries)
        directory = RowDirectory(entries.lazy.map(\.itemID))
        available = RowSet(rows: entries.count)
        categoryNumbers = [:]
        postings = []
        for (place, entry) in entries.enumerated() {
            let row = Int32(place)
            guard directory.row(of: entry.itemID) == row else { continue }
            if entry.available { available.insert(row) }
            post(row, in: entry.categories)
            noteFinest(entry)
        }
    }

    var count: Int { entries.count }

    func row(of itemID: String) -> Int32? {
        directory.row(of: itemID)
    }

    subscript(row: Int32) -> CatalogueEntry {
        entries[Int(row)]
    }

    /// Rows that may be in a category, oldest first, with possible repeats and rows that have left it.
    func rows(mayBeIn category: String) -> [Int32] {
        categoryNumbers[category].map { postings[$0] } ?? []
    }

    /// Adds or replaces an item; says which row it has.
    mutating func upsert(_ entry: CatalogueEntry) -> Int32 {
        noteFinest(entry)
        if let row = directory.row(of: entry.itemID) {
            let before = entries[Int(row)].categories
            post(row, in: entry.categories.filter { !before.contains($0) })
            entries[Int(row)] = entry
            setAvailable(row, entry.available)
            return row
        }
        let row = directory.append(entry.itemID)
        entries.append(entry)
        setAvailable(row, entry.available)
        post(row, in: entry.categories)
        return row
    }

    /// Makes an item unavailable. Nothing happens where it is not known.
    mutating func delete(_ itemID: String) {
        guard let row = directory.row(of: itemID) else { return }
        entries[Int(row)].available = false
        available.remove(row)
    }

    private mutating func noteFinest(_ entry: CatalogueEntry) {
        if let category = entry.categories.last { finest.insert(category) } else { hasUnsorted = true }
    }

    /// Whether an item may be of no category, or of a finest one that is not among some.
    ///
    /// - Complexity: O(categories)
    func hasCategory(apart known: Set<String>) -> Bool {
        hasUnsorted || finest.count > known.count || finest.contains { !known.contains($0) }
    }

    private mutating func setAvailable(_ row: Int32, _ value: Bool) {
        if value { available.insert(row) } else { available.remove(row) }
    }

    private mutating func post(_ row: Int32, in categories: [String]) {
        for category in categories {
            if let number = categoryNumbers[category] {
                postings[number].append(row)
            } else {
                categoryNumbers[category] = postings.count
                postings.append([row])
            }
        }
    }
}

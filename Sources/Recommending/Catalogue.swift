import Interactions

/// Every item that the snapshot knows, by row. Rows are never reused within a snapshot and its descendants.
struct Catalogue: Sendable {
    private(set) var entries: PagedArray<CatalogueEntry>
    private(set) var available: RowSet
    private var directory: RowDirectory
    private var variants: VariantDirectory
    /// Rows for which time changes whether they are available, and when it does so next.
    private var timed: [Int32] = []
    private(set) var nextChange: EventTime?
    private var categoryNumbers: [String: Int]
    /// Rows that are or were in a category, in the order of arrival: readers check the entry.
    private var postings: [[Int32]]
    /// The finest categories that items have or had, and whether one has none.
    private var finest: Set<String> = [], hasUnsorted = false

    /// Rows are the places in `entries`. Of a repeated id the first one counts; the others are not available.
    init(_ entries: [CatalogueEntry]) {
        self.entries = PagedArray(entries)
        directory = RowDirectory(entries.lazy.map(\.itemID))
        variants = VariantDirectory(entries)
        available = RowSet(rows: entries.count)
        categoryNumbers = [:]
        postings = []
        for (place, entry) in entries.enumerated() {
            let row = Int32(place)
            guard directory.row(of: entry.itemID) == row else { continue }
            if entry.available { available.insert(row) }
            note(entry, row)
            post(row, in: entry.categories)
            noteFinest(entry)
        }
    }

    var count: Int { entries.count }

    /// Whether there are groups, or were.
    var hasVariants: Bool { !variants.isEmpty }

    /// The row of an item, or of the group that it is a member of.
    func row(of itemID: String) -> Int32? {
        if !variants.isEmpty, let row = variants.row(of: itemID) { return row }
        return directory.row(of: itemID)
    }

    /// The ids of the items that a row stands for: its own, or those of a group's members.
    func itemIDs(of row: Int32) -> [String] {
        let entry = entries[Int(row)]
        return entry.variants.isEmpty ? [entry.itemID] : entry.variants.map(\.itemID)
    }

    subscript(row: Int32) -> CatalogueEntry {
        entries[Int(row)]
    }

    /// Rows that may be in a category, oldest first, with possible repeats and rows that have left it.
    func rows(mayBeIn category: String) -> [Int32] {
        categoryNumbers[category].map { postings[$0] } ?? []
    }

    /// Adds or replaces an item or a group; says which row it has, and which rows nothing is left of, since it joins or leaves a group.
    mutating func upsert(_ entry: CatalogueEntry) -> (row: Int32, gone: [Int32]) {
        noteFinest(entry)
        var gone: [Int32] = []
        if !variants.isEmpty, entry.variants.isEmpty, let group = variants.row(of: entry.itemID) {
            if drop(entry.itemID, from: group) { gone.append(group) }
        }
        let known = directory.row(of: entry.itemID), row = known ?? directory.append(entry.itemID)
        if known != nil {
            let before = entries[Int(row)]
            for variant in before.variants where variants.row(of: variant.itemID) == row { variants.set(variant.itemID, nil) }
            post(row, in: entry.categories.filter { !before.categories.contains($0) })
            entries[Int(row)] = entry
        } else {
            entries.append(entry)
            post(row, in: entry.categories)
        }
        for variant in entry.variants {
            if let other = variants.row(of: variant.itemID), other != row, drop(variant.itemID, from: other) { gone.append(other) }
            if let own = directory.row(of: variant.itemID), setAvailable(own, false) { gone.append(own) }
            variants.set(variant.itemID, row)
        }
        setAvailable(row, entry.available)
        note(entry, row)
        return (row, gone)
    }

    /// Makes an item unavailable, or takes a member out of its group. Nothing happens where it is not known.
    ///
    /// - Returns: the row that nothing is left of.
    mutating func delete(_ itemID: String) -> Int32? {
        if !variants.isEmpty, let group = variants.row(of: itemID) { return drop(itemID, from: group) ? group : nil }
        guard let row = directory.row(of: itemID) else { return nil }
        for variant in entries[Int(row)].variants where variants.row(of: variant.itemID) == row { variants.set(variant.itemID, nil) }
        entries[Int(row)].variants = []
        entries[Int(row)].available = false
        available.remove(row)
        return row
    }

    /// Takes a member out of a group; says whether that leaves nothing of it.
    private mutating func drop(_ itemID: String, from row: Int32) -> Bool {
        variants.set(itemID, nil)
        entries[Int(row)].variants.removeAll { $0.itemID == itemID }
        entries[Int(row)].available = entries[Int(row)].variants.contains(where: \.available)
        setAvailable(row, entries[Int(row)].available)
        return entries[Int(row)].variants.isEmpty
    }

    /// Goes to a time; says which rows became available or unavailable.
    mutating func advance(to now: EventTime) -> [(row: Int32, available: Bool)] {
        var changed: [(row: Int32, available: Bool)] = [], left: [Int32] = []
        nextChange = nil
        for row in timed {
            let entry = entries[Int(row)]
            guard entry.isTimed else { continue }
            let next = entry.at(now)
            if next != entry { entries[Int(row)] = next }
            if setAvailable(row, next.available) { changed.append((row, next.available)) }
            guard let change = next.nextChange(after: now) else { continue }
            left.append(row)
            nextChange = min(nextChange ?? change, change)
        }
        timed = left
        return changed
    }

    /// Notes when time changes an entry. One whose window has begun when it comes is looked at in the next advance.
    private mutating func note(_ entry: CatalogueEntry, _ row: Int32) {
        guard entry.isTimed else { return }
        timed.append(row)
        let windows = ([(entry.window, entry.available)] + entry.variants.map { ($0.window, $0.available) })
        for case (let window?, let available) in windows {
            guard let change = available ? window.until : window.from ?? window.until else { continue }
            nextChange = min(nextChange ?? change, change)
        }
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

    /// Says whether that changed something.
    @discardableResult
    private mutating func setAvailable(_ row: Int32, _ value: Bool) -> Bool {
        guard available.contains(row) != value else { return false }
        if value { available.insert(row) } else { available.remove(row) }
        return true
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

import ContentModel

/// The items that a request compares with its user's content one by one: those without training, the newest of them.
///
/// They stand in pages in the order of arrival, packed. An item that changes or goes leaves its place, which is passed over from
/// then on; when most places are left ones, the others move together. A copy that takes in a few items shares all but the last page.
struct ContentScan: Sendable {
    /// Places of a page.
    private static let pageItems = 64

    private struct Page {
        var rows: [Int32] = []
        var contents: PackedContents
    }

    private let dimension: Int
    private var pages: [Page] = []
    /// Where a row stands.
    private var places = RowMap<Int32>()
    /// Places that nobody stands at any more.
    private var left = RowSet(rows: 0)

    /// Nothing to compare. The dimension is that of the channel's space, or 0.
    init(dimension: Int) {
        self.dimension = dimension
    }

    /// Rows that are compared.
    var count: Int { places.count }

    /// Takes in a row as the newest, or again where its content has changed.
    mutating func add(_ item: ContentChannel.Item, row: Int32) {
        remove(row)
        if pages.last.map({ $0.rows.count == Self.pageItems }) ?? true {
            pages.append(Page(contents: PackedContents(dimension: dimension)))
        }
        let page = pages.count - 1
        places[row] = Int32(page * Self.pageItems + pages[page].rows.count)
        pages[page].rows.append(row)
        pages[page].contents.append(item)
    }

    /// Whether a row is compared.
    @inline(__always)
    func contains(_ row: Int32) -> Bool { places[row] != nil }

    /// Leaves a row out.
    mutating func remove(_ row: Int32) {
        guard let place = places[row] else { return }
        left.insert(place)
        places[row] = nil
    }

    /// Whether more places are left than taken, and more than a few pages of them.
    var isSparse: Bool { pages.count > 8 && pages.count * Self.pageItems > 2 * places.count }

    /// The rows in the order of arrival.
    var rows: [Int32] {
        var rows: [Int32] = []
        rows.reserveCapacity(places.count)
        for (number, page) in pages.enumerated() {
            for (slot, row) in page.rows.enumerated() where !left.contains(Int32(number * Self.pageItems + slot)) { rows.append(row) }
        }
        return rows
    }

    /// Calls `body` with the newest rows, at most `limit`, and the score of each by its content alone.
    func forEachScore(
        _ limit: Int, _ channel: ContentChannel, profile: ContentChannel.Profile?, level: Float, _ body: (Int32, Float) -> Void
    ) {
        var open = limit
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.pageItems) { scores in
            guard let start = scores.baseAddress else { return }
            for number in pages.indices.reversed() where open > 0 {
                let page = pages[number]
                page.contents.score(channel, profile: profile, level: level, into: start)
                for slot in page.rows.indices.reversed() where open > 0 && !left.contains(Int32(number * Self.pageItems + slot)) {
                    body(page.rows[slot], scores[slot])
                    open -= 1
                }
            }
        }
    }
}

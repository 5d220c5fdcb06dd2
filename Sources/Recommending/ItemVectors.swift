/// Item vectors by row: a large immutable base, which the index covers, and those that came later.
///
/// Later vectors (fresh items, replaced vectors) are few and searched by brute force.
struct ItemVectors: Sendable {
    private static let pageVectors = 256

    let dimension: Int
    /// Rows `0..<baseCount` have a vector in ``base``.
    let baseCount: Int
    private let base: [Float]
    /// Base rows whose vector was replaced: the index's answer for them is out of date.
    private(set) var replaced: RowSet
    /// The row of each later vector.
    private(set) var laterRows: [Int32] = []
    private var laterOrigins: [VectorOrigin] = []
    /// Where a row's later vector stands.
    private var slots = RowMap<Int32>()
    /// `[pageVectors, dimension]` each.
    private var pages: [[Float]] = []

    init(base: [Float], dimension: Int) {
        precondition(
            base.count % max(dimension, 1) == 0,
            "\(base.count) floats are no whole number of vectors of dimension \(dimension)")
        self.base = base
        self.dimension = dimension
        baseCount = dimension > 0 ? base.count / dimension : 0
        replaced = RowSet(rows: 0)
    }

    func hasVector(_ row: Int32) -> Bool {
        isBase(row) || slots[row] != nil
    }

    func origin(of row: Int32) -> VectorOrigin? {
        if let slot = slots[row] { return laterOrigins[Int(slot)] }
        return isBase(row) ? .trained : nil
    }

    /// Whether the row's vector is the one of the build.
    @inline(__always)
    private func isBase(_ row: Int32) -> Bool { Int(row) < baseCount && !replaced.contains(row) }

    /// Sets a row's vector, to be found by brute force from now on.
    mutating func set(_ vector: [Float], origin: VectorOrigin, for row: Int32) {
        precondition(
            vector.count == dimension, "a vector of \(vector.count) elements does not fit dimension \(dimension)")
        // A change of the stock, or of what else the model does not see, leaves the index as it is.
        if isBase(row), withVector(row, { [vector] in vector.elementsEqual(UnsafeBufferPointer(start: $0, count: dimension)) }) == true {
            return
        }
        let slot: Int
        if let known = slots[row] {
            slot = Int(known)
            laterOrigins[slot] = origin
        } else {
            slot = laterRows.count
            slots[row] = Int32(slot)
            laterRows.append(row)
            laterOrigins.append(origin)
            if slot % Self.pageVectors == 0 {
                pages.append([Float](repeating: 0, count: Self.pageVectors * dimension))
            }
            if Int(row) < baseCount { replaced.insert(row) }
        }
        pages[slot / Self.pageVectors].replaceSubrange(slotRange(slot), with: vector)
    }

    /// Forgets a later vector: the last one takes its place. A vector of the build stays.
    mutating func remove(_ row: Int32) {
        guard let place = slots[row].map(Int.init), let last = laterRows.last else { return }
        let end = laterRows.count - 1
        slots[row] = nil
        if place != end {
            let moved = Array(pages[end / Self.pageVectors][slotRange(end)])
            pages[place / Self.pageVectors].replaceSubrange(slotRange(place), with: moved)
            laterRows[place] = last
            laterOrigins[place] = laterOrigins[end]
            slots[last] = Int32(place)
        }
        laterRows.removeLast()
        laterOrigins.removeLast()
        if end % Self.pageVectors == 0 { pages.removeLast() }
    }

    /// Where a slot's vector stands in its page.
    private func slotRange(_ slot: Int) -> Range<Int> {
        let start = slot % Self.pageVectors * dimension
        return start..<start + dimension
    }

    /// Calls `body` with the row's vector, or returns nil where it has none.
    @inline(__always)
    func withVector<Result>(_ row: Int32, _ body: (UnsafePointer<Float>) -> Result) -> Result? {
        if isBase(row) {
            return base.withUnsafeBufferPointer { vectors in
                vectors.baseAddress.map { body($0 + Int(row) * dimension) }
            }
        }
        guard let slot = slots[row].map(Int.init) else { return nil }
        return pages[slot / Self.pageVectors].withUnsafeBufferPointer { vectors in
            vectors.baseAddress.map { body($0 + slot % Self.pageVectors * dimension) }
        }
    }

    /// A copy of the row's vector.
    func vector(_ row: Int32) -> [Float]? {
        withVector(row) { Array(UnsafeBufferPointer(start: $0, count: dimension)) }
    }

    /// The inner product of the row's vector and a query of ``dimension`` elements.
    @inline(__always)
    func score(_ row: Int32, _ query: UnsafePointer<Float>) -> Float? {
        withVector(row) { innerProduct($0, query, dimension) }
    }

    /// Calls `body` with every later row and its score.
    func forEachLater(_ query: UnsafePointer<Float>, _ body: (Int32, Float) -> Void) {
        var slot = 0
        for page in pages {
            page.withUnsafeBufferPointer { vectors in
                guard var vector = vectors.baseAddress else { return }
                let end = min(slot + Self.pageVectors, laterRows.count)
                while slot < end {
                    body(laterRows[slot], innerProduct(vector, query, dimension))
                    vector += dimension
                    slot += 1
                }
            }
        }
    }
}

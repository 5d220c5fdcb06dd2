import CFaiss
import Recommending

/// A few vectors that come and go, searched one by one. A copy shares the pages that do not change.
struct FreshVectors: Sendable {
    private static let pageVectors = 256

    let dimension: Int
    /// The row in each slot. Slots are filled without gaps: the last one moves where one is given up.
    private(set) var rows: [Int32] = []
    private var slots: [Int32: Int32] = [:]
    /// `[pageVectors, dimension]` each.
    private var pages: [[Float]] = []

    init(dimension: Int) {
        self.dimension = dimension
    }

    var count: Int { rows.count }

    /// What is held: vectors, and about three numbers a row.
    var memoryBytes: Int { pages.count * Self.pageVectors * dimension * 4 + rows.count * 16 }

    func contains(_ row: Int32) -> Bool { slots[row] != nil }

    func vector(of row: Int32) -> [Float]? {
        guard let slot = slots[row].map(Int.init) else { return nil }
        let start = slot % Self.pageVectors * dimension
        return Array(pages[slot / Self.pageVectors][start..<start + dimension])
    }

    /// Adds or replaces the vector of a row.
    mutating func set(_ vector: [Float], for row: Int32) {
        if let slot = slots[row] { return put(vector, Int(slot)) }
        slots[row] = Int32(rows.count)
        rows.append(row)
        if pages.count * Self.pageVectors < rows.count {
            pages.append([Float](repeating: 0, count: Self.pageVectors * dimension))
        }
        put(vector, rows.count - 1)
    }

    /// Says whether the row was there.
    mutating func remove(_ row: Int32) -> Bool {
        guard let slot = slots.removeValue(forKey: row) else { return false }
        let last = rows.count - 1
        if Int(slot) < last, let moved = vector(of: rows[last]) {
            put(moved, Int(slot))
            rows[Int(slot)] = rows[last]
            slots[rows[last]] = slot
        }
        rows.removeLast()
        if pages.count > (rows.count + Self.pageVectors - 1) / Self.pageVectors { pages.removeLast() }
        return true
    }

    private mutating func put(_ vector: [Float], _ slot: Int) {
        let start = slot % Self.pageVectors * dimension
        pages[slot / Self.pageVectors].replaceSubrange(start..<start + dimension, with: vector)
    }

    /// Offers every admitted row.
    func offer(to top: inout TopRows, _ query: UnsafeBufferPointer<Float>, admits: (Int32) -> Bool) {
        guard let query = query.baseAddress else { return }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.pageVectors) { scores in
            guard let scores = scores.baseAddress else { return }
            for (number, page) in pages.enumerated() {
                let first = number * Self.pageVectors
                let size = min(Self.pageVectors, rows.count - first)
                vector_scan(page, Int64(size), Int32(dimension), query, scores)
                for place in 0..<size where top.wouldKeep(scores[place]) && admits(rows[first + place]) {
                    top.offer(rows[first + place], scores[place])
                }
            }
        }
    }
}

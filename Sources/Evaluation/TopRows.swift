/// The `count` best rows of a score vector, best first; equal scores stand in row order.
///
/// Rows for which `excluded` holds and rows whose score is not a number are left out. A bounded heap: O(n log count).
public func topRows(
    _ count: Int, of scores: UnsafeBufferPointer<Float>, excluding excluded: (Int32) -> Bool = { _ in false }
) -> [Int32] {
    guard count > 0 else { return [] }
    // A binary heap with the worst kept row at its root.
    var heap: [(score: Float, row: Int32)] = []
    heap.reserveCapacity(min(count, scores.count))
    func worse(_ a: (score: Float, row: Int32), _ b: (score: Float, row: Int32)) -> Bool {
        a.score < b.score || (a.score == b.score && a.row > b.row)
    }
    func siftDown(_ start: Int, _ end: Int) {
        var root = start
        while 2 * root + 1 < end {
            var child = 2 * root + 1
            if child + 1 < end, worse(heap[child + 1], heap[child]) { child += 1 }
            guard worse(heap[child], heap[root]) else { return }
            heap.swapAt(root, child)
            root = child
        }
    }
    for row in 0..<scores.count {
        let entry = (score: scores[row], row: Int32(row))
        guard !entry.score.isNaN else { continue }
        if heap.count < count {
            if excluded(entry.row) { continue }
            heap.append(entry)
            if heap.count == count {
                for start in stride(from: count / 2 - 1, through: 0, by: -1) { siftDown(start, count) }
            }
        } else if worse(heap[0], entry), !excluded(entry.row) {
            heap[0] = entry
            siftDown(0, count)
        }
    }
    return heap.sorted { worse($1, $0) }.map(\.row)
}

/// The `count` best rows of a score array, best first; see the variant over a buffer.
public func topRows(_ count: Int, of scores: [Float], excluding excluded: (Int32) -> Bool = { _ in false }) -> [Int32] {
    scores.withUnsafeBufferPointer { topRows(count, of: $0, excluding: excluded) }
}

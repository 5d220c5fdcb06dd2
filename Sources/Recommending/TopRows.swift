/// The best few of many candidates: a bounded heap whose root is the worst that is kept.
///
/// Of equal scores the smaller row is better, so the result does not depend on the order of arrival.
public struct TopRows: Sendable {
    @usableFromInline let limit: Int
    @usableFromInline var heap: [Candidate] = []

    /// Keeps at most `limit` candidates.
    public init(limit: Int) {
        self.limit = limit
        heap.reserveCapacity(min(max(limit, 0), 4_096))
    }

    /// Whether a score is good enough for its candidate to be looked at: a cheap test before a dear filter.
    @inlinable
    public func wouldKeep(_ score: Float) -> Bool {
        heap.count < limit || (limit > 0 && score >= heap[0].score)
    }

    /// Offers a candidate. A score that is not a finite number is ignored.
    @inlinable
    public mutating func offer(_ row: Int32, _ score: Float) {
        guard score.isFinite, wouldKeep(score) else { return }
        let candidate = Candidate(row: row, score: score)
        if heap.count < limit {
            heap.append(candidate)
            rise()
        } else if Self.isBetter(candidate, heap[0]) {
            heap[0] = candidate
            sink()
        }
    }

    /// The candidates, best first.
    public func sorted() -> [Candidate] {
        heap.sorted(by: Self.isBetter)
    }

    @usableFromInline
    static func isBetter(_ left: Candidate, _ right: Candidate) -> Bool {
        left.score > right.score || (left.score == right.score && left.row < right.row)
    }

    @usableFromInline
    mutating func rise() {
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.isBetter(heap[parent], heap[child]) else { return }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    @usableFromInline
    mutating func sink() {
        var parent = 0
        while true {
            var worst = parent
            let left = 2 * parent + 1
            if left < heap.count, Self.isBetter(heap[worst], heap[left]) { worst = left }
            if left + 1 < heap.count, Self.isBetter(heap[worst], heap[left + 1]) { worst = left + 1 }
            if worst == parent { return }
            heap.swapAt(worst, parent)
            parent = worst
        }
    }
}

import Recommending
import Synchronization

/// When an index that has changed is built anew.
public struct RebuildPolicy: Sendable, Equatable {
    /// So many vectors outside the large index at most: each search compares all of them.
    public var maxFreshItems: Int
    /// The share of the large index that may be removed or replaced: what is still looked at and never found.
    public var maxRemovedShare: Double

    /// Makes a policy.
    public init(maxFreshItems: Int = 20_000, maxRemovedShare: Double = 0.2) {
        self.maxFreshItems = max(maxFreshItems, 0)
        self.maxRemovedShare = maxRemovedShare
    }

    /// Whether an index of `indexed` rows, of which `removed` are no longer valid, beside `fresh` others is to be built anew.
    public func isDue(indexed: Int, removed: Int, fresh: Int) -> Bool {
        fresh > maxFreshItems || Double(removed) > maxRemovedShare * Double(max(indexed, 1))
    }
}

/// A change of a ``LiveIndex``.
public enum IndexChange: Sendable, Equatable {
    /// Adds the row, or replaces its vector.
    case set(row: Int32, vector: [Float])
    /// Removes the row; nothing happens where it is not there.
    case remove(row: Int32)

    var row: Int32 {
        switch self {
        case .set(let row, _): row
        case .remove(let row): row
        }
    }
}

/// An index that changes while it is searched: a large one that is built from time to time, and a small exact one with what
/// came since, searched as one.
///
/// A search sees all of a batch of changes or none of it. Searches and changes may come from any thread; a rebuild blocks its
/// caller and nobody else.
public final class LiveIndex: Sendable {
    private struct State {
        var base: ItemIndex?
        /// The row of each place in ``base``, ascending.
        var baseRows: [Int32] = []
        /// Places whose row was removed or replaced.
        var removed: [UInt64] = []
        var removedCount = 0
        var fresh: FreshVectors
        /// Changes since a rebuild began; nil where none runs.
        var pending: [IndexChange]?

        func place(of row: Int32) -> Int? {
            var low = 0
            var high = baseRows.count
            while low < high {
                let middle = (low + high) / 2
                if baseRows[middle] < row { low = middle + 1 } else { high = middle }
            }
            return low < baseRows.count && baseRows[low] == row ? low : nil
        }

        func isRemoved(_ place: Int) -> Bool { removed[place >> 6] & (1 << UInt64(place & 63)) != 0 }

        mutating func apply(_ change: IndexChange) {
            if let place = place(of: change.row), !isRemoved(place) {
                removed[place >> 6] |= 1 << UInt64(place & 63)
                removedCount += 1
            }
            switch change {
            case .set(let row, let vector): fresh.set(vector, for: row)
            case .remove(let row): _ = fresh.remove(row)
            }
        }

        mutating func setBase(_ index: ItemIndex?, rows: [Int32]) {
            base = index
            baseRows = rows
            removed = [UInt64](repeating: 0, count: (rows.count + 63) / 64)
            removedCount = 0
        }
    }

    public let dimension: Int
    public let policy: RebuildPolicy
    private let kind: IndexKind
    private let goal: IndexGoal
    private let state: Mutex<State>

    /// Builds the index of `vectors`, `[count, dimension]`, row-major, under the rows `0..<count`. The call blocks.
    public init(
        vectors: [Float], dimension: Int, threads: Int = 1, kind: IndexKind = .automatic, goal: IndexGoal = IndexGoal(),
        policy: RebuildPolicy = RebuildPolicy()
    ) throws(VectorIndexError) {
        self.dimension = dimension
        self.policy = policy
        self.kind = kind
        self.goal = goal
        var first = State(fresh: FreshVectors(dimension: dimension))
        let base = try ItemIndex.build(vectors: vectors, dimension: dimension, threads: threads, kind: kind, goal: goal)
        first.setBase(base, rows: Array(0..<Int32(base.count)))
        state = Mutex(first)
    }

    /// Rows that a search can find.
    public var count: Int { state.withLock { $0.baseRows.count - $0.removedCount + $0.fresh.count } }
    /// Rows outside the large index.
    public var freshCount: Int { state.withLock { $0.fresh.count } }
    /// Rows of the large index that are no longer valid.
    public var removedCount: Int { state.withLock { $0.removedCount } }

    /// Whether ``policy`` asks for a rebuild.
    public var isRebuildDue: Bool {
        state.withLock { policy.isDue(indexed: $0.baseRows.count, removed: $0.removedCount, fresh: $0.fresh.count) }
    }

    /// What it holds: the fresh vectors count as codes, the marks of removed rows as places.
    public var memory: IndexMemory {
        state.withLock { state in
            var memory = state.base?.memory ?? IndexMemory()
            memory.codes += state.fresh.memoryBytes
            memory.rows += state.baseRows.count * 4
            memory.places += state.removed.count * 8
            return memory
        }
    }

    /// Makes changes, all at once: of several of one row the last one counts. A vector of another dimension or one that is not
    /// finite refuses the whole batch, by name.
    public func apply(_ changes: [IndexChange]) throws(VectorIndexError) {
        for change in changes {
            guard change.row >= 0 else {
                throw VectorIndexError(.invalidInput, "Row \(change.row) is negative; rows start at 0.")
            }
            guard case .set(let row, let vector) = change else { continue }
            guard vector.count == dimension else {
                throw VectorIndexError(
                    .invalidInput, "The vector of row \(row) has \(vector.count) components, not \(dimension).")
            }
            if let place = vector.firstIndex(where: { !$0.isFinite }) {
                throw VectorIndexError(
                    .invalidInput, "Row \(row), element \(place) is \(vector[place]). Leave such vectors out.")
            }
        }
        state.withLock { state in
            for change in changes { state.apply(change) }
            state.pending?.append(contentsOf: changes)
        }
    }

    /// The best `count` rows, best first; equal scores are ordered by row.
    public func search(_ query: UnsafeBufferPointer<Float>, count: Int) -> [Candidate] {
        search(query, count: count, admissible: .max) { _ in true }
    }

    /// The best `count` rows that `admits` takes; the filter comes before the cut. See ``CandidateIndex``.
    public func search(
        _ query: UnsafeBufferPointer<Float>, count: Int, admissible: Int, admits: (Int32) -> Bool
    ) -> [Candidate] {
        guard count > 0, VectorInput.accepts(query, dimension: dimension) else { return [] }
        let state = state.withLock { $0 }
        var top = TopRows(limit: count)
        state.fresh.offer(to: &top, query, admits: admits)
        if let base = state.base {
            let live = state.baseRows.count - state.removedCount
            let found = base.search(query, count: count, admissible: min(admissible, live)) { place in
                !state.isRemoved(Int(place)) && admits(state.baseRows[Int(place)])
            }
            for candidate in found { top.offer(state.baseRows[Int(candidate.row)], candidate.score) }
        }
        return top.sorted()
    }

    /// Builds the large index anew from what is valid now, where ``policy`` asks for it and no other rebuild runs. Searches go on
    /// with the old one meanwhile; changes that come meanwhile are in both.
    ///
    /// - Parameter original: the vector of a row as it was given. Without it, vectors of byte codes are rebuilt from these.
    /// - Returns: whether it was built.
    @discardableResult
    public func rebuildIfDue(
        threads: Int = 1, original: (Int32) -> [Float]? = { _ in nil }
    ) throws(VectorIndexError) -> Bool {
        let begun = state.withLock { state -> State? in
            guard state.pending == nil,
                policy.isDue(indexed: state.baseRows.count, removed: state.removedCount, fresh: state.fresh.count)
            else { return nil }
            state.pending = []
            return state
        }
        guard let begun else { return false }
        do throws(VectorIndexError) {
            let (rows, vectors) = Self.live(begun, original)
            let base = try ItemIndex.build(vectors: vectors, dimension: dimension, threads: threads, kind: kind, goal: goal)
            state.withLock { state in
                let pending = state.pending ?? []
                state.setBase(base, rows: rows)
                state.fresh = FreshVectors(dimension: dimension)
                state.pending = nil
                for change in pending { state.apply(change) }
            }
            return true
        } catch {
            state.withLock { $0.pending = nil }
            throw error
        }
    }

    /// Valid rows, ascending, with their vectors.
    private static func live(_ state: State, _ original: (Int32) -> [Float]?) -> ([Int32], [Float]) {
        var rows: [Int32] = []
        for (place, row) in state.baseRows.enumerated() where !state.isRemoved(place) { rows.append(row) }
        rows.append(contentsOf: state.fresh.rows)
        rows.sort()
        var kept: [Int32] = []
        var vectors: [Float] = []
        kept.reserveCapacity(rows.count)
        vectors.reserveCapacity(rows.count * state.fresh.dimension)
        for row in rows {
            let vector = state.fresh.vector(of: row) ?? original(row)
                ?? state.place(of: row).flatMap { state.base?.vector(of: Int32($0)) }
            guard let vector, vector.count == state.fresh.dimension else { continue }
            kept.append(row)
            vectors.append(contentsOf: vector)
        }
        return (kept, vectors)
    }
}

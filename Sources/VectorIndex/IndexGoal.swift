import Recommending
import Tensors

/// What an index shall reach, and how that is measured while it is built.
public struct IndexGoal: Sendable, Equatable {
    /// The share of the exact best ``count`` rows that a search shall find, on average over queries.
    public var recall: Double
    /// How many items an answer has, over which the recall is measured.
    public var count: Int
    /// Queries to measure with, `[_, dimension]`, row-major. Empty: rows of the index, each of which is left out of its own
    /// answers. Queries of the kind that serving asks give a truer figure.
    public var queries: [Float]
    /// At most so many queries are used.
    public var maxQueries: Int

    /// Makes a goal.
    public init(recall: Double = 0.95, count: Int = 100, queries: [Float] = [], maxQueries: Int = 256) {
        self.recall = recall
        self.count = count
        self.queries = queries
        self.maxQueries = maxQueries
    }
}

/// Queries with their exact answers.
struct MeasuredQueries {
    private let dimension: Int
    private let count: Int
    private let threads: Int
    private var queries: [Float] = []
    private var truths: [Set<Int32>] = []
    /// The row that a query is, which does not count as found; -1 where it is none.
    private var own: [Int32] = []

    init(_ goal: IndexGoal, vectors: [Float], dimension: Int, threads: Int) throws(VectorIndexError) {
        let rows = vectors.count / dimension
        guard 0...1 ~= goal.recall, goal.count > 0, goal.maxQueries > 0, goal.queries.count % dimension == 0,
            goal.queries.allSatisfy(\.isFinite)
        else {
            throw VectorIndexError(
                .invalidInput,
                "Recall must be in 0...1, count and maxQueries at least 1, and queries finite and of dimension \(dimension).")
        }
        self.dimension = dimension
        self.threads = threads
        if goal.queries.isEmpty {
            // Evenly over the rows: no randomness is needed, and a rebuild of the same vectors measures the same.
            let size = min(goal.maxQueries, rows)
            for place in 0..<size {
                let row = place * rows / size
                queries.append(contentsOf: vectors[row * dimension..<(row + 1) * dimension])
                own.append(Int32(row))
            }
        } else {
            queries = Array(goal.queries.prefix(goal.maxQueries * dimension))
            own = [Int32](repeating: -1, count: queries.count / dimension)
        }
        count = max(1, min(goal.count, own.first == -1 ? rows : rows - 1))
        let best = try ExactSearch.rows(
            vectors: vectors, dimension: dimension, queries: queries, count: count + 1, threads: threads)
        for (place, rows) in best.enumerated() {
            truths.append(Set(rows.filter { $0 != own[place] }.prefix(count)))
        }
    }

    /// The mean recall of a search, which is asked from several threads at once, and its standard error over the queries.
    func recall(_ search: (UnsafeBufferPointer<Float>, Int) -> [Candidate]) -> (mean: Double, error: Double) {
        guard !own.isEmpty else { return (1, 0) }
        var shares = [Double](repeating: 0, count: truths.count)
        shares.withUnsafeMutableBufferPointer { shares in
            parallelFor(count: truths.count, threads: threads) { places, _ in
                for place in places where !truths[place].isEmpty { shares[place] = share(place, search) }
            }
        }
        // In the order of the queries: the same for any number of threads.
        var sum = 0.0
        var squares = 0.0
        for share in shares {
            sum += share
            squares += share * share
        }
        let number = Double(own.count)
        let mean = sum / number
        return (mean, (max(0, squares / number - mean * mean) / number).squareRoot())
    }

    /// The share of a query's truth that a search finds.
    private func share(_ place: Int, _ search: (UnsafeBufferPointer<Float>, Int) -> [Candidate]) -> Double {
        queries.withUnsafeBufferPointer { queries in
            let query = UnsafeBufferPointer(rebasing: queries[place * dimension..<(place + 1) * dimension])
            let found = search(query, count + 1).lazy.filter { $0.row != own[place] }.prefix(count)
            return Double(found.filter { truths[place].contains($0.row) }.count) / Double(truths[place].count)
        }
    }

    /// The fewest probes out of `0...most` whose recall is at least the goal with one standard error to spare, and the
    /// recall there; nil where even all of them have less.
    func fewest(_ most: Int, for goal: Double, _ recall: (Int) -> (mean: Double, error: Double)) -> (Int, Double)? {
        func reaches(_ measured: (mean: Double, error: Double)) -> Bool { measured.mean - measured.error >= goal }
        var high = 1
        var measured = recall(high)
        while !reaches(measured) {
            guard high < most else { return nil }
            high = min(high * 2, most)
            measured = recall(high)
        }
        var low = high / 2
        // A twentieth nearer changes nothing that can be felt.
        while high - low > max(1, high / 20) {
            let middle = (low + high) / 2
            let there = recall(middle)
            if reaches(there) { (high, measured) = (middle, there) } else { low = middle }
        }
        return (high, measured.mean)
    }
}

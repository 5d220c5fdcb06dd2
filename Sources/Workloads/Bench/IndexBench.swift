import Console
import Foundation
import Interactions
import Recommending
import VectorIndex

/// The index workload: an index is built, then searched by one thread, one query a call; recall against the exact answer.
///
/// Re-ranking by the vectors themselves, and the memory that these take, are reported apart: serving has them anyway.
public struct IndexBench {
    /// A search for this many; re-ranking looks at a quarter more.
    public static let count = 100

    let data: IndexBenchData
    let kind: IndexKind
    let recall: Double
    let threads: Int
    let seconds: Double

    /// Makes the workload.
    ///
    /// - Parameters:
    ///   - recall: of the best ``count``, that the index is set to; 0 to 1.
    ///   - threads: that build.
    ///   - seconds: of searching.
    public init(data: IndexBenchData, kind: IndexKind, recall: Double, threads: Int, seconds: Double) {
        self.data = data
        self.kind = kind
        self.recall = recall
        self.threads = threads
        self.seconds = seconds
    }

    /// Measures: queries a second of one thread, recall, and the index's size in bytes.
    ///
    /// - Throws: the index's own error.
    public func run() throws -> ResultLine {
        let building = ContinuousClock.now
        let index = try ItemIndex.build(
            vectors: data.vectors, dimension: data.dimension, threads: threads, kind: kind,
            goal: IndexGoal(recall: recall, count: Self.count))
        let buildSeconds = building.duration(to: .now).inSeconds
        let untunedSeconds = try secondsWithoutTuning(index)

        let queries = stride(from: 0, to: data.queries.count, by: data.dimension).map {
            Array(data.queries[$0..<$0 + data.dimension])
        }
        let truth = try ExactSearch.rows(
            vectors: data.vectors, dimension: data.dimension, queries: data.queries, count: Self.count, threads: threads
        ).map(Set.init)
        let plain = measure(queries, truth) { query in index.search(query, count: Self.count).map(\.row) }
        let ranked = measure(queries, truth) { query in reranked(index.search(query, count: Self.count * 5 / 4), query) }
        let memory = index.memory
        return ResultLine([
            "bench": .text("index"), "vectors": .integer(index.count), "dimension": .integer(index.dimension),
            "kind": .text(index.kind), "parameters": .text(index.parameters), "kernels": .text("\(VectorInstructions.best)"),
            "build_seconds": .number(buildSeconds), "build_threads": .integer(threads),
            "build_seconds_without_tuning": untunedSeconds.map { .number($0) } ?? .null,
            "qps_1thread": .number(plain.perSecond.rounded()), "recall_at_100": .number(plain.recall),
            "build_recall": index.measuredRecall.map { .number($0) } ?? .null, "bytes_codes": .integer(memory.codes),
            "bytes_ids": .integer(memory.rows), "bytes_lists": .integer(memory.lists), "bytes_links": .integer(memory.links),
            "bytes_places": .integer(memory.places), "index_mb": .number(Double(memory.total) / 1_048_576),
            "reranked_qps_1thread": .number(ranked.perSecond.rounded()), "reranked_recall_at_100": .number(ranked.recall),
            "reranked_bytes_vectors": .integer(data.vectors.count * 4),
        ])
    }

    /// What building alone takes, without finding out how many lists a search has to look at; nil where there are none.
    private func secondsWithoutTuning(_ index: ItemIndex) throws -> Double? {
        guard index.kind == "ivf" else { return nil }
        let began = ContinuousClock.now
        _ = try ItemIndex.build(
            vectors: data.vectors, dimension: data.dimension, threads: threads, kind: .lists(ListSettings(code: index.code)))
        return began.duration(to: .now).inSeconds
    }

    /// Queries a second, over all queries again and again, and the mean recall.
    private func measure(
        _ queries: [[Float]], _ truth: [Set<Int32>], _ search: (UnsafeBufferPointer<Float>) -> [Int32]
    ) -> (perSecond: Double, recall: Double) {
        var hits = 0
        var wanted = 0
        for (query, truth) in zip(queries, truth) {
            hits += query.withUnsafeBufferPointer(search).filter { truth.contains($0) }.count
            wanted += truth.count
        }
        var asked = 0
        let began = ContinuousClock.now
        while began.duration(to: .now).inSeconds < seconds {
            for _ in 0..<50 {
                _ = queries[asked % queries.count].withUnsafeBufferPointer(search)
                asked += 1
            }
        }
        return (Double(asked) / began.duration(to: .now).inSeconds, Double(hits) / Double(max(wanted, 1)))
    }

    /// The best of what was found, by the vectors themselves.
    private func reranked(_ found: [Candidate], _ query: UnsafeBufferPointer<Float>) -> [Int32] {
        var top = TopRows(limit: Self.count)
        data.vectors.withUnsafeBufferPointer { vectors in
            for candidate in found {
                let start = Int(candidate.row) * data.dimension
                var lanes = SIMD16<Float>.zero
                var place = 0
                while place + 16 <= data.dimension, let left = vectors.baseAddress, let right = query.baseAddress {
                    lanes += UnsafeRawPointer(left + start + place).loadUnaligned(as: SIMD16<Float>.self)
                        * UnsafeRawPointer(right + place).loadUnaligned(as: SIMD16<Float>.self)
                    place += 16
                }
                var score = lanes.sum()
                while place < data.dimension {
                    score += vectors[start + place] * query[place]
                    place += 1
                }
                top.offer(candidate.row, score)
            }
        }
        return top.sorted().map(\.row)
    }
}

import Foundation
import Recommending
import Synchronization
import Testing
import VectorIndex

/// Searches and changes of one index, from several tasks.
private final class Churn: Sendable {
    /// When each row was removed for good, counted in batches.
    private struct Removals {
        var batchOfRow: [Int32: Int] = [:]
        var batches = 0
    }

    struct Outcome {
        var asked = 0
        /// Searches that found fewer than there are.
        var failed = 0
        /// Searches that found what was removed before they began, or what their filter does not admit.
        var wrong = 0
    }

    let index: LiveIndex
    private let base: Int
    private let queries: [[Float]]
    private let newcomers: [[Float]]
    private let removals = Mutex(Removals())
    private let done = Mutex(false)

    init(index: LiveIndex, base: Int, random: inout Clusters) {
        self.index = index
        self.base = base
        queries = (0..<64).map { _ in random.unit(index.dimension) }
        newcomers = (0..<512).map { _ in random.unit(index.dimension) }
    }

    private var isDone: Bool { done.withLock { $0 } }

    func searches(_ seed: Int) async -> Outcome {
        var outcome = Outcome()
        while !isDone || outcome.asked < 100 {
            let began = removals.withLock { $0.batches }
            let isFiltered = outcome.asked % 3 == 0
            let found = queries[(outcome.asked * 7 + seed) % queries.count].withUnsafeBufferPointer { query in
                isFiltered
                    ? index.search(query, count: 50, admissible: base / 2) { $0 % 2 == 1 } : index.search(query, count: 50)
            }
            outcome.asked += 1
            if found.count < 50 { outcome.failed += 1 }
            let isWrong = removals.withLock { removals in
                found.contains { removals.batchOfRow[$0.row].map { $0 <= began } ?? false }
            }
            if isWrong || (isFiltered && found.contains { $0.row % 2 == 0 }) { outcome.wrong += 1 }
            // Whoever changes the index needs one of the few threads that all tests share.
            await Task.yield()
        }
        return outcome
    }

    func rebuilds() async throws -> Outcome {
        while !isDone {
            try index.rebuildIfDue()
            await Task.yield()
        }
        return Outcome()
    }

    /// Adds items, replaces their vectors, removes them.
    func changes(items: Int) async throws -> Outcome {
        defer { done.withLock { $0 = true } }
        for round in 0..<3 {
            for first in stride(from: 0, to: items, by: 100) {
                let rows = (first..<min(first + 100, items)).map { Int32(base + $0) }
                try index.apply(
                    rows.map { row in
                        round == 2
                            ? .remove(row: row) : .set(row: row, vector: newcomers[(Int(row) * 3 + round) % newcomers.count])
                    })
                if round == 2 {
                    // A search that begins from here on must not find them.
                    removals.withLock { removals in
                        removals.batches += 1
                        for row in rows { removals.batchOfRow[row] = removals.batches }
                    }
                }
                await Task.yield()
            }
        }
        return Outcome()
    }
}

/// Items come, change and go while queries run. `FRESHET_CHURN_ITEMS=100000` runs the full size.
struct ChurnTests {
    private static var fullSize: Int? { ProcessInfo.processInfo.environment["FRESHET_CHURN_ITEMS"].flatMap { Int($0) } }
    private static var items: Int { fullSize ?? 2_000 }

    /// Bytes of the process that no file stands behind.
    private static func residentBytes() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
        return (Int(line.split(separator: " ").dropFirst().first ?? "") ?? 0) * 1_024
    }

    @Test func noRemovedRowIsEverFoundAndMemoryComesBack() async throws {
        let items = Self.items
        let base = max(items, 11_000)
        var random = Clusters(seed: 41)
        let table = random.table(base, 32, centres: 100)
        let index = try LiveIndex(
            vectors: table, dimension: 32, kind: .lists(nil),
            policy: RebuildPolicy(maxFreshItems: max(500, items / 5), maxRemovedShare: 0.2))
        let before = index.memory.total
        // The first time the allocator takes what it will keep; the second must not take more.
        var resident: [Int] = []
        var totals = Churn.Outcome()
        for _ in 0..<2 {
            let once = try await churned(index, base: base, items: items, random: &random)
            totals.asked += once.asked
            totals.failed += once.failed
            totals.wrong += once.wrong
            resident.append(Self.residentBytes() >> 20)
        }
        #expect(totals.asked >= 100)
        #expect(totals.failed == 0)
        #expect(totals.wrong == 0)
        #expect(index.count == base)
        try index.rebuildIfDue()
        // Removed rows may still be held as far as the policy allows, in the codes and in the lists' unused places.
        let after = index.memory.total
        #expect(Double(after) <= Double(before) * (1.1 + index.policy.maxRemovedShare * 1.25) + 40_000)
        print(
            "churn: twice \(items) items added, replaced, removed; \(totals.asked) searches; index \(before) -> \(after) bytes; "
                + "resident after each \(resident) MiB")
        // Beside other tests the process's memory says nothing of this one.
        if Self.fullSize != nil { #expect(Double(resident[1]) <= Double(resident[0]) * 1.25 + 16) }
    }

    private func churned(
        _ index: LiveIndex, base: Int, items: Int, random: inout Clusters
    ) async throws -> Churn.Outcome {
        let churn = Churn(index: index, base: base, random: &random)
        return try await withThrowingTaskGroup(of: Churn.Outcome.self) { group in
            group.addTask { await churn.searches(0) }
            group.addTask { try await churn.rebuilds() }
            group.addTask { try await churn.changes(items: items) }
            return try await group.reduce(into: Churn.Outcome()) {
                $0.asked += $1.asked
                $0.failed += $1.failed
                $0.wrong += $1.wrong
            }
        }
    }
}

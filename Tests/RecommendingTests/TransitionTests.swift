import Recommending
import Testing

/// Sequences of item rows with the events of each user, as tables are counted from them.
struct Sequences {
    var users: [Range<Int>] = []
    var items: [Int32] = []
    var times: [Int64] = []

    mutating func add(_ rows: [Int32]) {
        users.append(items.count..<items.count + rows.count)
        items += rows
        times += rows.indices.map { Int64($0) * 3_600_000 }
    }

    static func random(_ seed: UInt64, users: Int, length: Int, items: Int32) -> Sequences {
        var random = SeededRandom(state: seed)
        var sequences = Sequences()
        for _ in 0..<users { sequences.add((0..<length).map { _ in Int32.random(in: 0..<items, using: &random) }) }
        return sequences
    }

    func table(itemCount: Int, rules: TransitionTable.Rules = TransitionTable.Rules()) -> TransitionTable {
        items.withUnsafeBufferPointer { TransitionTable(users: users, items: $0, itemCount: itemCount, rules: rules) }
    }

    func tables(itemCount: Int, categories: [[String]] = [], rules: RankingTables.Rules = RankingTables.Rules()) -> RankingTables {
        items.withUnsafeBufferPointer { items in
            times.withUnsafeBufferPointer { times in
                RankingTables(users: users, items: items, times: times, itemCount: itemCount, categories: categories, rules: rules)
            }
        }
    }
}

struct TransitionTests {
    private func scores(_ table: TransitionTable, _ history: [Int32], _ count: Int) -> [Float] {
        var scores = [Float](repeating: 0, count: count)
        table.addScores(history: history, to: &scores)
        return scores
    }

    /// The definition, word by word.
    private func plain(_ sequences: Sequences, _ history: [Int32], _ rules: TransitionTable.Rules, _ count: Int) -> [Float] {
        var sums: [[Int32]: Double] = [:], leaving: [Int32: Double] = [:], reaching: [Int32: Double] = [:]
        for user in sequences.users {
            for first in user {
                for second in user where second > first && second - first <= rules.window {
                    let (i, j) = (sequences.items[first], sequences.items[second])
                    if i == j { continue }
                    let weight = 1 / Double(second - first)
                    sums[[i, j], default: 0] += weight
                    leaving[i, default: 0] += weight
                    reaching[j, default: 0] += weight
                }
            }
        }
        var scores = [Double](repeating: 0, count: count)
        for (age, i) in history.reversed().prefix(rules.historyLimitItems).enumerated() {
            for (pair, sum) in sums where pair[0] == i {
                scores[Int(pair[1])] += decay(rules.decay, age) * sum / (root(leaving[i] ?? 0) * fifthRoot(reaching[pair[1]] ?? 0))
            }
        }
        return scores.map { Float($0) }
    }

    private func decay(_ base: Float, _ steps: Int) -> Double { (0..<steps).reduce(1.0) { value, _ in value * Double(base) } }
    private func root(_ value: Double) -> Double { value.squareRoot() }
    private func fifthRoot(_ value: Double) -> Double {
        var (low, high) = (0.0, max(1, value))
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if middle * middle * middle * middle * middle < value { low = middle } else { high = middle }
        }
        return low
    }

    @Test func aTableIsItsDefinitionHoweverItIsMade() {
        let rules = TransitionTable.Rules(window: 4, neighbourLimitItems: 100, historyLimitItems: 6, decay: 0.6)
        let sequences = Sequences.random(1, users: 30, length: 12, items: 25)
        let table = sequences.table(itemCount: 25, rules: rules)
        var learned = TransitionTable(itemCount: 0, rules: rules)
        for user in sequences.users {
            for place in user { learned.learn(previous: sequences.items[user.lowerBound..<place], item: sequences.items[place]) }
        }
        #expect(learned.itemCount == 25)
        for history in [[Int32(3)], [1, 2, 3, 4, 5, 6, 7, 8], [9, 9, 24], [], [-1, 80, 4]] {
            let known = history.filter { 0..<25 ~= $0 }
            let expected = plain(sequences, known, rules, 25)
            for (row, score) in scores(table, known, 25).enumerated() { #expect(abs(score - expected[row]) < 1e-4) }
            for (row, score) in scores(learned, known, 25).enumerated() { #expect(abs(score - expected[row]) < 1e-4) }
        }
        // Rows that nobody knows pass silently.
        #expect(scores(table, [-1, 80], 25).allSatisfy { $0 == 0 })
    }

    @Test func aRowKeepsItsStrongestNeighbours() {
        var sequences = Sequences()
        for other in Int32(1)...9 {
            for _ in 0..<Int(other) { sequences.add([0, other]) }
        }
        let table = sequences.table(itemCount: 10, rules: TransitionTable.Rules(neighbourLimitItems: 3))
        let found = scores(table, [0], 10)
        #expect(found.indices.filter { found[$0] > 0 } == [7, 8, 9])
        #expect(found[9] > found[8])
        // What was cut off still counts in the sums: the kept weights are those of the whole table.
        let whole = scores(sequences.table(itemCount: 10), [0], 10)
        for row in 7...9 { #expect(abs(found[row] - whole[row]) < 1e-6) }
        var learned = TransitionTable(itemCount: 10, rules: TransitionTable.Rules(neighbourLimitItems: 3))
        for place in stride(from: 0, to: sequences.items.count, by: 2) {
            learned.learn(previous: [sequences.items[place]], item: sequences.items[place + 1])
        }
        let bounded = scores(learned, [0], 10)
        #expect(bounded.filter { $0 > 0 }.count < 6)
        #expect(scores(TransitionTable(itemCount: 3, rules: .init(neighbourLimitItems: 0)), [0], 3) == [0, 0, 0])
    }

    @Test func rowsCanBeRenumbered() {
        let sequences = Sequences.random(2, users: 20, length: 10, items: 12)
        let table = sequences.table(itemCount: 12)
        // Item 5 is gone; the others stand in reverse, with two new items before them.
        let rows = (0..<12).map { $0 == 5 ? Int32(-1) : Int32(13 - $0) }
        let moved = table.renumbered(rows, itemCount: 14)
        let before = scores(table, [2, 7], 12), after = scores(moved, [rows[2], rows[7]], 14)
        for (old, row) in rows.enumerated() where row >= 0 { #expect(abs(before[old] - after[Int(row)]) < 1e-6) }
        #expect(after[8] == 0)
    }
}

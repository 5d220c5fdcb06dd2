import Console
import EventStream
import Foundation
import Simulation
import Tensors
import TowerTraining

/// The examples of a training workload, and some that are held out.
struct TrainBenchData {
    let name: String
    let examples: MeanExamples
    /// Examples that training never sees.
    let heldOut: [MeanExamples.Example]
    /// By held-out example, the items that its user had before; nil leaves the whole catalogue in the ranking.
    let had: [Set<Int32>]?

    /// Users without taste who draw from a Zipf distribution: example i has the items i..<i + 20 of one long sequence as its history.
    static func synthetic(users: Int, items: Int, examples count: Int, heldOut: Int = 5_000, seed: UInt64 = 1) -> TrainBenchData {
        let length = 20, draw = ZipfDraw(count: items, exponent: 1)
        var random = SplitMix64(seed: seed)
        let sequence = (0..<count + heldOut + length).map { _ in Int32(draw.draw(&random)) }
        let all = (0..<count + heldOut).map {
            MeanExamples.Example(user: Int32.random(in: 0..<Int32(users), using: &random), start: Int32($0), end: Int32($0 + length))
        }
        return TrainBenchData(
            name: "zipf",
            examples: MeanExamples(sequence: sequence, examples: Array(all.prefix(count)), itemCount: items, userCount: users),
            heldOut: Array(all.suffix(heldOut)), had: nil)
    }

    /// A log of interactions, JSON Lines or compressed, in the order of time: each after a user's first is an example, with up to 20
    /// before it as its history. The last of each user is held out.
    static func log(path: String) throws -> TrainBenchData {
        let (byUser, itemCount) = try histories(path: path)
        var sequence: [Int32] = [], examples: [MeanExamples.Example] = [], heldOut = examples, had: [Set<Int32>] = []
        var counts = [Float](repeating: 0, count: itemCount)
        for (user, items) in byUser.enumerated() {
            let first = sequence.count
            sequence += items
            let isHeldOut = items.count > 2
            for item in items.dropLast(isHeldOut ? 1 : 0) { counts[Int(item)] += 1 }
            for place in items.indices.dropFirst() {
                let example = MeanExamples.Example(
                    user: Int32(user), start: Int32(first + max(0, place - 20)), end: Int32(first + place))
                guard isHeldOut, place == items.count - 1 else {
                    examples.append(example)
                    continue
                }
                heldOut.append(example)
                had.append(Set(items.dropLast()))
            }
        }
        let total = counts.reduce(0, +)
        return TrainBenchData(
            name: (path as NSString).lastPathComponent,
            examples: MeanExamples(
                sequence: sequence, examples: examples, itemCount: itemCount, userCount: byUser.count,
                shares: counts.map { max(1, $0) / max(1, total) }), heldOut: heldOut, had: had)
    }

    /// The items of each user of a log of interactions, JSON Lines or compressed, in its order, and the number of items.
    static func histories(path: String) throws -> (users: [[Int32]], itemCount: Int) {
        struct Line: Decodable {
            var user_id: String
            var item_id: String
        }
        let reader = try LineReader(path: path), decoder = JSONDecoder()
        var userRows: [String: Int32] = [:], itemRows: [String: Int32] = [:], byUser: [[Int32]] = []
        while let line = try reader.next() {
            let event: Line
            do { event = try decoder.decode(Line.self, from: Data(line.bytes)) } catch {
                throw CommandFailure("line \(line.number + 1) of \(path) names no user_id and item_id: \(error)")
            }
            let user = Int(userRows[event.user_id, default: Int32(userRows.count)])
            if user == byUser.count {
                userRows[event.user_id] = Int32(user)
                byUser.append([])
            }
            let item = itemRows[event.item_id, default: Int32(itemRows.count)]
            itemRows[event.item_id] = item
            byUser[user].append(item)
        }
        return (byUser, itemRows.count)
    }

    /// The share of held-out examples whose target is among the best `cutoff` items that the user did not have before.
    func recall(_ trainer: MeanTowerTrainer, at cutoff: Int) -> Double {
        guard !heldOut.isEmpty else { return .nan }
        let items = trainer.itemVectors(), users = trainer.userVectors(heldOut), n = items.rows
        var hits = 0
        for first in stride(from: 0, to: heldOut.count, by: 256) {
            let count = min(256, heldOut.count - first)
            var scores = Matrix(rows: count, columns: n)
            multiply(
                Matrix(rows: count, columns: users.columns, values: (0..<count).flatMap { users.row(first + $0) }), items, transposeB: true,
                into: &scores, threads: trainer.configuration.threads)
            for place in 0..<count {
                let target = Int(examples.sequence[Int(heldOut[first + place].end)]), row = scores.row(place)
                let own = row[target], seen = had?[first + place] ?? []
                guard !seen.contains(Int32(target)) else { continue }
                let better = row.indices.reduce(0) { $0 + (row[$1] > own && !seen.contains(Int32($1)) ? 1 : 0) }
                hits += better < cutoff ? 1 : 0
            }
        }
        return Double(hits) / Double(heldOut.count)
    }
}

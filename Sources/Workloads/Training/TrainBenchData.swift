import Console
import ContentModel
import EventStream
import Foundation
import Simulation
import Tensors
import TowerModel
import TowerTraining

/// The examples of the two-tower workload, and some that are held out.
///
/// Each user has a row of their own, as an attribute that nobody else has: `user=17`. Events without weight are there as history alone.
package struct TrainBenchData {
    /// Newest interactions of a history.
    package static let historyLength = 20

    /// What a user of ``TrainBenchData/set`` took next, which training never sees.
    package struct HeldOut: Equatable {
        /// Row of the user.
        package var user: Int
        /// Rows of the user's newest items, oldest first.
        package var history: [Int32]
        /// Row of the item.
        package var target: Int32

        /// What a user took after these.
        package init(user: Int, history: [Int32], target: Int32) {
            self.user = user
            self.history = history
            self.target = target
        }
    }

    /// What the data are called in the result.
    package let name: String
    /// What is learned from. Events without weight are history alone.
    package let set: TrainingSet
    /// Events that are examples.
    package let examples: Int
    /// What is asked of the model.
    package let heldOut: [HeldOut]
    /// By held-out example, the items that its user had before; nil leaves the whole catalogue in the ranking.
    package let had: [Set<Int32>]?

    /// Users without taste who draw from a Zipf distribution: each example has 20 draws before it as its history. Users are drawn too, one
    /// an example.
    package static func synthetic(
        users: Int, items: Int, examples count: Int, heldOut: Int = 5_000, seed: UInt64 = 1
    ) -> TrainBenchData {
        let draw = ZipfDraw(count: items, exponent: 1)
        var random = SplitMix64(seed: seed), counts = [Int](repeating: 0, count: users), events = TrainBenchEvents()
        for _ in 0..<count { counts[Int.random(in: 0..<users, using: &random)] += 1 }
        var questions: [HeldOut] = []
        for (user, own) in counts.enumerated() {
            guard own > 0 || user < heldOut else {
                events.endUser()
                continue
            }
            let taken = (0..<historyLength + own).map { _ in Int32(draw.draw(&random)) }
            for (place, item) in taken.enumerated() { events.append(item, isExample: place >= historyLength) }
            events.endUser()
            guard user < heldOut else { continue }
            questions.append(HeldOut(user: user, history: taken.suffix(historyLength), target: Int32(draw.draw(&random))))
        }
        return TrainBenchData(name: "zipf", set: events.set(items: items), examples: count, heldOut: questions, had: nil)
    }

    /// A log of interactions, JSON Lines or compressed, in the order of time: each after a user's first is an example, with up to 20
    /// before it as its history. The last of each user is held out.
    package static func log(path: String) throws -> TrainBenchData {
        let (byUser, itemCount) = try histories(path: path)
        var events = TrainBenchEvents(), questions: [HeldOut] = [], had: [Set<Int32>] = [], examples = 0
        for (user, items) in byUser.enumerated() {
            let learned = items.count > 2 ? items.dropLast() : items[...]
            for (place, item) in learned.enumerated() { events.append(item, isExample: place > 0) }
            events.endUser()
            examples += max(0, learned.count - 1)
            guard let target = items.last, items.count > 2 else { continue }
            questions.append(HeldOut(user: user, history: learned.suffix(historyLength), target: target))
            had.append(Set(learned))
        }
        return TrainBenchData(
            name: (path as NSString).lastPathComponent, set: events.set(items: itemCount), examples: examples, heldOut: questions, had: had)
    }

    /// The items of each user of a log of interactions, JSON Lines or compressed, in its order, and the number of items.
    package static func histories(path: String) throws -> (users: [[Int32]], itemCount: Int) {
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

    /// Different items that a batch's targets are expected to hold.
    package func distinctTargets(batch: Int) -> Double {
        var counts = [Int](repeating: 0, count: self.set.itemCount)
        for event in 0..<self.set.eventCount where self.set.weights[event] > 0 { counts[Int(self.set.items[event])] += 1 }
        let total = Double(max(1, examples))
        return counts.reduce(0) { $0 + 1 - pow(1 - Double($1) / total, Double(batch)) }
    }

    /// The share of held-out examples whose target is among the best `cutoff` items that the user did not have before.
    package func recall(_ model: TwoTowerModel, at cutoff: Int, threads: Int) -> Double {
        guard !heldOut.isEmpty else { return .nan }
        let items = model.encodeItems(self.set.itemContents, rows: (0..<Int32(self.set.itemCount)).map { $0 }, threads: threads)
        let d = model.dimension
        let hits = heldOut.indices.count { place in
            let question = heldOut[place], seen = had?[place] ?? []
            guard !seen.contains(question.target) else { return false }
            var history = UserSequence(dimension: d, limit: Self.historyLength)
            for (entry, item) in question.history.enumerated() {
                history.append(vector: Array(items.row(Int(item))), type: 1, time: Int64(entry + 1) * TrainBenchEvents.step)
            }
            let user = model.encodeUser(
                history, attributes: self.set.userAttributes[question.user], now: Int64(question.history.count + 1) * TrainBenchEvents.step)
            let scores = model.scores(of: user, items: items, threads: threads), own = scores[Int(question.target)]
            return scores.indices.reduce(0) { $0 + (scores[$1] > own && !seen.contains(Int32($1)) ? 1 : 0) } < cutoff
        }
        return Double(hits) / Double(heldOut.count)
    }
}

/// Columns of made or read events, an hour from one to the next, user by user.
private struct TrainBenchEvents {
    /// Milliseconds from one event to the next.
    static let step: Int64 = 3_600_000

    private var items: [Int32] = [], weights: [Float] = [], times: [Int64] = [], starts = [0]

    mutating func append(_ item: Int32, isExample: Bool) {
        items.append(item)
        weights.append(isExample ? 1 : 0)
        times.append(Int64(items.count - (starts.last ?? 0)) * Self.step)
    }

    mutating func endUser() { starts.append(items.count) }

    func set(items count: Int) -> TrainingSet {
        let users = (0..<starts.count - 1).map(String.init)
        return TrainingSet(
            itemIDs: (0..<count).map(String.init), itemContents: [ItemContent](repeating: ItemContent(), count: count), userIDs: users,
            userAttributes: users.map { ["user=" + $0] }, userStarts: Column(starts), items: Column(items),
            types: Column(repeating: 1, count: items.count), times: Column(times), weights: Column(weights))
    }
}

import Bytes
import Tensors
import TowerModel

/// The examples of one step, gathered: histories, targets and the items that take part.
///
/// Under the full loss, item rows are those of the training set. Under the sampled loss they are local: first the
/// candidates (targets and uniform negatives), then items that occur in histories only.
struct TrainingBatch {
    /// Number of examples.
    var count = 0
    /// Place of the first of them among those of all ranks.
    var first = 0
    /// Candidate row of each example's target.
    var targets: [Int32] = []
    /// The event of each example.
    var events: [Int32] = []
    /// Share of each example in the loss: weight / number of examples of all ranks.
    var weights: [Float] = []
    /// User row of each example; −1 where training hides the attributes.
    var users: [Int32] = []
    /// The history of example i is `starts[i]..<starts[i + 1]` of the next three, newest first.
    var starts: [Int] = [0]
    var rows: [Int32] = []
    var types: [UInt8] = []
    var gaps: [UInt8] = []
    /// Bucket of the time between each example's newest entry and its target.
    var idle: [UInt8] = []
    /// Item row of each local row.
    var items: [Int32] = []
    /// Local rows that are candidates: the first ones.
    var candidates = 0
    /// Corrections of the candidates; under the full loss the logit adjustment alone, empty without one.
    var corrections: [Float] = []
    /// What each example's target carries under a logit adjustment; empty without one.
    var targetCorrections: [Float] = []
}

/// Gathers batches from a training set. Keeps its arrays between batches.
final class BatchGatherer {
    private let set: TrainingSet
    private let plan: ExamplePlan
    private let configuration: TowerConfiguration
    let isSampled: Bool
    private(set) var batch = TrainingBatch()
    /// Local row of an item where `stamps` holds the current stamp.
    private let locals: UnsafeMutablePointer<Int32>
    private let stamps: UnsafeMutablePointer<UInt32>
    private var stamp: UInt32 = 0

    init(_ set: TrainingSet, plan: ExamplePlan, configuration: TowerConfiguration) {
        self.set = set
        self.plan = plan
        self.configuration = configuration
        isSampled = configuration.isSampled(items: set.itemCount)
        let items = isSampled ? max(1, set.itemCount) : 1
        locals = .allocate(capacity: items)
        locals.initialize(repeating: 0, count: items)
        stamps = .allocate(capacity: items)
        stamps.initialize(repeating: 0, count: items)
        if !isSampled {
            batch.items = (0..<Int32(set.itemCount)).map { $0 }
            batch.candidates = set.itemCount
            batch.corrections = plan.logitAdjustments ?? []
        }
    }

    deinit {
        locals.deallocate()
        stamps.deallocate()
    }

    /// Gathers the examples at `places`: indices of events.
    ///
    /// - Parameter key: decides what chance decides: which history entries are left out, how far ahead targets lie, and the negatives.
    func gather(_ places: [Int32], key: UInt64) {
        gather(places, share: 0..<places.count, key: key)
        if isSampled { localize(key: key, targets: batch.targets, first: 0) }
    }

    /// Gathers this rank's share of the examples at `places`. Candidates are everybody's targets.
    func gather(_ places: [Int32], key: UInt64, ranks: any RankGroup) throws(RankError) {
        gather(places, share: ranks.part(of: places.count), key: key)
        guard isSampled else { return }
        let counts = (0..<ranks.size).map { ranks.part(of: places.count, rank: $0).count }
        localize(key: key, targets: try ranks.gathered(batch.targets, counts: counts), first: batch.first)
    }

    private func gather(_ places: [Int32], share: Range<Int>, key: UInt64) {
        // A local value: each access to the object's own is checked.
        var batch = TrainingBatch()
        swap(&batch, &self.batch)
        defer { swap(&batch, &self.batch) }
        batch.count = share.count
        batch.first = share.lowerBound
        batch.targets.removeAll(keepingCapacity: true)
        batch.events.removeAll(keepingCapacity: true)
        batch.weights.removeAll(keepingCapacity: true)
        batch.targetCorrections.removeAll(keepingCapacity: true)
        batch.users.removeAll(keepingCapacity: true)
        batch.starts.removeAll(keepingCapacity: true)
        batch.rows.removeAll(keepingCapacity: true)
        batch.types.removeAll(keepingCapacity: true)
        batch.gaps.removeAll(keepingCapacity: true)
        batch.idle.removeAll(keepingCapacity: true)
        batch.starts.append(0)
        let ahead = UInt64(configuration.targetsAhead)
        let threshold = UInt64(configuration.historyDropout * 65_536)
        let shorten = UInt64(configuration.shortHistory * 65_536)
        let hideAttributes = UInt64(configuration.attributeDropout * 65_536)
        for (index, place) in zip(0..., places[share]) {
            let event = Int(place), user = plan.user(of: event)
            let first = set.userStarts[Int(user)]
            var random = SplitMix64Mixing.mixed(key &+ UInt64(batch.first + index))
            var end = event
            if ahead > 1 { end = max(first, event - Int(random.multipliedFullWidth(by: ahead).high)) }
            batch.targets.append(set.items[event])
            batch.events.append(place)
            batch.weights.append(plan.weight(of: event) / Float(places.count))
            if let adjustments = plan.logitAdjustments { batch.targetCorrections.append(adjustments[Int(set.items[event])]) }
            let hidden = SplitMix64Mixing.mixed(random ^ 0x6174_7472) & 0xffff < hideAttributes
            batch.users.append(hidden ? -1 : user)
            var kept = configuration.historyLength
            if shorten > 0 {
                let draw = SplitMix64Mixing.mixed(random ^ 0x7368_6f72)
                if draw & 0xffff < shorten { kept = min(kept, Int((draw >> 16) % UInt64(TowerConfiguration.shortHistoryEntries + 1))) }
            }
            let start = max(first, end - kept)
            if start < end {
                let newest = set.times[end - 1]
                for entry in stride(from: end - 1, through: start, by: -1) {
                    if threshold > 0 {
                        random = SplitMix64Mixing.mixed(random)
                        if random & 0xffff < threshold { continue }
                    }
                    batch.rows.append(set.items[entry])
                    batch.types.append(set.types[entry])
                    batch.gaps.append(TimeBuckets.gap(milliseconds: newest - set.times[entry]))
                }
            }
            let isEmpty = batch.rows.count == batch.starts[index]
            batch.idle.append(isEmpty ? TowerShape.noIdle : TimeBuckets.idle(milliseconds: set.times[event] - set.times[end - 1]))
            batch.starts.append(batch.rows.count)
        }
    }

    /// Replaces item rows by local ones and draws the negatives.
    ///
    /// - Parameters:
    ///   - targets: item rows of the targets of all ranks; those from `first` on are this batch's.
    private func localize(key: UInt64, targets: [Int32], first: Int) {
        stamp &+= 1
        var batch = TrainingBatch()
        swap(&batch, &self.batch)
        defer { swap(&batch, &self.batch) }
        let stamp = self.stamp
        batch.items.removeAll(keepingCapacity: true)
        var counts: [Int] = []
        for (index, target) in targets.enumerated() {
            let local = localRow(target, stamp, &batch.items)
            if Int(local) == counts.count { counts.append(0) }
            counts[Int(local)] += 1
            if index >= first, index < first + batch.count { batch.targets[index - first] = local }
        }
        var random = SeededGenerator(seed: key, stream: 0x6e6567)
        for _ in 0..<configuration.negatives {
            let local = localRow(Int32(random.next(below: set.itemCount)), stamp, &batch.items)
            if Int(local) == counts.count { counts.append(0) }
            counts[Int(local)] += 1
        }
        batch.candidates = batch.items.count
        for index in batch.rows.indices { batch.rows[index] = localRow(batch.rows[index], stamp, &batch.items) }
        if configuration.logQCorrection {
            batch.corrections = logQCorrections(
                counts: counts, shares: batch.items[0..<batch.candidates].map { plan.shares[Int($0)] },
                otherExamples: targets.count - 1, uniform: configuration.negatives, catalogue: set.itemCount)
        } else {
            batch.corrections = [Float](repeating: 0, count: batch.candidates)
        }
        if let adjustments = plan.logitAdjustments {
            for row in 0..<batch.candidates { batch.corrections[row] += adjustments[Int(batch.items[row])] }
        }
    }

    /// The local row of an item; the next one where it has none yet.
    private func localRow(_ item: Int32, _ stamp: UInt32, _ items: inout [Int32]) -> Int32 {
        if stamps[Int(item)] == stamp { return locals[Int(item)] }
        let row = Int32(items.count)
        stamps[Int(item)] = stamp
        locals[Int(item)] = row
        items.append(item)
        return row
    }
}

import Bytes
import Tensors
import TowerModel

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
    /// What each thread gathers.
    private var parts: [Part]

    private struct Part {
        var examples = TrainingBatch()
        let scratch: HistoryScratch
    }

    init(_ set: TrainingSet, plan: ExamplePlan, configuration: TowerConfiguration) {
        self.set = set
        self.plan = plan
        self.configuration = configuration
        isSampled = configuration.isSampled(items: set.itemCount)
        parts = (0..<configuration.threads).map { _ in Part(scratch: HistoryScratch(length: configuration.historyLength)) }
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
        batch.removeExamples()
        let examples = places[share]
        for index in parts.indices { parts[index].examples.removeExamples() }
        parts.withUnsafeMutableBufferPointer { parts in
            parallelFor(count: share.count, threads: configuration.threads, minimumChunk: 64) { range, slot in
                fill(&parts[slot], examples, range: range, first: share.lowerBound, of: places.count, key: key)
            }
        }
        for part in parts { batch.appendExamples(of: part.examples) }
    }

    /// Gathers the examples `range` of a share that begins at place `first` among the `total` of all ranks.
    private func fill(_ part: inout Part, _ examples: ArraySlice<Int32>, range: Range<Int>, first: Int, of total: Int, key: UInt64) {
        var batch = TrainingBatch()
        swap(&batch, &part.examples)
        defer { swap(&batch, &part.examples) }
        let scratch = part.scratch
        let ahead = UInt64(configuration.examples.targetsAhead)
        let threshold = UInt64(configuration.dropout.history * 65_536)
        let shorten = UInt64(configuration.dropout.shortHistory * 65_536)
        let hideAttributes = UInt64(configuration.dropout.attributes * 65_536)
        for index in range {
            let own = examples.startIndex + index, place = examples[own], event = Int(place), user = plan.user(of: event)
            if index + Self.examplesAhead < range.upperBound { prefetch(Int(examples[own + Self.examplesAhead])) }
            let oldest = set.userStarts[Int(user)]
            var random = SplitMix64Mixing.mixed(key &+ UInt64(first + index))
            var end = event
            if ahead > 1 { end = max(oldest, event - Int(random.multipliedFullWidth(by: ahead).high)) }
            batch.targets.append(set.items[event])
            batch.events.append(place)
            batch.weights.append(plan.weight(of: event) / Float(total))
            if let adjustments = plan.logitAdjustments { batch.targetCorrections.append(adjustments[Int(set.items[event])]) }
            let hidden = SplitMix64Mixing.mixed(random ^ 0x6174_7472) & 0xffff < hideAttributes
            batch.users.append(hidden ? -1 : user)
            var kept = configuration.historyLength
            if shorten > 0 {
                let draw = SplitMix64Mixing.mixed(random ^ 0x7368_6f72)
                if draw & 0xffff < shorten { kept = min(kept, Int((draw >> 16) % UInt64(TowerConfiguration.shortHistoryEntries + 1))) }
            }
            let start = max(oldest, end - kept)
            if start < end {
                let newest = set.times[end - 1]
                scratch.removeAll()
                for entry in stride(from: end - 1, through: start, by: -1) {
                    if threshold > 0 {
                        random = SplitMix64Mixing.mixed(random)
                        if random & 0xffff < threshold { continue }
                    }
                    scratch.append(
                        item: set.items[entry], type: set.types[entry], gap: TimeBuckets.gap(milliseconds: newest - set.times[entry]))
                }
                scratch.append(to: &batch)
            }
            let isEmpty = batch.rows.count == batch.starts[index - range.lowerBound]
            batch.idle.append(isEmpty ? TowerShape.noIdle : TimeBuckets.idle(milliseconds: set.times[event] - set.times[end - 1]))
            batch.starts.append(batch.rows.count)
        }
    }

    /// An example this far ahead is asked for: examples of a batch are anywhere in the training set.
    private static let examplesAhead = 4

    private func prefetch(_ event: Int) {
        let range = event - configuration.historyLength..<event + 1
        set.items.prefetch(range)
        set.types.prefetch(range)
        set.times.prefetch(range)
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
        for _ in 0..<configuration.loss.negatives {
            let local = localRow(Int32(random.next(below: set.itemCount)), stamp, &batch.items)
            if Int(local) == counts.count { counts.append(0) }
            counts[Int(local)] += 1
        }
        batch.candidates = batch.items.count
        localizeHistories(&batch)
        if configuration.loss.logQCorrection {
            batch.corrections = logQCorrections(
                counts: counts, shares: batch.items[0..<batch.candidates].map { plan.shares[Int($0)] },
                otherExamples: targets.count - 1, uniform: configuration.loss.negatives, catalogue: set.itemCount)
        } else {
            batch.corrections = [Float](repeating: 0, count: batch.candidates)
        }
        if let adjustments = plan.logitAdjustments {
            for row in 0..<batch.candidates { batch.corrections[row] += adjustments[Int(batch.items[row])] }
        }
    }

    /// The same for all entries of histories, without a branch on whether an item was met: chance decides that.
    private func localizeHistories(_ batch: inout TrainingBatch) {
        var known = batch.items.count
        batch.items += repeatElement(0, count: batch.rows.count)
        let (stamp, stamps, locals) = (stamp, stamps, locals)
        batch.items.withUnsafeMutableBufferPointer { items in
            batch.rows.withUnsafeMutableBufferPointer { rows in
                for index in rows.indices {
                    let item = rows[index], isNew = stamps[Int(item)] != stamp
                    items[known] = item
                    let local = isNew ? Int32(truncatingIfNeeded: known) : locals[Int(item)]
                    stamps[Int(item)] = stamp
                    locals[Int(item)] = local
                    rows[index] = local
                    known += isNew ? 1 : 0
                }
            }
        }
        batch.items.removeLast(batch.items.count - known)
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

/// The entries of one history, collected before they go to the batch's arrays all at once: those are checked at each access.
private final class HistoryScratch {
    private let items: UnsafeMutablePointer<Int32>
    private let types, gaps: UnsafeMutablePointer<UInt8>
    private var count = 0

    /// Room for `length` entries.
    init(length: Int) {
        items = .allocate(capacity: max(1, length))
        types = .allocate(capacity: max(1, length))
        gaps = .allocate(capacity: max(1, length))
    }

    deinit {
        items.deallocate()
        types.deallocate()
        gaps.deallocate()
    }

    func removeAll() { count = 0 }

    func append(item: Int32, type: UInt8, gap: UInt8) {
        items[count] = item
        types[count] = type
        gaps[count] = gap
        count += 1
    }

    func append(to batch: inout TrainingBatch) {
        batch.rows.append(contentsOf: UnsafeBufferPointer(start: items, count: count))
        batch.types.append(contentsOf: UnsafeBufferPointer(start: types, count: count))
        batch.gaps.append(contentsOf: UnsafeBufferPointer(start: gaps, count: count))
    }
}

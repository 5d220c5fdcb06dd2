import Bytes
import Tensors
import TowerModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Gathers windows of a training set into batches. Keeps its arrays between batches.
final class SequenceGatherer {
    private let set: TrainingSet
    private let plan: ExamplePlan
    private let configuration: TowerConfiguration
    let isSampled: Bool
    let batch: SequenceBatch
    private var locals: LocalRows
    private var frequency: StreamingFrequency?

    init(_ set: TrainingSet, plan: ExamplePlan, configuration: TowerConfiguration) {
        self.set = set
        self.plan = plan
        self.configuration = configuration
        isSampled = configuration.isSampled(items: set.itemCount)
        batch = SequenceBatch(isSampled: isSampled)
        locals = LocalRows(itemCount: isSampled ? set.itemCount : 0)
        if isSampled, configuration.loss.logQEstimate == .streaming { frequency = StreamingFrequency(shares: plan.shares) }
        if !isSampled {
            batch.items = (0..<Int32(set.itemCount)).map { $0 }
            batch.candidates = set.itemCount
            // They stay from batch to batch.
            for adjustment in plan.logitAdjustments ?? [] { batch.corrections.append(adjustment) }
        }
    }

    /// Gathers windows.
    ///
    /// - Parameters:
    ///   - key: decides what chance decides: which history entries are left out, how far ahead targets lie, and the negatives.
    ///   - dropout: whether entries and attributes are left out.
    func gather(_ windows: ArraySlice<SequenceWindow>, key: UInt64, dropout: Bool) {
        append(windows, first: 0, key: key, dropout: dropout)
        finish(targets: Array(UnsafeBufferPointer(start: batch.targets.start, count: batch.examples)), key: key)
    }

    /// Gathers this rank's share of a step's windows: a contiguous part with nearly as many entries and examples as the others'.
    /// Negatives come from everybody's targets.
    func gather(_ windows: ArraySlice<SequenceWindow>, key: UInt64, ranks: any RankGroup) throws(RankError) {
        let share = share(of: windows, rank: ranks.rank, of: ranks.size)
        append(windows[share], first: share.lowerBound - windows.startIndex, key: key, dropout: true)
        let own = Array(UnsafeBufferPointer(start: batch.targets.start, count: batch.examples))
        finish(targets: try ranks.gathered(own).values, key: key)
    }

    /// As ``SequenceStep`` cuts a batch for its threads, so that ranks of one thread do what threads of one rank would.
    private func share(of windows: ArraySlice<SequenceWindow>, rank: Int, of size: Int) -> Range<Int> {
        func work(_ window: SequenceWindow) -> Int {
            Int(window.end) - 1 - max(set.userStarts[Int(window.user)], Int(window.first) - 1) + Int(window.examples)
        }
        let total = windows.reduce(0) { $0 + work($1) }
        var end = windows.startIndex, first = end, done = 0
        for part in 1...rank + 1 {
            first = end
            while end < windows.endIndex, part == size || done * size < total * part {
                done += work(windows[end])
                end += 1
            }
        }
        return first..<end
    }

    private func append(_ windows: ArraySlice<SequenceWindow>, first: Int, key: UInt64, dropout: Bool) {
        batch.removeAll()
        batch.firstWindow = first
        for (index, window) in zip(first..., windows) {
            append(window, draw: SplitMix64Mixing.mixed(key &+ UInt64(index)), dropout: dropout)
        }
    }

    /// Makes the examples' weights shares of the step's and draws the negatives; `targets` are those of all ranks.
    private func finish(targets: [Int32], key: UInt64) {
        let share = 1 / Float(max(1, targets.count))
        for index in 0..<batch.examples { batch.weights[index] *= share }
        if isSampled { drawCandidates(key: key, targets: targets) }
    }

    private func append(_ window: SequenceWindow, draw: UInt64, dropout: Bool) {
        var random = draw
        let ahead = UInt64(configuration.examples.targetsAhead)
        let threshold = dropout ? UInt64(configuration.dropout.history * 65_536) : 0
        let hideAttributes = dropout ? UInt64(configuration.dropout.attributes * 65_536) : 0
        let start = set.userStarts[Int(window.user)], from = max(start, Int(window.first) - 1)
        let maskStart = Int32(batch.masks.count)
        if configuration.loss.maskHistory {
            // What lies before the window has been had too.
            for event in start..<from { batch.masks.append(set.items[event]) }
        }
        batch.users.append(SplitMix64Mixing.mixed(draw ^ 0x6174_7472) & 0xffff < hideAttributes ? -1 : window.user)
        /// The newest entry that was kept, and its event.
        var newest: Int32 = -1, newestEvent = -1
        for event in from..<Int(window.end) {
            if event >= Int(window.first) {
                var target = event
                if ahead > 1 {
                    random = SplitMix64Mixing.mixed(random)
                    target = min(Int(window.end) - 1, event + Int(random.multipliedFullWidth(by: ahead).high))
                }
                if plan.isExample(target, of: window.user) {
                    example(target, newest: newest, newestEvent: newestEvent, maskStart: maskStart)
                }
            }
            guard event + 1 < Int(window.end) else { break }
            if configuration.loss.maskHistory { batch.masks.append(set.items[event]) }
            if threshold > 0 {
                random = SplitMix64Mixing.mixed(random)
                if random & 0xffff < threshold { continue }
            }
            batch.gaps.append(
                newestEvent < 0 ? TimeBuckets.unknownGap : TimeBuckets.gap(from: set.times[newestEvent], to: set.times[event]))
            newest = Int32(batch.rows.count)
            newestEvent = event
            batch.rows.append(set.items[event])
            batch.types.append(set.types[event])
        }
        batch.starts.append(batch.rows.count)
        batch.exampleStarts.append(batch.targets.count)
    }

    private func example(_ event: Int, newest: Int32, newestEvent: Int, maskStart: Int32) {
        batch.newest.append(newest)
        batch.targets.append(set.items[event])
        batch.weights.append(plan.weight(of: event))
        if let adjustments = plan.logitAdjustments { batch.targetCorrections.append(adjustments[Int(set.items[event])]) }
        batch.idle.append(newest < 0 ? TowerShape.noIdle : TimeBuckets.idle(from: set.times[newestEvent], to: set.times[event]))
        batch.maskStarts.append(maskStart)
        batch.maskEnds.append(Int32(batch.masks.count))
    }

    /// Draws the negatives and replaces item rows by local ones.
    private func drawCandidates(key: UInt64, targets: [Int32]) {
        locals.clear()
        let n = configuration.loss.negatives, examples = batch.examples
        let fromBatch: Int = switch configuration.loss.negativeSampling {
        case .batch: n
        case .uniform: 0
        case .mixed: n / 2
        }
        var random = SeededGenerator(seed: key, stream: 0x6e6567)
        batch.draws.removeAll()
        for index in 0..<n {
            let item = index < fromBatch && !targets.isEmpty
                ? targets[random.next(below: targets.count)] : Int32(random.next(below: max(1, set.itemCount)))
            let row = Int(locals.row(of: item))
            if row == batch.draws.count { batch.draws.append(0) }
            batch.draws[row] += 1
        }
        batch.candidates = locals.items.count
        batch.corrections.removeAll()
        for row in 0..<batch.candidates {
            let adjustment = plan.logitAdjustments?[Int(locals.items[row])] ?? 0
            guard configuration.loss.logQCorrection, configuration.loss.kind != .bce else {
                batch.corrections.append(adjustment)
                continue
            }
            let share = frequency?.share(of: locals.items[row]) ?? plan.shares[Int(locals.items[row])]
            let expected = Float(fromBatch) * share + Float(n - fromBatch) / Float(max(1, set.itemCount))
            batch.corrections.append(log(batch.draws[row]) - log(max(expected, 1e-12)) + adjustment)
        }
        // Estimates come from the batches before, or a batch would be corrected by its own chance.
        targets.withUnsafeBufferPointer { frequency?.note($0) }
        for index in 0..<batch.rows.count { batch.rows[index] = locals.row(of: batch.rows[index]) }
        for index in 0..<examples { batch.targets[index] = locals.row(of: batch.targets[index]) }
        maskOwnPositives()
        batch.items = locals.items
    }

    /// What a user takes later in the window is no negative of an earlier example, nor is the history where the loss leaves it out.
    private func maskOwnPositives() {
        let before = Array(UnsafeBufferPointer(start: batch.masks.start, count: batch.masks.count))
        batch.masks.removeAll()
        let candidates = Int32(batch.candidates)
        for window in 0..<batch.count {
            let examples = batch.exampleStarts[window]..<batch.exampleStarts[window + 1]
            guard !examples.isEmpty else { continue }
            let start = Int32(batch.masks.count)
            if configuration.loss.maskHistory {
                for entry in before[Int(batch.maskStarts[examples.lowerBound])..<Int(batch.maskEnds[examples.upperBound - 1])] {
                    if let row = locals.known(entry), row < candidates { batch.masks.append(row) }
                }
            }
            for example in examples {
                batch.maskStarts[example] = configuration.loss.maskHistory ? start : Int32(batch.masks.count)
                if batch.targets[example] < candidates { batch.masks.append(batch.targets[example]) }
            }
            for example in examples { batch.maskEnds[example] = Int32(batch.masks.count) }
        }
    }

    /// State for a checkpoint.
    func tensors() -> [NamedTensor] { frequency?.tensors() ?? [] }

    func read(_ reader: TensorReader) throws(ModelError) { try frequency?.read(reader) }
}

extension TowerConfiguration {
    /// Whether negatives are drawn for a catalogue of `items`.
    func isSampled(items: Int) -> Bool {
        switch loss.kind {
        // The whole catalogue's vectors are on no rank where tables are sharded.
        case .auto: items > loss.fullSoftmaxItems || ranks.tableSharding == .rows
        case .full: false
        case .sampled, .bce: true
        }
    }
}

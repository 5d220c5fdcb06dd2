import Bytes
import Tensors
import TowerModel

/// A part of a user's history that trains at once: its events are predicted, each from what comes before it within the part.
struct SequenceWindow: Sendable, Equatable {
    var user: Int32
    /// Events to predict. Entries are the events from the one before ``first``, where there is one, to the one before the last.
    var first, end: Int32
    /// How many of them are examples.
    var examples: Int32
}

/// The windows of one step, gathered without padding: entries of all windows one after the other, oldest first.
///
/// Item rows are as in ``TrainingBatch``.
final class SequenceBatch {
    /// Entries of window w are `starts[w]..<starts[w + 1]`, its examples `exampleStarts[w]..<exampleStarts[w + 1]`.
    let starts = GrowingBuffer<Int>(), exampleStarts = GrowingBuffer<Int>()
    /// By window: user row, −1 where training hides the attributes.
    let users = GrowingBuffer<Int32>()
    /// By entry: item row, type, bucket of the time since the entry before.
    let rows = GrowingBuffer<Int32>(), types = GrowingBuffer<UInt8>(), gaps = GrowingBuffer<UInt8>()
    /// By example: the newest entry it sees, −1 for none; row of the item to predict; share in the loss; bucket of the time between the
    /// two.
    let newest = GrowingBuffer<Int32>(), targets = GrowingBuffer<Int32>(), weights = GrowingBuffer<Float>(), idle = GrowingBuffer<UInt8>()
    /// By example: rows of items to leave out of its loss are `maskStarts[i]..<maskEnds[i]` of ``masks``.
    let maskStarts = GrowingBuffer<Int32>(), maskEnds = GrowingBuffer<Int32>(), masks = GrowingBuffer<Int32>()
    /// By example: what its target's score carries under a logit adjustment; empty without one.
    let targetCorrections = GrowingBuffer<Float>()
    /// How often each candidate was drawn, empty under the full loss, and its correction; under the full loss the logit adjustment, where
    /// there is one.
    let draws = GrowingBuffer<Float>(), corrections = GrowingBuffer<Float>()
    /// Item row of each local row; the candidates come first.
    var items: [Int32] = []
    var candidates = 0
    /// Place of the first window among those of all ranks.
    var firstWindow = 0
    /// Whether candidates were drawn.
    let isSampled: Bool

    init(isSampled: Bool) {
        self.isSampled = isSampled
        removeAll()
    }

    /// Windows.
    var count: Int { starts.count - 1 }
    /// Examples.
    var examples: Int { targets.count }

    /// Forgets the windows.
    func removeAll() {
        for buffer in [starts, exampleStarts] {
            buffer.removeAll()
            buffer.append(0)
        }
        for buffer in [users, rows, newest, targets, maskStarts, maskEnds, masks] { buffer.removeAll() }
        for buffer in [types, gaps, idle] { buffer.removeAll() }
        for buffer in [weights, targetCorrections] { buffer.removeAll() }
    }
}

/// An array whose values stay at one address until it grows, so that parallel loops read it without borrowing. One thread writes.
final class GrowingBuffer<Element: BitwiseCopyable> {
    private(set) var start: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private var capacity = 1_024

    /// Empty.
    init() { start = .allocate(capacity: capacity) }

    deinit { start.deallocate() }

    subscript(index: Int) -> Element {
        get { start[index] }
        set { start[index] = newValue }
    }

    func append(_ value: Element) {
        if count == capacity {
            let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
            larger.update(from: start, count: count)
            start.deallocate()
            start = larger
            capacity *= 2
        }
        start[count] = value
        count += 1
    }

    /// Forgets the values and keeps the memory.
    func removeAll() { count = 0 }
}

/// The windows of an epoch. A long history is cut at places that differ from epoch to epoch, so that each event is predicted once an
/// epoch, with more or less of its past in sight. Memory grows with users and with events over the length of a window.
struct SequencePlan {
    private let set: TrainingSet
    private let plan: ExamplePlan
    private let length: Int
    private let perUser: Int
    private let seed: UInt64

    init(_ set: TrainingSet, plan: ExamplePlan, configuration: TowerConfiguration) {
        self.set = set
        self.plan = plan
        length = configuration.historyLength
        perUser = configuration.examples.perUser
        seed = configuration.seed
    }

    /// The windows of an epoch in its order.
    func windows(epoch: Int) -> [SequenceWindow] {
        var windows: [SequenceWindow] = []
        windows.reserveCapacity(set.userCount)
        for user in 0..<set.userCount {
            cut(user, draw: SplitMix64Mixing.mixed(seed &+ UInt64(epoch) << 32 &+ UInt64(user)), into: &windows)
        }
        var random = SeededGenerator(seed: seed, stream: 0x7365_7100 + UInt64(epoch))
        random.shuffle(&windows)
        return windows
    }

    /// The windows of a user's first events, uncut by chance, for checks.
    func firstWindows(examples: Int) -> [SequenceWindow] {
        var windows: [SequenceWindow] = [], found = 0
        for user in 0..<set.userCount {
            let before = windows.count
            cut(user, draw: 0, into: &windows)
            for index in before..<windows.count {
                let window = windows[index]
                guard found + Int(window.examples) > examples else {
                    found += Int(window.examples)
                    continue
                }
                windows.removeLast(windows.count - index)
                if found == 0 { windows.append(window) }
                return windows
            }
        }
        return windows
    }

    private func cut(_ user: Int, draw: UInt64, into windows: inout [SequenceWindow]) {
        var from = set.userStarts[user], end = set.userStarts[user + 1]
        if perUser > 0, end - from > perUser {
            // A run of events, so that no more of the history is read than it needs.
            from += Int(SplitMix64Mixing.mixed(draw).multipliedFullWidth(by: UInt64(end - from - perUser + 1)).high)
            end = from + perUser
        }
        // The first window is shorter by chance, the others are whole.
        var next = end - from > length ? from + 1 + Int(draw.multipliedFullWidth(by: UInt64(length)).high) : end
        while from < end {
            var examples: Int32 = 0
            for event in from..<min(next, end) where plan.isExample(event, of: Int32(user)) { examples += 1 }
            if examples > 0 {
                windows.append(SequenceWindow(user: Int32(user), first: Int32(from), end: Int32(min(next, end)), examples: examples))
            }
            from = next
            next += length
        }
    }
}

import ContentModel
import Tensors
import TowerModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Int32s at a fixed address; see ``FloatBuffer``.
final class IndexBuffer {
    let start: UnsafeMutablePointer<Int32>
    let count: Int

    /// Zeros.
    init(_ count: Int) {
        self.count = count
        start = .allocate(capacity: max(16, count))
        start.initialize(repeating: 0, count: max(16, count))
    }

    deinit { start.deallocate() }
}

/// The examples of one step and the distinct items that they chose: the candidates of the in-batch softmax.
///
/// An item that k examples chose is one candidate whose exponential counts k times. The loss and its gradients are those of
/// k separate columns, for the work of one.
final class MeanBatch {
    /// Which rows stay hidden, so that training learns to do without them.
    struct Hiding {
        /// Share of examples without their user row.
        var users: Float
        /// Share of candidates without their id row.
        var items: Float
        /// Items that always keep their id row: nothing else says what they are.
        var keepsID: [Bool]
    }

    /// Number of examples.
    private(set) var count = 0
    /// History entries of all examples.
    private(set) var entries = 0
    private var examples: [MeanExamples.Example] = []
    /// The history of each example in the sequence, and its user row, −1 where none takes part.
    let starts, ends, users: IndexBuffer
    /// Candidate of each example's target, share in the loss, and log₂ of what the target's exponent carries.
    let targets: IndexBuffer
    let shares, targetShares: FloatBuffer
    /// Number of distinct targets.
    private(set) var candidateCount = 0
    /// Item row of each candidate, and the same with −1 where the id row stays hidden.
    let candidates, visibleRows: IndexBuffer
    /// log₂(times chosen) − log₂(share) of each candidate, plus the logit adjustment, and −120 beyond them up to a whole number of 64.
    let corrections: FloatBuffer

    /// By item row: log₂ of the share, less the logit adjustment.
    private let logShares: FloatBuffer
    /// By item row: the stamp of the batch that met it, and its candidate.
    private let met: IndexBuffer
    private var stamp: Int32 = 0
    private let times: IndexBuffer
    private let hiding: Hiding

    init(_ set: MeanExamples, limit: Int, logQ: Bool, hiding: Hiding) {
        (starts, ends, users, targets) = (IndexBuffer(limit), IndexBuffer(limit), IndexBuffer(limit), IndexBuffer(limit))
        (shares, targetShares) = (FloatBuffer(limit), FloatBuffer(limit))
        (candidates, visibleRows, times) = (IndexBuffer(limit), IndexBuffer(limit), IndexBuffer(limit))
        corrections = FloatBuffer((limit + 63) / 64 * 64)
        logShares = FloatBuffer(set.shares.map { logQ ? log2($0) : 0 })
        // Exponents are of base 2 there.
        for (item, adjustment) in (set.logitAdjustments ?? []).enumerated() { logShares.start[item] -= adjustment * 1.442_695_04 }
        met = IndexBuffer(2 * set.itemCount)
        self.hiding = hiding
    }

    /// Takes over a step's examples; `key` decides which rows are hidden, nil hides none.
    func fill(_ sequence: UnsafePointer<Int32>, key: UInt64?, _ next: (inout [MeanExamples.Example]) -> Void) {
        next(&examples)
        // A stamp says which entries are of this batch; before it would repeat, all are forgotten.
        if stamp == .max {
            met.start.update(repeating: 0, count: met.count)
            stamp = 0
        }
        stamp += 1
        let stamp = stamp, met = met.start, times = times.start, candidates = candidates.start, share = 1 / Float(max(1, examples.count))
        let (starts, ends, users, targets) = (starts.start, ends.start, users.start, targets.start)
        let (shares, targetShares, logShares) = (shares.start, targetShares.start, logShares.start)
        let hidden = UInt64((key == nil ? 0 : hiding.users) * 16_777_216), key = key ?? 0
        var distinct: Int32 = 0, entries = 0
        examples.withUnsafeBufferPointer { examples in
            for index in 0..<examples.count {
                let example = examples[index], item = Int(sequence[Int(example.end)])
                let isNew = met[2 * item] != stamp, place = isNew ? distinct : met[2 * item + 1]
                met[2 * item] = stamp
                met[2 * item + 1] = place
                candidates[Int(distinct)] = Int32(truncatingIfNeeded: item)
                times[Int(place)] = (isNew ? 0 : times[Int(place)]) &+ 1
                distinct &+= isNew ? 1 : 0
                targets[index] = place
                shares[index] = example.weight * share
                targetShares[index] = -logShares[item]
                starts[index] = example.start
                ends[index] = example.end
                users[index] = hidden > 0 && FeatureHash.mixed(key &+ UInt64(index)) >> 40 < hidden ? -1 : example.user
                entries &+= Int(example.end &- example.start)
            }
        }
        count = examples.count
        self.entries = entries
        candidateCount = Int(distinct)
        for place in 0..<candidateCount {
            corrections.start[place] = log2(Float(times[place])) - logShares[Int(candidates[place])]
        }
        for place in candidateCount..<(candidateCount + 63) / 64 * 64 { corrections.start[place] = -120 }
        hideItems(UInt64((key == 0 ? 0 : hiding.items) * 16_777_216), key: key)
    }

    private func hideItems(_ hidden: UInt64, key: UInt64) {
        visibleRows.start.update(from: candidates.start, count: candidateCount)
        guard hidden > 0 else { return }
        for place in 0..<candidateCount {
            let item = candidates.start[place]
            let isHidden = FeatureHash.mixed(key ^ (UInt64(item) &* 0xd6e8_feb8_6659_fd93)) >> 40 < hidden
            if isHidden && !hiding.keepsID[Int(item)] { visibleRows.start[place] = -1 }
        }
    }
}

/// Rows that a part of a batch uses, with the place of each, apart by the thread that owns the row.
///
/// 16 neighbouring rows belong to one owner: their accumulators share a cache line.
final class RowParts {
    private let owners: Int
    private var capacity = 0
    /// Row and place in turns, one list an owner.
    private var lists: [IndexBuffer] = []
    private(set) var counts: [Int]

    init(owners: Int) {
        self.owners = owners
        counts = [Int](repeating: 0, count: owners)
    }

    /// Starts a batch of at most `limit` entries.
    func begin(limit: Int) {
        for owner in 0..<owners { counts[owner] = 0 }
        guard capacity < limit + 1 else { return }
        capacity = limit + limit / 8 + 1
        lists = (0..<owners).map { _ in IndexBuffer(2 * capacity) }
    }

    /// Rows and places in turns, of one owner.
    func list(_ owner: Int) -> UnsafePointer<Int32> { UnsafePointer(lists[owner].start) }

    /// Adds the rows of the windows `range` of a sequence, each at the window's number.
    func add(_ sequence: UnsafePointer<Int32>, starts: UnsafePointer<Int32>, ends: UnsafePointer<Int32>, range: Range<Int>) {
        if owners == 2 {
            var first = counts[0], second = counts[1]
            let one = lists[0].start, other = lists[1].start
            for index in range {
                for entry in Int(starts[index])..<Int(ends[index]) {
                    let row = sequence[entry], place = Int32(truncatingIfNeeded: index), owner = Int(row >> 4 & 1)
                    // Both lists are written and one is advanced: which one cannot be guessed.
                    one[2 &* first] = row
                    one[2 &* first &+ 1] = place
                    other[2 &* second] = row
                    other[2 &* second &+ 1] = place
                    first &+= 1 &- owner
                    second &+= owner
                }
            }
            counts[0] = first
            counts[1] = second
            return
        }
        for index in range {
            for entry in Int(starts[index])..<Int(ends[index]) { add(sequence[entry], at: index) }
        }
    }

    /// Adds the listed rows `range`, each at `first` + its number; those below 0 are left out.
    func add(_ rows: UnsafePointer<Int32>, range: Range<Int>, first: Int) {
        for index in range where rows[index] >= 0 { add(rows[index], at: first + index) }
    }

    private func add(_ row: Int32, at place: Int) {
        let owner = Int(row >> 4) % owners, list = lists[owner].start, next = counts[owner]
        list[2 * next] = row
        list[2 * next + 1] = Int32(truncatingIfNeeded: place)
        counts[owner] = next + 1
    }
}

/// The places at which each row that a thread owns occurs in a batch, for updates that visit each row once. The order of a row's
/// places does not depend on the number of threads.
final class RowGroups {
    /// Distinct rows, in the order of their first place.
    private(set) var rows = IndexBuffer(0)
    /// Row i is at `places[starts[i]..<starts[i + 1]]`.
    private(set) var starts = IndexBuffer(0)
    private(set) var places = IndexBuffer(0)
    private(set) var count = 0

    /// Per row of the table: the stamp of the batch, and how often it was met.
    private let met: IndexBuffer
    private var stamp: Int32 = 0

    init(tableRows: Int) { met = IndexBuffer(2 * tableRows) }

    /// Groups what the parts hold for an owner. O(entries).
    func group(_ parts: [RowParts], owner: Int) {
        let entries = parts.reduce(0) { $0 + $1.counts[owner] }
        if places.count < entries + 1 {
            let size = entries + entries / 8 + 16
            (rows, starts, places) = (IndexBuffer(size), IndexBuffer(size + 1), IndexBuffer(size))
        }
        // A stamp says which entries are of this batch; before it would repeat, all are forgotten.
        if stamp == .max {
            met.start.update(repeating: 0, count: met.count)
            stamp = 0
        }
        stamp += 1
        let stamp = stamp, met = met.start, rows = rows.start, starts = starts.start, places = places.start
        var distinct = 0
        for part in parts {
            let found = part.list(owner)
            for index in 0..<part.counts[owner] {
                let row = found[2 &* index], at = 2 &* Int(row), isNew = met[at] != stamp
                met[at] = stamp
                met[at &+ 1] = (isNew ? 0 : met[at &+ 1]) &+ 1
                rows[distinct] = row
                distinct &+= isNew ? 1 : 0
            }
        }
        var next: Int32 = 0
        for index in 0..<distinct {
            let at = 2 &* Int(rows[index]) &+ 1, times = met[at]
            starts[index] = next
            met[at] = next
            next &+= times
        }
        starts[distinct] = next
        count = distinct
        for part in parts {
            let found = part.list(owner)
            for index in 0..<part.counts[owner] {
                let at = 2 &* Int(found[2 &* index]) &+ 1, to = met[at]
                places[Int(to)] = found[2 &* index &+ 1]
                met[at] = to &+ 1
            }
        }
    }
}

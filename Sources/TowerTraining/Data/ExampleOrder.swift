import Bytes
import Tensors

/// A random order of `0..<count` that takes no memory: the place of each index is computed.
///
/// A Feistel network over pairs (index / columns, index mod columns), as Black and Rogaway 2002 make permutations of any size:
/// each round adds a keyed hash of one half to the other, modulo its size, which can be undone, so no two indices meet.
/// There are at most `√count + 1` more pairs than indices; a place outside is shuffled again until it is inside.
public struct Permutation: Sendable {
    private static let rounds: UInt64 = 6

    /// Number of indices.
    public let count: Int
    private let rows: UInt64, columns: UInt64
    private let key: UInt64

    /// A permutation for a key; other keys give other ones.
    public init(count: Int, key: UInt64) {
        precondition(count >= 0, "a permutation of \(count) indices")
        self.count = count
        self.key = SplitMix64Mixing.mixed(key)
        let size = UInt64(Swift.max(1, count))
        var root = UInt64(Double(size).squareRoot())
        while root * root < size { root += 1 }
        columns = root
        rows = (size + root - 1) / root
    }

    /// The place of an index; both are in `0..<count`.
    public func callAsFunction(_ index: Int) -> Int {
        precondition(index >= 0 && index < count, "index \(index) of \(count)")
        var place = UInt64(index)
        repeat { place = shuffled(place) } while place >= UInt64(count)
        return Int(place)
    }

    private func shuffled(_ place: UInt64) -> UInt64 {
        var (row, column) = place.quotientAndRemainder(dividingBy: columns)
        for round in 0..<Self.rounds {
            if round & 1 == 0 {
                row = Self.sum(row, hash(column, round), below: rows)
            } else {
                column = Self.sum(column, hash(row, round), below: columns)
            }
        }
        return row * columns + column
    }

    private func hash(_ value: UInt64, _ round: UInt64) -> UInt64 {
        SplitMix64Mixing.mixed(key &+ round &* 0xD6E8_FEB8_6659_FD93 ^ value)
    }

    /// `value` moved round by a random distance.
    private static func sum(_ value: UInt64, _ random: UInt64, below bound: UInt64) -> UInt64 {
        let sum = value + random.multipliedFullWidth(by: bound).high
        return sum < bound ? sum : sum - bound
    }
}

/// The examples of one epoch, shuffled, with at most the configured number of each user. Memory grows with users.
struct ExampleOrder {
    /// Number of examples.
    let count: Int
    private let plan: ExamplePlan
    private let permutation: Permutation
    private let perUser: Int
    /// The first index that was not looked at.
    private var index = 0
    /// Examples that were found and not yet taken, from ``nextFound`` on.
    private var found: [(event: Int32, user: Int32)] = []
    private var nextFound = 0
    private let threads: Int
    /// Indices that one thread looks at together, and that all look at before examples are handed out.
    private static let group = 256, lookAhead = 4_096
    /// Examples of each user so far; empty without a limit.
    private var taken: [Int32]

    init(_ plan: ExamplePlan, count: Int, perUser: Int, key: UInt64, threads: Int) {
        self.threads = threads
        self.plan = plan
        self.count = count
        self.perUser = perUser
        permutation = Permutation(count: plan.eventCount, key: key)
        taken = [Int32](repeating: 0, count: perUser > 0 ? plan.userCount : 0)
    }

    /// The next examples, fewer than `limit` only at the end.
    mutating func next(_ limit: Int) -> [Int32] {
        var examples: [Int32] = []
        examples.reserveCapacity(limit)
        while examples.count < limit, let event = next() { examples.append(Int32(event)) }
        return examples
    }

    /// Leaves out the next `count` examples.
    mutating func skip(_ count: Int) {
        for _ in 0..<count where next() == nil { return }
    }

    private mutating func next() -> Int? {
        while true {
            while nextFound < found.count {
                let (event, user) = found[nextFound]
                nextFound += 1
                guard perUser > 0 else { return Int(event) }
                guard taken[Int(user)] < perUser else { continue }
                taken[Int(user)] += 1
                return Int(event)
            }
            guard index < permutation.count else { return nil }
            look(at: index..<min(index + Self.lookAhead, permutation.count))
        }
    }

    /// Finds the examples among the next indices, in their order.
    private mutating func look(at range: Range<Int>) {
        let (plan, permutation) = (plan, permutation), groups = (range.count + Self.group - 1) / Self.group
        var parts = [[(event: Int32, user: Int32)]](repeating: [], count: groups)
        parts.withUnsafeMutableBufferPointer { parts in
            parallelFor(count: groups, threads: threads) { own, _ in
                for number in own {
                    let from = range.lowerBound + number * Self.group, to = min(from + Self.group, range.upperBound)
                    parts[number] = plan.examples(among: (from..<to).map { Int32(permutation($0)) })
                }
            }
        }
        found = Array(parts.joined())
        (index, nextFound) = (range.upperBound, 0)
    }
}

import Tensors
import TowerModel

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Which events are examples, what each weighs, and in which order an epoch takes them.
///
/// Nothing is kept for each event: what an example needs is computed from the training set when it is asked for. Memory
/// grows with users and items.
struct ExamplePlan: Sendable {
    /// Below this an example moves nothing and only costs time.
    private static let leastWeight: Float = 1e-4

    /// Number of examples.
    let count: Int
    /// Examples of an epoch, with at most the configured number of each user.
    let epochLength: Int
    /// Share of all examples by item row.
    let shares: [Float]
    /// By item row, what a training adds to scores and serving does not; nil for nothing. See
    /// ``logitAdjustments(shares:examples:strength:)``.
    let logitAdjustments: [Float]?
    /// The last event of each validation user: never an example, and no later history exists.
    let heldOut: [(user: Int32, event: Int)]

    private let set: TrainingSet
    private let users: UserLookup
    private let perUser: Int
    private let seed: UInt64
    private let weigh: Weigher
    private let meanWeight: Float
    /// By user row, whether the last event is held out.
    private let isHeldOut: [Bool]
    private let metIdle: [Bool]

    /// Goes over all events once.
    init(_ set: TrainingSet, configuration: TowerConfiguration) {
        precondition(set.eventCount <= Int(Int32.max), "\(set.eventCount) events, where \(Int32.max) can be numbered")
        self.set = set
        seed = configuration.seed
        perUser = configuration.examples.perUser
        users = UserLookup(set)
        heldOut = Self.heldOut(set, users: configuration.validation.users, seed: configuration.seed)
        var isHeldOut = [Bool](repeating: false, count: set.userCount)
        for held in heldOut { isHeldOut[Int(held.user)] = true }
        self.isHeldOut = isHeldOut
        let weigh = Weigher(set, configuration: configuration)
        self.weigh = weigh
        var count = 0, epochLength = 0, sum = 0.0
        var counts = [Int](repeating: 0, count: set.itemCount)
        var metIdle = [Bool](repeating: false, count: TowerShape.idleCount)
        for user in 0..<set.userCount {
            let (first, end) = (set.userStarts[user], set.userStarts[user + 1])
            let before = count
            for event in first..<(isHeldOut[user] ? end - 1 : end) {
                let weight = weigh(event)
                guard weight > Self.leastWeight else { continue }
                count += 1
                sum += Double(weight)
                counts[Int(set.items[event])] += 1
                if event > first { metIdle[Int(TimeBuckets.idle(milliseconds: set.times[event] - set.times[event - 1]))] = true }
            }
            epochLength += perUser > 0 ? min(count - before, perUser) : count - before
        }
        self.count = count
        self.epochLength = epochLength
        self.metIdle = metIdle
        meanWeight = count == 0 ? 1 : Float(sum / Double(count))
        let total = Float(max(1, count))
        shares = counts.map { Float($0) / total }
        logitAdjustments = TowerTraining.logitAdjustments(shares: shares, examples: count, strength: configuration.loss.logitAdjustment)
    }

    /// Number of events, examples or not.
    var eventCount: Int { self.set.eventCount }
    /// Number of users.
    var userCount: Int { self.set.userCount }

    /// The user row of an event, in constant time for most.
    func user(of event: Int) -> Int32 { users[event] }

    /// Whether an event is predicted: it weighs enough and is not held out.
    func isExample(_ event: Int, of user: Int32) -> Bool {
        weigh(event) > Self.leastWeight && !(isHeldOut[Int(user)] && event == set.userStarts[Int(user) + 1] - 1)
    }

    /// Those of some events that are predicted, in their order, with their users.
    ///
    /// What is read of events that are far apart is rarely in a cache. All weights are asked before the first user is looked for, without
    /// a branch, so that many of them are on their way at once.
    func examples(among events: [Int32]) -> [(event: Int32, user: Int32)] {
        let weighty = [Int32](unsafeUninitializedCapacity: events.count) { buffer, count in
            for event in events {
                buffer[count] = event
                count += weigh(Int(event)) > Self.leastWeight ? 1 : 0
            }
        }
        for event in weighty { users.prefetch(Int(event)) }
        return weighty.compactMap { event in
            let user = users[Int(event)]
            return isHeldOut[Int(user)] && Int(event) == set.userStarts[Int(user) + 1] - 1 ? nil : (event, user)
        }
    }

    /// The weight of an example; mean 1 over all.
    func weight(of event: Int) -> Float { weigh(event) / meanWeight }

    /// The events of an epoch (from 0) that are examples: shuffled by the seed and the epoch, with at most the configured number
    /// of each user.
    ///
    /// - Parameter threads: look for examples together; their number changes nothing.
    func order(epoch: Int, threads: Int = 1) -> ExampleOrder {
        var random = SeededGenerator(seed: seed, stream: 0x6570_0000 + UInt64(epoch))
        return ExampleOrder(self, count: epochLength, perUser: perUser, key: random.next(), threads: threads)
    }

    /// The first examples in the order of events, for checks.
    func first(_ limit: Int) -> [Int32] {
        Array((0..<eventCount).lazy.filter { isExample($0, of: user(of: $0)) }.prefix(limit).map { Int32($0) })
    }

    /// Which buckets of idle time occur between an example and the event before it.
    func idleBuckets(_ set: TrainingSet) -> [Bool] { metIdle }

    private static func heldOut(_ set: TrainingSet, users: Int, seed: UInt64) -> [(user: Int32, event: Int)] {
        guard users > 0 else { return [] }
        // Users with enough events to keep a history; at most a tenth of them, so that training loses little.
        var able = (0..<set.userCount).filter { set.userStarts[$0 + 1] - set.userStarts[$0] >= 3 }.map { Int32($0) }
        var random = SeededGenerator(seed: seed, stream: 0x76616c)
        random.shuffle(&able)
        let count = min(users, max(1, able.count / 10), able.count)
        return able.prefix(count).sorted().map { ($0, set.userStarts[Int($0) + 1] - 1) }
    }
}

/// The weight of an event before it is scaled.
private struct Weigher: Sendable {
    private let items: Column<Int32>, types: Column<UInt8>, times: Column<Int64>, weights: Column<Float>
    private let clock: Int64
    /// By type.
    private let typeWeights: [Float]
    /// By item row; nil where all items weigh the same.
    private let itemWeights: [Float]?
    /// In milliseconds; 0 where all ages weigh the same.
    private let halfLife: Double

    init(_ set: TrainingSet, configuration: TowerConfiguration) {
        (items, types, times, weights, clock) = (set.items, set.types, set.times, set.weights, set.clock)
        typeWeights = [0, configuration.examples.clickWeight, configuration.examples.cartWeight, configuration.examples.purchaseWeight]
        precondition(typeWeights.count == TowerShape.typeCount, "\(typeWeights.count) weights for \(TowerShape.typeCount) types")
        itemWeights = ItemWeights.weights(counts: set.eventsPerItem(), configuration: configuration)
        halfLife = Double(configuration.examples.recencyHalfLifeDays) * 86_400_000
    }

    func callAsFunction(_ event: Int) -> Float {
        var weight = typeWeights[Int(types[event])] * weights[event]
        if halfLife > 0 { weight *= Float(exp2(-Double(clock - times[event]) / halfLife)) }
        if let itemWeights { weight *= itemWeights[Int(items[event])] }
        return weight
    }
}

/// Finds the user of an event by a table with two entries a user.
private struct UserLookup: Sendable {
    private let starts: Column<Int>
    /// Event `e` belongs to a user from `hints[e / stride]` on.
    private let hints: [Int32]
    private let stride: Int

    init(_ set: TrainingSet) {
        starts = set.userStarts
        let places = 2 * set.userCount + 1
        stride = max(1, (set.eventCount + places - 1) / places)
        var hints: [Int32] = []
        var user = 0
        for event in Swift.stride(from: 0, to: set.eventCount, by: stride) {
            while starts[user + 1] <= event { user += 1 }
            hints.append(Int32(user))
        }
        self.hints = hints
    }

    /// Asks the memory for where the search for an event's user begins.
    func prefetch(_ event: Int) {
        let place = event / stride
        hints.withUnsafeBufferPointer { if let hints = $0.baseAddress { Kernels.prefetch(hints + place, bytes: 4) } }
    }

    subscript(event: Int) -> Int32 {
        let place = event / stride
        // The last of those users that start at or before the event; many short histories may share one entry.
        var low = Int(hints[place]), high = place + 1 < hints.count ? Int(hints[place + 1]) + 1 : starts.count - 1
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= event { low = middle } else { high = middle }
        }
        return Int32(low)
    }
}

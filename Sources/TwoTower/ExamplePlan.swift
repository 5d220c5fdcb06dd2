import Tensors

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Which events are examples, what each weighs, and in which order an epoch takes them.
struct ExamplePlan {
    /// Indices of the events to predict, ascending.
    let events: [Int]
    /// Weight of each of ``events``; mean 1.
    let weights: [Float]
    /// User row of each of ``events``.
    let users: [Int32]
    /// Share of all examples by item row.
    let shares: [Float]
    /// The last event of each validation user: never an example, and no later history exists.
    let heldOut: [(user: Int32, event: Int)]

    private let perUser: Int
    private let seed: UInt64

    init(_ set: TrainingSet, configuration: TowerConfiguration) {
        seed = configuration.seed
        perUser = configuration.examplesPerUser
        let held = Self.heldOut(set, users: configuration.validationUsers, seed: configuration.seed)
        heldOut = held
        let skipped = Set(held.map(\.event))
        let typeWeights = [0, configuration.clickWeight, configuration.cartWeight, configuration.purchaseWeight]
        let tail = Self.tailWeights(set, beta: configuration.tailBeta)
        let halfLife = Double(configuration.recencyHalfLifeDays) * 86_400_000
        var events: [Int] = [], weights: [Float] = [], users: [Int32] = []
        var shares = [Float](repeating: 0, count: set.itemCount)
        for user in 0..<set.userCount {
            for event in set.userStarts[user]..<set.userStarts[user + 1] where !skipped.contains(event) {
                var weight = typeWeights[Int(set.types[event])] * set.weights[event]
                if halfLife > 0 { weight *= Float(exp2(-Double(set.clock - set.times[event]) / halfLife)) }
                if let tail { weight *= tail[Int(set.items[event])] }
                // Below this an example moves nothing and only costs time.
                guard weight > 1e-4 else { continue }
                events.append(event)
                weights.append(weight)
                users.append(Int32(user))
                shares[Int(set.items[event])] += 1
            }
        }
        let mean = weights.isEmpty ? 1 : Float(weights.reduce(0.0) { $0 + Double($1) } / Double(weights.count))
        self.events = events
        self.users = users
        self.weights = weights.map { $0 / mean }
        let count = Float(max(1, events.count))
        self.shares = shares.map { $0 / count }
    }

    /// Places in ``events`` in the order of an epoch (from 0): shuffled, with at most the configured number of each user.
    func order(epoch: Int) -> [Int32] {
        var random = SeededGenerator(seed: seed, stream: 0x6570_0000 + UInt64(epoch))
        var order = (0..<Int32(events.count)).map { $0 }
        random.shuffle(&order)
        guard perUser > 0 else { return order }
        var taken: [Int32: Int] = [:]
        return order.filter {
            let count = taken[users[Int($0)], default: 0]
            taken[users[Int($0)]] = count + 1
            return count < perUser
        }
    }

    /// Examples of an epoch, without making its order.
    var epochLength: Int {
        guard perUser > 0 else { return events.count }
        var counts: [Int32: Int] = [:]
        for user in users { counts[user, default: 0] += 1 }
        return counts.values.reduce(0) { $0 + min($1, perUser) }
    }

    /// Which buckets of idle time occur between an example and the event before it.
    func idleBuckets(_ set: TrainingSet) -> [Bool] {
        var met = [Bool](repeating: false, count: TowerShape.idleCount)
        for (event, user) in zip(events, users) where event > set.userStarts[Int(user)] {
            met[Int(TimeBuckets.idle(milliseconds: set.times[event] - set.times[event - 1]))] = true
        }
        return met
    }

    private static func heldOut(_ set: TrainingSet, users: Int, seed: UInt64) -> [(user: Int32, event: Int)] {
        guard users > 0 else { return [] }
        // Users with enough events to keep a history; at most a tenth of them, so that training loses little.
        var able = (0..<set.userCount).filter { set.userStarts[$0 + 1] - set.userStarts[$0] >= 3 }.map { Int32($0) }
        var random = SeededGenerator(seed: seed, stream: 0x76616c)
        random.shuffle(&able)
        let count = min(users, max(1, able.count / 10), able.count)
        return able.prefix(count).sorted().map { ($0, set.userStarts[Int($0) + 1] - 1) }
    }

    /// Effective-number weights (1 − β) / (1 − β^n), mean 1 over events, clipped to [0.2, 5] (Cui et al. 2019, equation 2).
    private static func tailWeights(_ set: TrainingSet, beta: Float) -> [Float]? {
        guard beta > 0 else { return nil }
        let counts = set.eventsPerItem(), b = Double(beta)
        let raw = counts.map { (1 - b) / (1 - pow(b, Double(max(1, $0)))) }
        let total = zip(raw, counts).reduce(0.0) { $0 + $1.0 * Double($1.1) }
        let mean = total / Double(max(1, set.eventCount))
        return raw.map { Float(min(5, max(0.2, $0 / mean))) }
    }
}

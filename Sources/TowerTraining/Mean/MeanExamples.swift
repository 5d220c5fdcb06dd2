import Tensors

/// What a mean-pooled tower learns from: a sequence of items, and examples that are windows into it.
public struct MeanExamples: Sendable {
    /// One example: after the items `start..<end` of the sequence, `user` chose the item at `end`.
    public struct Example: Sendable, BitwiseCopyable {
        /// User row, or −1.
        public var user: Int32
        /// Where the history begins in the sequence.
        public var start: Int32
        /// Where it ends, and where the target is.
        public var end: Int32
        /// Weight in the loss; 1 is usual.
        public var weight: Float

        /// Makes an example.
        public init(user: Int32, start: Int32, end: Int32, weight: Float = 1) {
            self.user = user
            self.start = start
            self.end = end
            self.weight = weight
        }
    }

    private enum Source {
        case listed([Example])
        case planned(ExamplePlan, TrainingSet, historyLength: Int)
    }

    /// Item row at each place.
    public let sequence: Column<Int32>
    /// Number of item rows.
    public let itemCount: Int
    /// Number of user rows.
    public let userCount: Int
    /// How often each item is a candidate: its share of the targets, above 0. `[itemCount]`
    public let shares: [Float]
    /// By item row, what a training adds to scores and serving does not; nil for nothing.
    let logitAdjustments: [Float]?
    private let source: Source

    /// A set of listed examples, such as a benchmark makes.
    ///
    /// - Parameters:
    ///   - sequence: item row at each place, each below `itemCount`.
    ///   - shares: nil counts the sequence, an item that never occurs as once.
    public init(sequence: [Int32], examples: [Example], itemCount: Int, userCount: Int, shares: [Float]? = nil) {
        precondition(sequence.count < Int(Int32.max), "\(sequence.count) places: a sequence has fewer than 2³¹")
        precondition(
            sequence.allSatisfy { $0 >= 0 && Int($0) < itemCount }, "an item row of the sequence is not one of \(itemCount)")
        precondition(
            examples.allSatisfy {
                $0.start >= 0 && $0.start <= $0.end && Int($0.end) < sequence.count && Int($0.user) < userCount && $0.weight >= 0
            }, "an example lies outside of \(sequence.count) places or \(userCount) users")
        precondition(shares == nil || shares?.count == itemCount, "\(shares?.count ?? 0) shares for \(itemCount) items")
        self.sequence = Column(sequence)
        source = .listed(examples)
        self.itemCount = itemCount
        self.userCount = userCount
        self.shares = shares ?? Self.counted(sequence, itemCount)
        logitAdjustments = nil
    }

    /// The examples of a training set: each event of the plan after up to `historyLength` events of its user.
    init(_ set: TrainingSet, plan: ExamplePlan, historyLength: Int) {
        sequence = set.items
        source = .planned(plan, set, historyLength: historyLength)
        itemCount = set.itemCount
        userCount = set.userCount
        let least = 1 / Float(max(1, plan.count))
        shares = plan.shares.map { max($0, least) }
        logitAdjustments = plan.logitAdjustments
    }

    private static func counted(_ sequence: [Int32], _ itemCount: Int) -> [Float] {
        var counts = [Int32](repeating: 0, count: itemCount)
        for item in sequence { counts[Int(item)] += 1 }
        return counts.map { Float(max(1, $0)) / Float(max(1, sequence.count)) }
    }

    /// Examples of an epoch.
    public var epochLength: Int {
        switch source {
        case .listed(let examples): examples.count
        case .planned(let plan, _, _): plan.epochLength
        }
    }

    /// The examples of an epoch (from 0), shuffled by the seed and the epoch.
    func order(epoch: Int, seed: UInt64) -> Order {
        switch source {
        case .listed(let examples):
            var places = (0..<Int32(examples.count)).map { $0 }
            var random = SeededGenerator(seed: seed, stream: 0x6d65_0000 + UInt64(epoch))
            random.shuffle(&places)
            return Order(of: .listed(places, examples))
        case .planned(let plan, let set, let length):
            return Order(of: .planned(plan.order(epoch: epoch), plan, set, length))
        }
    }

    /// The first examples in the order of events, for checks.
    func first(_ limit: Int) -> [Example] {
        switch source {
        case .listed(let examples): return Array(examples.prefix(limit))
        case .planned(let plan, let set, let length):
            return plan.first(limit).map { Order.example($0, plan, set, length) }
        }
    }

    /// A way through the examples of an epoch.
    struct Order {
        fileprivate enum Way {
            case listed([Int32], [Example])
            case planned(ExampleOrder, ExamplePlan, TrainingSet, Int)
        }

        private var way: Way
        private var index = 0

        fileprivate init(of way: Way) { self.way = way }

        /// Replaces `batch` by the next examples, fewer than `limit` only at the end.
        mutating func next(_ limit: Int, into batch: inout [Example]) {
            batch.removeAll(keepingCapacity: true)
            switch way {
            case .listed(let places, let examples):
                let end = min(places.count, index + limit)
                for place in index..<end { batch.append(examples[Int(places[place])]) }
                index = end
            case .planned(var order, let plan, let set, let length):
                for event in order.next(limit) { batch.append(Self.example(event, plan, set, length)) }
                way = .planned(order, plan, set, length)
            }
        }

        /// Leaves out the next `count` examples.
        mutating func skip(_ count: Int) {
            switch way {
            case .listed(let places, _): index = min(places.count, index + count)
            case .planned(var order, let plan, let set, let length):
                order.skip(count)
                way = .planned(order, plan, set, length)
            }
        }

        fileprivate static func example(_ place: Int32, _ plan: ExamplePlan, _ set: TrainingSet, _ length: Int) -> Example {
            let event = Int(place), user = plan.user(of: event)
            return Example(
                user: user, start: Int32(max(set.userStarts[Int(user)], event - length)), end: place, weight: plan.weight(of: event))
        }
    }
}

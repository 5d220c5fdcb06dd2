/// The next offset of each partition of one topic that the consumer reads.
struct TopicPositions {
    /// The position of a partition that is not this consumer's.
    static let notOwned: Int64 = .min

    let name: String
    /// librdkafka's handle of the topic, as messages carry it. Nil until the first message, and again after a rebalance: a
    /// handle may be freed with its last partition and its address used for another topic.
    var handle: OpaquePointer?
    private(set) var next: [Int64] = []

    init(name: String) { self.name = name }

    /// The next offset of `partition`; another negative number is librdkafka's mark for the beginning or the end, until the first
    /// record tells.
    subscript(partition: Int32) -> Int64 {
        get { Int(partition) < next.count && partition >= 0 ? next[Int(partition)] : Self.notOwned }
        set {
            while next.count <= Int(partition) { next.append(Self.notOwned) }
            next[Int(partition)] = newValue
        }
    }

    /// The partitions that are this consumer's, ascending.
    var owned: [Int32] { next.indices.filter { next[$0] != Self.notOwned }.map(Int32.init) }

    /// Forgets one partition.
    mutating func forget(_ partition: Int32) {
        if partition >= 0, Int(partition) < next.count { next[Int(partition)] = Self.notOwned }
    }

    /// Forgets every partition.
    mutating func clear() {
        next.removeAll(keepingCapacity: true)
        handle = nil
    }
}

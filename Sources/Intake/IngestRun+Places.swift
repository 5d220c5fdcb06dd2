import EventStream
import FeatureStore
import Interactions

extension ConsumedRecord {
    /// The record's time, where a database can hold it.
    var storableTime: EventTime? {
        guard let timestamp, timestamp.milliseconds >= 0, timestamp.milliseconds < 253_402_300_800_000 else { return nil }
        return timestamp
    }
}

/// Where partitions are read from, and what happens to one that the broker does not have there. The others go on in any case.
extension IngestRun {
    /// How often the broker may say that it does not have an offset that it has, before the partition stands still.
    private static let contradictionsLimit = 5

    func claim(_ partitions: [TopicPartition]) throws {
        try checkCluster()
        let ids = partitions.isEmpty ? [:] : consumer.topicIDs(Set(partitions.map(\.topic)).sorted())
        var starts: [PartitionStart] = []
        var others: [TopicPartition] = []
        for (topic, group) in Dictionary(grouping: partitions, by: \.topic) {
            let numbers = group.map(\.partition).sorted()
            let claims = try lane.use { [cluster, consent] (store) throws(StoreError) in
                try store.claim(
                    cluster: cluster, source: topic, partitions: numbers, topicID: ids[topic], acceptNewCluster: consent.newCluster)
            }
            for claim in claims {
                let partition = TopicPartition(topic, claim.partition)
                var owner = Owned(epoch: claim.epoch, next: claim.nextOffset, origin: origin(claim.incarnation))
                if let now = ids[topic], let then = claim.topicID, now != then, claim.nextOffset != nil {
                    others.append(partition)
                } else if let next = claim.nextOffset, next > 0, claim.topicID == nil || ids[topic] == nil {
                    // Without an identity, the record before the stored place tells whether the topic is still the same.
                    owner.expectedTime = claim.lastRecordTime
                }
                owned[partition] = owner
                if !others.contains(partition) { starts.append(start(of: partition, owner)) }
            }
        }
        try consumer.start(starts)
        for partition in others { try meetAnotherTopic(partition, foundTime: nil) }
        logger.info("partitions taken over", metadata: ["count": "\(partitions.count)"])
    }

    /// What records' origins name, so that those of a topic that was made anew are no repetitions of the earlier ones.
    private func origin(_ incarnation: Int32) -> String { incarnation == 0 ? cluster : "\(cluster)~\(incarnation)" }

    private func start(of partition: TopicPartition, _ owner: Owned) -> PartitionStart {
        guard let next = owner.next else { return PartitionStart(partition, .beginning) }
        return PartitionStart(partition, .offset(owner.expectedTime == nil ? next : next - 1))
    }

    /// The broker does not have the offset that a partition was to be read from.
    func find(_ missing: OffsetOutOfRange) throws {
        let partition = missing.partition
        guard let owner = owned[partition], owner.halted == nil else { return }
        try settleGathered()
        guard let next = owned[partition]?.next else { return try consumer.start([PartitionStart(partition, .beginning)]) }
        let bounds = try missing.bounds ?? consumer.bounds(partition)
        if next > bounds.high {
            return try decide(partition, at: bounds, .isShorter(next))
        }
        if next < bounds.low { return try decide(partition, at: bounds, .isGone(next)) }
        // The place itself exists: only the record before it, which was to be compared, is gone.
        owned[partition]?.expectedTime = nil
        owned[partition]?.contradictions += owner.expectedTime == nil ? 1 : 0
        guard owner.contradictions < Self.contradictionsLimit else {
            return try decide(partition, at: bounds, .isContradicted(next))
        }
        try consumer.start([PartitionStart(partition, .offset(next))])
    }

    /// The end of a partition, which may lie before the place up to which it was read.
    func noteEnd(of partition: TopicPartition, at end: Int64) throws {
        guard let owner = owned[partition], owner.halted == nil, owner.expectedTime != nil else { return }
        guard let next = owner.next, end < next else { return }
        try find(OffsetOutOfRange(partition: partition, offset: next, bounds: nil))
    }

    /// The record before the stored place, or the topic's identity, is not the one that was read.
    func meetAnotherTopic(_ partition: TopicPartition, foundTime: EventTime?) throws {
        guard let owner = owned[partition], owner.halted == nil, let next = owner.next else { return }
        try settleGathered()
        try decide(partition, at: try consumer.bounds(partition), .isAnother(next, foundTime))
    }

    /// What was gathered is stored before a place changes.
    private func settleGathered() throws {
        try handOver()
        try drain()
    }

    /// Why a partition cannot be read on from its stored offset.
    private enum Reason {
        /// The broker dropped the records.
        case isGone(Int64)
        /// The partition ends before.
        case isShorter(Int64)
        /// The topic is another one of the same name.
        case isAnother(Int64, EventTime?)
        /// The broker says that it does not have what it has.
        case isContradicted(Int64)
    }

    private func decide(_ partition: TopicPartition, at bounds: PartitionBounds, _ reason: Reason) throws {
        let range = "it has \(bounds.low) to \(bounds.high)"
        let again = "known events with an event_id count once, events without one count again"
        switch reason {
        case .isGone(let next):
            let count = bounds.low - next
            let what = "\(partition): \(count) records are missing: the next one is \(next), and the broker no longer has it (\(range)): "
                + "the retention of the topic is shorter than this consumer was away"
            guard consent.missingRecords else {
                return try halt(
                    partition,
                    "\(what). The partition stands still, the others go on; start once with --accept-missing-records to go on at "
                        + "\(bounds.low)")
            }
            try move(partition, to: bounds.low, missing: count, isAnotherTopic: false, "\(what); it goes on at \(bounds.low)")
        case .isShorter(let next):
            try anew(
                partition, bounds,
                "\(partition): stored up to offset \(next), but the broker has less (\(range)): the topic was made anew, or lost its end",
                again)
        case .isAnother(let next, let found):
            let shown = found.map { " (the record before offset \(next) is of \($0.rfc3339()), and was another one)" } ?? ""
            try anew(
                partition, bounds, "\(partition): the topic was made anew since it was read up to offset \(next)\(shown); \(range)", again)
        case .isContradicted(let next):
            try halt(
                partition,
                "\(partition): the broker says that it does not have offset \(next), although \(range). The partition stands still; look "
                    + "at the broker's log, then start ingest again")
        }
    }

    private func anew(_ partition: TopicPartition, _ bounds: PartitionBounds, _ what: String, _ again: String) throws {
        guard consent.newCluster else {
            return try halt(
                partition,
                "\(what). The partition stands still, the others go on; start once with --accept-new-cluster to read it from its "
                    + "beginning: "
                    + again)
        }
        try move(partition, to: bounds.low, missing: 0, isAnotherTopic: true, "\(what); it is read from its beginning: \(again)")
    }

    private func move(
        _ partition: TopicPartition, to offset: Int64, missing: Int64, isAnotherTopic: Bool, _ sentence: String
    ) throws {
        guard let owner = owned[partition] else { return }
        let counted = Self.losesByGaps(settings.topics[partition.topic]) ? missing : 0
        let place = IngestStore.NewPlace(
            ClaimedOffset(
                topic: partition.topic, partition: partition.partition, epoch: owner.epoch, nextOffset: offset, missingRecords: counted),
            isAnotherTopic: isAnotherTopic, topicID: isAnotherTopic ? consumer.topicIDs([partition.topic])[partition.topic] : nil)
        do {
            let incarnation = try lane.use { (store) throws(StoreError) in try store.move(to: place) }
            owned[partition] = Owned(epoch: owner.epoch, next: offset, origin: origin(incarnation))
        } catch {
            try explain(error)
        }
        reached[partition] = nil
        totals.gaps += 1
        totals.missing += Int(counted)
        logger.warning("\(sentence)")
        try consumer.start([PartitionStart(partition, .offset(offset))])
    }

    func halt(_ partition: TopicPartition, _ sentence: String) throws {
        guard let owner = owned[partition] else { return }
        owned[partition]?.halted = sentence
        owned[partition]?.expectedTime = nil
        reached[partition] = nil
        tellOfHalt(sentence)
        consumer.halt([partition])
        let place = ClaimedOffset(topic: partition.topic, partition: partition.partition, epoch: owner.epoch, nextOffset: owner.next ?? 0)
        do {
            try lane.use { (store) throws(StoreError) in try store.halt(place, because: sentence) }
        } catch {
            // For whoever looks at the service; the log has said it.
            guard error.isRetriable else { throw error }
        }
    }
}

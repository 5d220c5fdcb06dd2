import EventStream
import FeatureStore
import Interactions

/// Partitions whose next record names a schema that is not there yet: each stands at that record, asks again after growing pauses, and
/// goes on where it stood. Nothing is lost, and the others go on meanwhile.
extension IngestRun {
    /// What a partition waits for.
    struct AwaitedSchema {
        /// The schema's number.
        let number: Int32
        /// The record that names it.
        let offset: Int64
        /// The record's key and value, by which is asked whether the wait is over.
        let key: [UInt8]?
        let value: [UInt8]?
        let since: ContinuousClock.Instant
        var toldAt: ContinuousClock.Instant?
        /// Whether the database says why the partition stands.
        var isNoted = false
    }

    /// How often the log tells of a wait.
    private static let tellEvery = Duration.seconds(60)
    /// A wait that is over sooner is not worth a word.
    private static let quietPatience = Duration.seconds(2)

    /// Notes that a partition is to be read no further than a record whose schema is not there yet.
    func waitForSchema(_ number: Int32, at record: ConsumedRecord) {
        let partition = TopicPartition(record.topic, record.partition)
        owned[partition]?.awaited = AwaitedSchema(
            number: number, offset: record.offset, key: record.key.map { Array($0.prefix(Framing.bytes)) },
            value: record.value.map { Array($0.prefix(Framing.bytes)) }, since: .now)
    }

    /// Goes on with partitions whose schema has come, or will not come, and tells of the others.
    ///
    /// - Parameter isBounded: whether a wait ends with `settings.schemaPatienceSeconds`: the partition then stands still.
    func lookForSchemas(isBounded: Bool) throws {
        for (partition, owner) in owned {
            guard var awaited = owner.awaited else { continue }
            guard let still = stillAwaited(awaited, partition.topic) else {
                try goOn(partition, awaited)
                continue
            }
            let waited = awaited.since.duration(to: .now)
            let sentence = "\(partition) waits at offset \(awaited.offset) for schema \(awaited.number): "
                + (still.why ?? "the schema registry has not answered yet")
            if isBounded, waited >= .seconds(settings.schemaPatienceSeconds) {
                owned[partition]?.awaited = nil
                try halt(
                    partition, "\(sentence); it was waited for \(settings.schemaPatienceSeconds) s, and everything before it is stored")
                continue
            }
            guard waited >= Self.quietPatience, awaited.toldAt.map({ $0.duration(to: .now) >= Self.tellEvery }) ?? true else { continue }
            logger.warning("\(sentence); the other partitions go on")
            awaited.toldAt = .now
            if !awaited.isNoted, lane.isBusy == false {
                try note(sentence, of: partition, owner)
                awaited.isNoted = true
            }
            owned[partition]?.awaited = awaited
        }
    }

    private func stillAwaited(_ awaited: AwaitedSchema, _ topic: String) -> (number: Int32, why: String?)? {
        func read(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> (Int32, String?)?) -> (Int32, String?)? {
            guard let bytes else { return body(nil) }
            return bytes.withUnsafeBytes { body($0) }
        }
        return read(awaited.key) { key in read(awaited.value) { value in awaitedSchema(topic, key: key, value: value) } }
    }

    private func goOn(_ partition: TopicPartition, _ awaited: AwaitedSchema) throws {
        if awaited.toldAt != nil { logger.notice("\(partition) goes on at offset \(awaited.offset): schema \(awaited.number) is there") }
        if awaited.isNoted, let owner = owned[partition] { try note(nil, of: partition, owner) }
        owned[partition]?.awaited = nil
        // An end that was read before lies behind records that were not taken.
        readEnds[partition] = nil
        try consumer.start([PartitionStart(partition, .offset(awaited.offset))])
    }

    /// For whoever looks at the service, or asks doctor; the log says it in any case.
    private func note(_ sentence: String?, of partition: TopicPartition, _ owner: Owned) throws {
        let place = ClaimedOffset(topic: partition.topic, partition: partition.partition, epoch: owner.epoch, nextOffset: owner.next ?? 0)
        do {
            try lane.use { (store) throws(StoreError) in try store.halt(place, because: sentence) }
        } catch {
            guard error.isRetriable else { throw error }
        }
    }
}

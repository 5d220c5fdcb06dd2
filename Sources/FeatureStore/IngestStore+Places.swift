import Interactions

extension IngestStore {
    /// Where a partition goes on that the broker does not have at its stored place.
    public struct NewPlace: Sendable, Equatable {
        /// The partition as it was claimed; `nextOffset` is where it goes on.
        public var claim: ClaimedOffset
        /// Whether it is that of another topic of the same name, so that its records have nothing to do with the earlier ones.
        public var isAnotherTopic: Bool
        /// The topic's identity, where it is known.
        public var topicID: String?

        /// Makes a place; `claim.missingRecords` is what lies between the stored place and the new one.
        public init(_ claim: ClaimedOffset, isAnotherTopic: Bool, topicID: String? = nil) {
            self.claim = claim
            self.isAnotherTopic = isAnotherTopic
            self.topicID = topicID
        }
    }

    /// Moves a partition to another place, forwards or back, and counts what is missing.
    ///
    /// - Returns: the partition's incarnation from now on; see ``PartitionClaim/incarnation``.
    /// - Throws: ``StoreError`` with `lostOwnership` where another consumer has claimed it.
    public func move(to place: NewPlace) throws(StoreError) -> Int32 {
        try transaction { (connection) throws(StoreError) in
            var asked = Parameters()
            asked.add(place.claim.topic)
            asked.add(place.claim.partition)
            asked.add(place.claim.epoch)
            asked.add(place.claim.nextOffset)
            asked.add(place.claim.missingRecords)
            asked.add(place.isAnotherTopic ? Int32(1) : 0)
            asked.add(place.topicID)
            let rows = try connection.run(
                """
                update stream_offsets set next_offset = $4, last_record_time = null, halted = null, updated_at = now(),
                    missing_records = missing_records + $5, incarnation = incarnation + $6::int4, topic_id = coalesce($7, topic_id)
                where topic = $1 collate "C" and partition = $2 and epoch = $3 returning incarnation
                """, asked)
            guard let incarnation = rows.count == 1 ? rows.int32(0, 0) : nil else {
                let partition = "\(place.claim.topic)/\(place.claim.partition)"
                throw StoreError(
                    .lostOwnership, "\(connection.place): partition \(partition) now belongs to another consumer; nothing was moved")
            }
            return incarnation
        }
    }

    /// Notes why partitions stand still, for whoever looks at the service. One that another consumer has claimed meanwhile is left alone.
    ///
    /// - Parameter reason: a sentence; nil where the partition goes on.
    public func halt(_ partition: ClaimedOffset, because reason: String?) throws(StoreError) {
        try transaction { (connection) throws(StoreError) in
            var asked = Parameters()
            asked.add(partition.topic)
            asked.add(partition.partition)
            asked.add(partition.epoch)
            asked.add(reason)
            try connection.run(
                "update stream_offsets set halted = $4 where topic = $1 collate \"C\" and partition = $2 and epoch = $3", asked)
        }
    }

    /// The time on the database server's clock.
    public func clock() throws(StoreError) -> EventTime {
        try transaction { (connection) throws(StoreError) in
            guard let time = try connection.run("select clock_timestamp()").time(0, 0) else {
                throw StoreError(.malformedAnswer, "\(connection.place): the server tells no time")
            }
            return time
        }
    }
}

import EventStream
import Testing

extension OverTheProtocol {
    @Suite(.timeLimit(.minutes(15)))
    struct OffsetTests {
        /// A broker with one topic of two partitions, each with ten records of its own numbers.
        private func filled() throws -> EmbeddedBroker {
            let broker = try EmbeddedBroker(port: 0, partitions: 2, topics: ["t"])
            let producer = try StreamProducer(settings(broker))
            for partition in 0..<2 as Range<Int32> {
                for n in 0..<10 {
                    try producer.produce(topic: "t", key: nil, value: Array("\(partition)/\(n)".utf8), partition: partition)
                }
            }
            try producer.flush(timeoutMilliseconds: 10_000)
            return broker
        }

        @Test func readingBeginsWhereItIsTold() throws {
            let broker = try filled()
            defer { broker.close() }
            let consumer = try StreamConsumer(reading: settings(broker))
            try consumer.assign([
                PartitionStart(TopicPartition("t", 0), .offset(7)), PartitionStart(TopicPartition("t", 1), .end),
            ])
            let seen = try consumer.read("both ends") { $0.ends.count == 2 }
            #expect(seen.records.map(\.text) == ["0/7", "0/8", "0/9"])
            #expect(
                seen.happenings.contains(.reachedEnd(TopicPartition("t", 0), offset: 10))
                    && seen.happenings.contains(.reachedEnd(TopicPartition("t", 1), offset: 10)))
            #expect(consumer.lag().sorted { $0.partition < $1.partition }.map(\.lagRecords) == [0, 0])
        }

        @Test func theEndIsTheEndWhenReadingBeginsThere() throws {
            let broker = try filled()
            defer { broker.close() }
            let consumer = try StreamConsumer(reading: settings(broker))
            try consumer.assign([PartitionStart(TopicPartition("t", 0), .offset(10))])
            let seen = try consumer.read("the end") { $0.ends.count == 1 }
            #expect(seen.records.isEmpty)
            #expect(seen.outOfRange.isEmpty)
        }

        @Test func anOffsetBeyondTheEndIsSaid() throws {
            let broker = try filled()
            defer { broker.close() }
            let consumer = try StreamConsumer(reading: settings(broker))
            let partition = TopicPartition("t", 0)
            try consumer.assign([PartitionStart(partition, .offset(500)), PartitionStart(TopicPartition("t", 1), .beginning)])
            var seen = try consumer.read("the report") { !$0.outOfRange.isEmpty && $0.ends.count == 1 }
            #expect(
                seen.outOfRange == [
                    OffsetOutOfRange(partition: partition, offset: 500, bounds: PartitionBounds(partition: 0, low: 0, high: 10))
                ])
            #expect(seen.outOfRange[0].description.contains("another or an emptied cluster"))
            // The other partition was read meanwhile, and this one goes on where the caller says.
            #expect(seen.records.count == 10)
            try consumer.start([PartitionStart(partition, .offset(8))])
            seen = try consumer.read("the rest") { $0.records.count >= 2 }
            #expect(seen.records.map(\.text) == ["0/8", "0/9"])
        }

        @Test func droppedDataIsSaid() throws {
            // One partition of the embedded broker keeps 5 MiB: of 30 MB the oldest 25 are dropped while nobody reads.
            let broker = try EmbeddedBroker(port: 0, partitions: 1, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker, ["compression.type": "none"]), mode: .throughput)
            let value = [UInt8](repeating: 1, count: 10_000)
            for _ in 0..<3_000 { try producer.produce(topic: "t", key: nil, value: value, partition: 0, whenFull: .wait) }
            try producer.flush(timeoutMilliseconds: 20_000)
            let consumer = try StreamConsumer(reading: settings(broker))
            let bounds = try consumer.endOffsets("t")[0]
            #expect(bounds.low > 0 && bounds.high == 3_000)
            let partition = TopicPartition("t", 0)
            try consumer.assign([PartitionStart(partition, .offset(0))])
            let seen = try consumer.read("the report") { !$0.outOfRange.isEmpty }
            #expect(seen.outOfRange == [OffsetOutOfRange(partition: partition, offset: 0, bounds: bounds)])
            #expect(seen.outOfRange[0].description.contains("retention"))
            #expect(seen.records.isEmpty)
            try consumer.start([PartitionStart(partition, .beginning)])
            let rest = try consumer.read("the rest") { $0.ends.count == 1 }
            #expect(Int64(rest.records.count) == bounds.high - bounds.low)
            #expect(rest.gaps.isEmpty)
        }

        @Test func missingOffsetsAreAGap() throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 1, topics: ["t"])
            defer { broker.close() }
            // What a compacted batch looks like: of the offsets 0 to 5, only 0 and 5 are left.
            try RawBatch(offsetDeltas: [0, 5], values: ["first", "sixth"]).produce(topic: "t", port: broker.port)
            let seen = try reader(broker, "t").read("both") { $0.records.count >= 2 }
            #expect(seen.records.map(\.text) == ["first", "sixth"])
            #expect(seen.records.map(\.offset) == [0, 5])
            #expect(seen.gaps == [OffsetGap(partition: TopicPartition("t", 0), expected: 1, got: 5)])
        }

        @Test func startLeavesTheOthersWhereTheyAre() throws {
            let broker = try filled()
            defer { broker.close() }
            let consumer = try reader(broker, "t")
            _ = try consumer.read("everything") { $0.ends.count == 2 }
            try consumer.start([PartitionStart(TopicPartition("t", 1), .offset(6))])
            let seen = try consumer.read("four again") { $0.records.count >= 4 && $0.ends.count == 2 }
            #expect(seen.records.map(\.text) == ["1/6", "1/7", "1/8", "1/9"])
        }

        @Test(arguments: [
            (EmbeddedBroker.TopicFault.unknownTopic, StreamError.Code.unknownTopic), (.notAuthorized, .authorization),
        ])
        func aTopicThatCannotBeReadIsNamedOnce(_ fault: EmbeddedBroker.TopicFault, _ code: StreamError.Code) throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 2, topics: ["freshet.evnts"])
            defer { broker.close() }
            broker.setFault(fault, topic: "freshet.evnts")
            let consumer = try StreamConsumer(settings(broker), group: "g", topics: ["freshet.evnts"])
            var seen = try consumer.read("the trouble") { $0.happenings.contains { if case .trouble = $0 { true } else { false } } }
            for _ in 0..<15 { seen.happenings += try consumer.poll(maxRecords: 10, timeoutMilliseconds: 100).happenings }
            let troubles = seen.happenings.compactMap { if case .trouble(let error) = $0 { error } else { nil } }
            #expect(troubles.count == 1)
            #expect(troubles.first?.code == code)
            #expect(troubles.first?.message.contains("freshet.evnts") == true)
        }

        @Test func askingForATopicDoesNotCreateIt() throws {
            let broker = try EmbeddedBroker(port: 0)
            defer { broker.close() }
            let consumer = try StreamConsumer(reading: settings(broker))
            for _ in 0..<2 {
                let error = #expect(throws: StreamError.self) { try consumer.partitions("freshet.evnts") }
                #expect(error?.code == .unknownTopic)
                #expect(error?.message.contains("freshet.evnts") == true)
            }
        }

        @Test func anOutageLosesNothing() async throws {
            let broker = try filled()
            defer { broker.close() }
            let consumer = try reader(broker, "t")
            let producer = try StreamProducer(settings(broker))
            let before = try consumer.clusterID()
            var seen = try consumer.read("everything") { $0.ends.count == 2 }
            broker.beginOutage()
            try producer.produce(topic: "t", key: "k", value: "sent during the outage")
            seen = try consumer.read("the loss", into: seen) {
                $0.happenings.contains { if case .disconnected = $0 { true } else { false } }
            }
            broker.endOutage()
            seen = try consumer.read("the return", into: seen) { $0.happenings.contains(.reconnected) && $0.records.count >= 21 }
            #expect(seen.records.count == 21)
            #expect(seen.records.last?.text == "sent during the outage")
            #expect(seen.gaps.isEmpty)
            #expect(try consumer.clusterID() == before)
            #expect(seen.happenings.filter { $0 == .reconnected }.count == 1)
        }

        @Test func nobodyThereIsUnreachable() throws {
            let consumer = try StreamConsumer(KafkaSettings(bootstrapServers: "127.0.0.1:1"), group: "g", topics: ["t"])
            let error = #expect(throws: StreamError.self) { try consumer.clusterID(timeoutMilliseconds: 300) }
            #expect(error?.code == .unreachable)
            #expect(error?.isRetriable == true)
            let seen = try consumer.read("the report") { !$0.happenings.isEmpty }
            guard case .disconnected(let why)? = seen.happenings.first else {
                Issue.record("\(seen.happenings)")
                return
            }
            #expect(why.code == .unreachable)
            #expect(why.message.contains("127.0.0.1:1"))
            // Said once.
            var again: [StreamHappening] = []
            for _ in 0..<10 { again += try consumer.poll(maxRecords: 10, timeoutMilliseconds: 100).happenings }
            #expect(again.isEmpty)
            consumer.close()
            consumer.close()
            #expect(throws: StreamError.self) { try consumer.poll(maxRecords: 1, timeoutMilliseconds: 0) }
        }
    }
}

import EventStream
import Interactions
import Testing

extension OverTheProtocol {
    @Suite(.timeLimit(.minutes(15)))
    struct ProduceConsumeTests {
        @Test func orderHoldsWithinAKey() throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 8, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker), mode: .throughput)
            for n in 0..<5_000 { try producer.produce(topic: "t", key: "user-\(n % 50)", value: "\(n)") }
            try producer.flush(timeoutMilliseconds: 20_000)
            #expect(producer.counts == DeliveryCounts(delivered: 5_000, failed: 0))
            #expect(producer.waiting == 0)
            let seen = try reader(broker, "t").read("all records") { $0.ends.count == 8 && $0.records.count >= 5_000 }
            #expect(seen.records.count == 5_000)
            #expect(seen.gaps.isEmpty)
            var byKey: [String: [Int]] = [:]
            var partitions: [String: Set<Int32>] = [:]
            for record in seen.records {
                let key = String(decoding: record.key ?? [], as: UTF8.self)
                byKey[key, default: []].append(Int(record.text) ?? -1)
                partitions[key, default: []].insert(record.partition)
            }
            #expect(byKey.count == 50)
            for (key, values) in byKey {
                #expect(values == values.sorted())
                #expect(values.count == 100)
                #expect(partitions[key]?.count == 1)
            }
        }

        /// The vectors are those of Kafka's own test of its Java client's murmur2; the partition is the hash without sign, modulo.
        @Test(arguments: [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829), ("abc", 479_470_107),
        ] as [(String, Int32)])
        func keysLandWhereJavaPutsThem(key: String, murmur: Int32) async throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 64, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            let position = try await producer.produceAcknowledged(topic: "t", key: key, value: "x")
            #expect(position.partition == (murmur & 0x7fff_ffff) % 64)
        }

        @Test func anAcknowledgedRecordStandsWhereItSays() async throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 4, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            var positions: [String: (Int32, Int64)] = [:]
            for n in 0..<20 {
                let position = try await producer.produceAcknowledged(topic: "t", key: "k\(n % 3)", value: "v\(n)")
                positions["v\(n)"] = (position.partition, position.offset)
            }
            let seen = try reader(broker, "t").read("all records") { $0.records.count >= 20 }
            for record in seen.records {
                #expect(positions[record.text]?.0 == record.partition)
                #expect(positions[record.text]?.1 == record.offset)
            }
        }

        @Test func nullAndEmptyAreNotTheSame() async throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 1, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            let values: [([UInt8]?, [UInt8]?)] = [([1], nil), ([1], []), (nil, [2]), ([], [3]), (nil, nil)]
            for (key, value) in values { _ = try await producer.produceAcknowledged(topic: "t", key: key, value: value) }
            let seen = try reader(broker, "t").read("all records") { $0.records.count >= values.count }
            for (record, (key, value)) in zip(seen.records, values) {
                #expect(record.key == key)
                #expect(record.value == value)
            }
        }

        @Test func tenMegabytesPass() async throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 3, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            let consumer = try reader(broker, "t")
            // Bytes that do not compress: larger than all that the embedded broker keeps of a partition, so only as its first record.
            var state: UInt64 = 88_172_645_463_325_252
            let noise = (0..<10_000_000).map { _ -> UInt8 in
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return UInt8(truncatingIfNeeded: state >> 32)
            }
            _ = try await producer.produceAcknowledged(topic: "t", key: nil, value: noise, partition: 2)
            #expect(try consumer.read("the noise") { $0.records.count >= 1 }.records.map(\.value) == [noise])
            // Text, again and again, beside small records in another partition: neither holds the other up.
            let text = Array(String(repeating: "{\"title\":\"Trail shoe\",\"n\":123}", count: 400_000).utf8)
            for n in 0..<5 {
                _ = try await producer.produceAcknowledged(topic: "t", key: nil, value: text, partition: 0)
                _ = try await producer.produceAcknowledged(topic: "t", key: [7], value: [UInt8(n)], partition: 1)
                let seen = try consumer.read("round \(n)", seconds: 5) { $0.records.count >= 2 }
                #expect(seen.records.count == 2)
                #expect(seen.records.contains { $0.value == text })
                #expect(seen.records.contains { $0.value == [UInt8(n)] })
                #expect(seen.gaps.isEmpty && seen.outOfRange.isEmpty)
            }
            #expect(text.count == 12_000_000)
        }

        @Test func aRecordBeyondTheBoundIsRefusedAtOnce() throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 1, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            let error = #expect(throws: StreamError.self) {
                try producer.produce(topic: "t", key: nil, value: [UInt8](repeating: 0, count: 17_000_000))
            }
            #expect(error?.code == .messageTooLarge)
            #expect(error?.message.contains("topic t") == true)
        }

        @Test(arguments: ["none", "gzip", "snappy", "lz4", "zstd"])
        func everyCompressionIsRead(_ compression: String) throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 2, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker, ["compression.type": compression]), mode: .throughput)
            let filler = String(repeating: "compressible ", count: 20)
            for n in 0..<500 { try producer.produce(topic: "t", key: "\(n)", value: "\(n) \(filler)") }
            try producer.flush(timeoutMilliseconds: 10_000)
            let seen = try reader(broker, "t").read("all records") { $0.records.count >= 500 }
            #expect(Set(seen.records.map(\.text)) == Set((0..<500).map { "\($0) \(filler)" }))
        }

        @Test func theQueueIsBounded() throws {
            let properties = ["queue.buffering.max.messages": "100"]
            let producer = try StreamProducer(KafkaSettings(bootstrapServers: "127.0.0.1:1", properties: properties))
            var refused: StreamError?
            for n in 0..<101 {
                do { try producer.produce(topic: "t", key: "\(n)", value: "x") } catch { refused = error }
            }
            #expect(refused?.code == .queueFull)
            #expect(refused?.isRetriable == true)
            #expect(producer.waiting == 100)
            let late = #expect(throws: StreamError.self) { try producer.flush(timeoutMilliseconds: 100) }
            #expect(late?.code == .timedOut)
            #expect(late?.message.hasPrefix("100 records") == true)
            producer.close(timeoutMilliseconds: 100)
            #expect(producer.counts.failed == 100)
            let closed = #expect(throws: StreamError.self) { try producer.produce(topic: "t", key: "k", value: "x") }
            #expect(closed?.code == .closed)
        }

        @Test func whoWaitsForAnAnswerGetsOneOnClose() async throws {
            let producer = try StreamProducer(KafkaSettings(bootstrapServers: "127.0.0.1:1"))
            async let answer = producer.produceAcknowledged(topic: "t", key: "k", value: "x")
            while producer.waiting == 0 { try await Task.sleep(for: .milliseconds(5)) }
            producer.close(timeoutMilliseconds: 50)
            do {
                _ = try await answer
                Issue.record("acknowledged by nobody")
            } catch {
                #expect((error as? StreamError)?.code == .closed)
            }
        }

        @Test func aBatchOutlivesItsConsumer() throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 1, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            try producer.produce(topic: "t", key: "k", value: "still here")
            try producer.flush(timeoutMilliseconds: 5_000)
            func batch() throws -> ConsumedBatch {
                let consumer = try reader(broker, "t")
                while true {
                    let batch = try consumer.poll(maxRecords: 10, timeoutMilliseconds: 100)
                    if !batch.isEmpty { return batch }
                }
            }
            let kept = try batch()
            #expect(Copied(kept[0]).text == "still here")
            #expect(kept[0].timestamp != nil)
        }

        @Test func manyWaitForTheirAnswersAtOnce() async throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 4, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            let positions = try await withThrowingTaskGroup(of: String.self) { group in
                for n in 0..<500 {
                    group.addTask {
                        let position = try await producer.produceAcknowledged(topic: "t", key: "\(n)", value: "\(n)")
                        return "\(position.partition)/\(position.offset)"
                    }
                }
                var all: Set<String> = []
                for try await position in group { all.insert(position) }
                return all
            }
            #expect(positions.count == 500)
            #expect(producer.counts == DeliveryCounts(delivered: 500, failed: 0))
        }

        @Test func aProducerThatWasRefusedForGoodBeginsAnew() async throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 1, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            _ = try await producer.produceAcknowledged(topic: "t", key: "k", value: "before")
            broker.forgetProducers()
            let error = await #expect(throws: StreamError.self) {
                try await producer.produceAcknowledged(topic: "t", key: "k", value: "lost")
            }
            #expect(error != nil)
            let position = try await producer.produceAcknowledged(topic: "t", key: "k", value: "after")
            #expect(position.offset == 1)
            #expect(producer.counts == DeliveryCounts(delivered: 2, failed: 1))
        }

        @Test func aRecordCarriesTheTimeThatItIsGiven() async throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 1, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            let time = EventTime(milliseconds: 1_700_000_000_123)
            let bytes = Array("v".utf8)
            _ = try await producer.produceAcknowledged(topic: "t", key: nil, value: bytes, time: time)
            _ = try await producer.produceAcknowledged(topic: "t", key: Array("k".utf8), value: nil, time: time)
            let consumer = try StreamConsumer(reading: settings(broker))
            try consumer.assign([PartitionStart(TopicPartition("t", 0), .beginning)])
            var times: [EventTime?] = [], keys: [Bool] = [], values: [Bool] = []
            let end = ContinuousClock.now + .seconds(20)
            while times.count < 2, ContinuousClock.now < end {
                try consumer.poll(maxRecords: 10, timeoutMilliseconds: 200).forEach {
                    times.append($0.timestamp)
                    keys.append($0.key != nil)
                    values.append($0.value != nil)
                }
            }
            #expect(times == [time, time] && keys == [false, true] && values == [true, false])
        }
    }
}

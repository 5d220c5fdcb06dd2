import EventStream
import Testing

extension OverTheProtocol {
    @Suite(.timeLimit(.minutes(15)))
    struct EmbeddedBrokerTests {
        @Test func hasTheFixedPortAndItsTopics() throws {
            let port = try freePort()
            let broker = try EmbeddedBroker(port: port, partitions: 8, topics: ["a", "b"])
            defer { broker.close() }
            #expect(broker.port == port)
            #expect(broker.bootstrapServers == "127.0.0.1:\(port)")
            let consumer = try StreamConsumer(reading: settings(broker))
            #expect(try consumer.partitions("a") == Array(0..<8))
            #expect(try consumer.partitions("b") == Array(0..<8))
            #expect(try consumer.endOffsets("a") == (0..<8).map { PartitionBounds(partition: $0, low: 0, high: 0) })
        }

        @Test func aTakenPortIsNamed() throws {
            let broker = try EmbeddedBroker(port: 0)
            defer { broker.close() }
            do {
                let second = try EmbeddedBroker(port: broker.port)
                second.close()
                Issue.record("two brokers on port \(broker.port)")
            } catch {
                #expect(error.code == .portTaken)
                #expect(error.message.contains("\(broker.port)"))
                #expect(error.message.contains("--port"))
            }
            // The first one is unharmed.
            #expect(try StreamConsumer(reading: settings(broker)).clusterID().hasPrefix("embedded-"))
        }

        @Test func twoBrokersKeepTheirRecordsApart() async throws {
            let first = try EmbeddedBroker(port: 0, partitions: 1, topics: ["t"])
            let second = try EmbeddedBroker(port: 0, partitions: 1, topics: ["t"])
            defer {
                first.close()
                second.close()
            }
            #expect(first.port != second.port)
            for (broker, text) in [(first, "first"), (second, "second")] {
                let producer = try StreamProducer(settings(broker))
                _ = try await producer.produceAcknowledged(topic: "t", key: "k", value: text)
            }
            for (broker, text) in [(first, "first"), (second, "second")] {
                let seen = try reader(broker, "t").read("the record") { $0.ends.count == 1 }
                #expect(seen.records.map(\.text) == [text])
            }
        }

        @Test func everyLifeHasItsOwnIdentity() throws {
            let port = try freePort()
            var identities: Set<String> = []
            for _ in 0..<25 {
                let broker = try EmbeddedBroker(port: port, partitions: 1, topics: ["t"])
                let consumer = try StreamConsumer(reading: settings(broker))
                let identity = try consumer.clusterID()
                #expect(try consumer.clusterID() == identity)
                identities.insert(identity)
                consumer.close()
                broker.close()
            }
            #expect(identities.count == 25)
        }

        @Test func aConsumerThatOutlivesTheBrokerSeesTheNewIdentity() throws {
            let port = try freePort()
            let first = try EmbeddedBroker(port: port, partitions: 2, topics: ["t"])
            let consumer = try reader(first, "t")
            _ = try consumer.read("the first life") { $0.ends.count == 2 }
            let before = try consumer.clusterID()
            first.close()
            var seen = try consumer.read("the loss") { $0.happenings.contains { if case .disconnected = $0 { true } else { false } } }
            let second = try EmbeddedBroker(port: port, partitions: 2, topics: ["t"])
            defer { second.close() }
            seen = try consumer.read("the return", into: seen) { $0.happenings.contains(.reconnected) }
            let after = try consumer.clusterID()
            #expect(before != after)
            let losses = seen.happenings.filter { if case .disconnected = $0 { true } else { false } }
            #expect(losses.count == 1)
        }

        @Test func refusesAWrongNumberOfPartitions() {
            #expect(throws: StreamError.self) { try EmbeddedBroker(port: 0, partitions: 0) }
            #expect(throws: StreamError.self) { try EmbeddedBroker(port: 0, partitions: 2_000) }
        }
    }
}

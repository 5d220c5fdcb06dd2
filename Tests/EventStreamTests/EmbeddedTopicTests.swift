import EventStream
import Testing

@Suite struct EmbeddedTopicTests {
    @Test(arguments: [
        ("peer.events:96", "peer.events", 96), ("peer.events", "peer.events", 8), ("A_b-c.9:1", "A_b-c.9", 1), ("x:1024", "x", 1_024),
    ])
    func isReadFromText(text: String, name: String, partitions: Int) throws {
        let topic = try EmbeddedTopic(parsing: text, partitions: 8)
        #expect(topic.name == name && topic.partitions == partitions)
    }

    @Test(arguments: ["", ":4", "a:", "a:b", "a:0", "a:1025", "a:-1", "a b:4", "ü:4", "..:4", String(repeating: "a", count: 250)])
    func whatIsNoTopicIsRefused(text: String) {
        #expect(throws: StreamError.self) { try EmbeddedTopic(parsing: text, partitions: 8) }
    }
}

extension OverTheProtocol.EmbeddedBrokerTests {
    @Test func topicsHaveTheSizesThatAreNamed() throws {
        let broker = try EmbeddedBroker(
            port: 0, partitions: 8, topics: ["a", "b"],
            sized: [EmbeddedTopic("peer.events", partitions: 96), EmbeddedTopic("b", partitions: 3)])
        defer { broker.close() }
        let consumer = try StreamConsumer(reading: settings(broker))
        #expect(try consumer.partitions("peer.events").count == 96)
        #expect(try consumer.partitions("a").count == 8)
        #expect(try consumer.partitions("b").count == 3)
    }
}

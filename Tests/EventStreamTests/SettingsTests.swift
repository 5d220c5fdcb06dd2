import EventStream
import Testing

@Suite struct SettingsTests {
    @Test func anUnknownSettingIsNamed() {
        let error = #expect(throws: StreamError.self) {
            try StreamProducer(KafkaSettings(bootstrapServers: "127.0.0.1:1", properties: ["linger.sm": "5"]))
        }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("linger.sm") == true)
    }

    @Test func aWrongValueIsNamed() {
        let error = #expect(throws: StreamError.self) {
            try StreamProducer(KafkaSettings(bootstrapServers: "127.0.0.1:1", properties: ["linger.ms": "soon"]))
        }
        #expect(error?.message.contains("linger.ms") == true)
    }

    @Test(arguments: ["enable.auto.commit", "auto.offset.reset", "partition.assignment.strategy", "group.id"])
    func whatThePromisesRestOnIsReserved(_ key: String) {
        let error = #expect(throws: StreamError.self) {
            try StreamConsumer(
                KafkaSettings(bootstrapServers: "127.0.0.1:1", properties: [key: "latest"]), group: "g", topics: ["t"])
        }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains(key) == true)
    }

    @Test func secretsAreNeverShown() {
        let settings = KafkaSettings(
            bootstrapServers: "k:9092", properties: ["sasl.password": "hunter2", "sasl.username": "shop"])
        #expect(!"\(settings)".contains("hunter2"))
        #expect("\(settings)".contains("sasl.username=shop"))
        let bad = KafkaSettings(bootstrapServers: "k:9092", properties: ["ssl.key.password.typo": "hunter2"])
        let error = #expect(throws: StreamError.self) { try StreamProducer(bad) }
        #expect(error.map { !$0.message.contains("hunter2") } == true)
    }
}

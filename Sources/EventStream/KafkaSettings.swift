import CRDKafka

/// Where Kafka is and how to talk to it.
public struct KafkaSettings: Sendable, CustomStringConvertible {
    /// `host:port` pairs, separated by commas.
    public var bootstrapServers: String
    /// Any librdkafka setting by its own name. It wins over this library's defaults, except for the few settings that the
    /// consumer's promises rest on: those are refused with the reason.
    public var properties: [String: String]
    /// Receives librdkafka's own log lines with their syslog level (3 error … 7 debug), on a thread of the library. Where it is
    /// nil, they are dropped: errors reach the caller as values all the same.
    public var log: (@Sendable (_ level: Int32, _ line: String) -> Void)?

    /// Makes settings.
    public init(
        bootstrapServers: String, properties: [String: String] = [:],
        log: (@Sendable (_ level: Int32, _ line: String) -> Void)? = nil
    ) {
        self.bootstrapServers = bootstrapServers
        self.properties = properties
        self.log = log
    }

    /// The settings without the value of any that may be a secret.
    public var description: String {
        let listed = properties.sorted { $0.key < $1.key }.map { "\($0.key)=\(Self.isSecret($0.key) ? "…" : $0.value)" }
        return (["bootstrap.servers=\(bootstrapServers)"] + listed).joined(separator: " ")
    }

    /// A text of librdkafka without the values of secret properties, which may stand in another's place.
    func withoutSecrets(_ text: String) -> String {
        var text = text
        for (key, value) in properties where Self.isSecret(key) && value.utf8.count > 3 { text = text.replacing(value, with: "…") }
        return text
    }

    static func isSecret(_ key: String) -> Bool {
        ["password", "passphrase", "secret", "jaas", "oauthbearer", "token", "credential", "ssl.key"].contains { key.contains($0) }
    }

    /// Settings that may not be given, and why.
    private static let reserved: [String: String] = [
        "bootstrap.servers": "kafka.bootstrap_servers is its place",
        "metadata.broker.list": "kafka.bootstrap_servers is its place",
        "group.id": "the command or its own key names the group",
        "enable.auto.commit": "offsets are kept in the database, together with what was read up to them",
        "auto.commit.enable": "offsets are kept in the database, together with what was read up to them",
        "enable.auto.offset.store": "offsets are kept in the database, together with what was read up to them",
        "auto.offset.reset": "an offset out of range must be reported, never skipped over",
        "enable.partition.eof": "the end of a partition must be reported",
        "partition.assignment.strategy": "partitions are handed over whole, by range",
        "test.mock.num.brokers": "an embedded broker is started by its own command",
    ]

    /// Builds librdkafka's configuration: `defaults`, then ``properties``, then `fixed`.
    ///
    /// - Returns: a configuration that the caller owns.
    func configuration(
        defaults: [(String, String)], fixed: [(String, String)]
    ) throws(StreamError) -> OpaquePointer {
        guard let configuration = rd_kafka_conf_new() else {
            throw StreamError(.other, "librdkafka could not allocate a configuration.")
        }
        do throws(StreamError) {
            try Self.set("bootstrap.servers", bootstrapServers, in: configuration)
            for (key, value) in defaults where properties[key] == nil { try Self.set(key, value, in: configuration) }
            for (key, value) in properties.sorted(by: { $0.key < $1.key }) {
                if let reason = Self.reserved[key] {
                    throw StreamError(
                        .configuration, "kafka.properties: \(key) may not be set: \(reason). Remove it from kafka.properties.")
                }
                do throws(StreamError) {
                    try Self.set(key, value, in: configuration)
                } catch {
                    throw StreamError(error.code, isRetriable: error.isRetriable, withoutSecrets(error.message))
                }
            }
            for (key, value) in fixed { try Self.set(key, value, in: configuration) }
        } catch {
            rd_kafka_conf_destroy(configuration)
            throw error
        }
        return configuration
    }

    private static func set(_ key: String, _ value: String, in configuration: OpaquePointer) throws(StreamError) {
        var text = [CChar](repeating: 0, count: 512)
        guard rd_kafka_conf_set(configuration, key, value, &text, text.count) != RD_KAFKA_CONF_OK else { return }
        // The library's text repeats the value, which may be a password.
        let said = isSecret(key) ? "its value is not accepted" : text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        throw StreamError(
            .configuration,
            "kafka.properties: \(key): \(said). Correct or remove it; librdkafka's CONFIGURATION.md lists every setting.")
    }
}

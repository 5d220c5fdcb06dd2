import ArgumentParser
import EventStream
import Foundation

/// `freshet broker`
struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "An embedded Kafka broker for development and demonstrations, on loopback.",
        discussion: """
            It speaks the real protocol to any client, but it is no Kafka: everything is in memory and gone at the end; a partition
            keeps 5 MiB and drops its oldest records silently beyond that (64 partitions hold about 1,500,000 events of 200 bytes);
            offsets cannot be looked up by time, topics cannot be created by clients, and transactions are not isolated.
            A restarted broker has a new identity: consumers notice and say so. A group takes about three seconds to form, so
            consumers need a session.timeout.ms above that.
            """)

    @OptionGroup var options: GlobalOptions
    @Option(help: "The port on 127.0.0.1; 0 takes a free one.") var port: UInt16 = 9092
    @Option(help: "Partitions of every topic.") var partitions: Int = 64

    func run() throws {
        guard (1...1_024).contains(partitions) else {
            throw ValidationError("--partitions is \(partitions), but takes 1 to 1,024")
        }
        let configuration = try options.configuration()
        let logger = configuration.logger("broker")
        let broker = try EmbeddedBroker(port: port, partitions: partitions, topics: configuration.topics)
        logger.notice(
            "the embedded broker is up", metadata: ["address": "\(broker.bootstrapServers)", "partitions": "\(partitions)"])
        StandardOutput.line(broker.bootstrapServers)
        let stop = StopSignal.onSignals()
        while !stop.isRaised { Thread.sleep(forTimeInterval: 0.05) }
        broker.close()
        logger.notice("the embedded broker has stopped")
    }
}

extension Configuration {
    /// Every topic that Freshet reads or writes.
    var topics: [String] {
        ["events", "items", "users", "impressions", "dead_letters"].map { text("topics.\($0)") }
    }
}

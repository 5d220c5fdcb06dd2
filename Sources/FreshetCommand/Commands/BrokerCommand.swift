import ArgumentParser
import Console
import EventStream
import Foundation
import Intake
import Interactions
import Logging

/// `freshet broker`
struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "An embedded Kafka broker for development and demonstrations, on loopback.",
        discussion: """
            It speaks the real protocol to any client, but it is no Kafka: everything is in memory and gone at the end; a partition
            keeps 5 MiB and drops its oldest records silently beyond that (64 partitions hold about 1,500,000 events of 200 bytes);
            offsets cannot be looked up by time, and transactions are not isolated. A topic that a client creates by using it has
            four partitions: name other topics with --topic.
            A restarted broker has a new identity: consumers notice and say so. Where librdkafka's mock cluster fails, the broker says
            so and begins again on the same port, empty. A group takes about three seconds to form, so consumers need a
            session.timeout.ms above that.
            """)

    @OptionGroup var options: GlobalOptions
    @Option(help: "The port on 127.0.0.1; 0 takes a free one.") var port: UInt16 = 9092
    @Option(help: "Partitions of every topic.") var partitions: Int = 64
    @Option(
        name: .customLong("topic"),
        help: ArgumentHelp("One more topic, or one of Freshet's with another size; may be repeated.", valueName: "name[:partitions]"))
    var moreTopics: [String] = []
    /// Given by a broker that failed to the one that takes its place.
    @Option(help: .private) var failures = 0
    /// Ends with whoever holds the other end of standard input, and not by the signals of a terminal that both share.
    @Flag(help: .private) var endsWithInput = false
    /// Takes a free port where the named one is taken.
    @Flag(help: .private) var orAnyPort = false

    /// A broker that fails this often is not worth another try.
    private static let maxFailures = 100

    func run() throws {
        guard (1...1_024).contains(partitions) else {
            throw ValidationError("--partitions is \(partitions), but takes 1 to 1,024")
        }
        let sized: [EmbeddedTopic]
        do {
            sized = try moreTopics.map { (text) throws(StreamError) in try EmbeddedTopic(parsing: text, partitions: partitions) }
        } catch {
            throw ValidationError("--topic: \(error.message)")
        }
        let configuration = try options.configuration()
        let logger = configuration.logger("broker")
        let stop = endsWithInput ? StopSignal.onInputEnd() : StopSignal.onSignals()
        let broker = try start(configuration, sized, logger)
        if failures < Self.maxFailures {
            EmbeddedBroker.beginAgainAfterFailure(arguments: arguments(port: broker.port))
        }
        if failures > 0 {
            logger.error(
                """
                librdkafka's mock cluster failed (its own words are above): the broker began again on \(broker.bootstrapServers) as \
                another, empty cluster. The records that it held are gone; PostgreSQL keeps what was ingested. Start freshet ingest \
                once with --accept-new-cluster
                """)
        }
        logger.notice(
            "the embedded broker is up", metadata: ["address": "\(broker.bootstrapServers)", "partitions": "\(partitions)"])
        if failures == 0 { StandardOutput.news(broker.bootstrapServers) }
        while !stop.isRaised { Thread.sleep(forTimeInterval: 0.05) }
        broker.close()
        logger.notice("the embedded broker has stopped")
    }

    private func start(_ configuration: Configuration, _ sized: [EmbeddedTopic], _ logger: Logger) throws -> EmbeddedBroker {
        func start(_ port: UInt16) throws(StreamError) -> EmbeddedBroker {
            try EmbeddedBroker(port: port, partitions: partitions, topics: configuration.topics, sized: sized)
        }
        do {
            return try start(port)
        } catch {
            guard orAnyPort, error.code == .portTaken else { throw error }
        }
        let broker = try start(0)
        logger.notice("port \(port) is taken; the broker listens on \(broker.bootstrapServers)")
        return broker
    }

    /// The arguments of the broker that takes this one's place: the same, on the port that clients know.
    private func arguments(port: UInt16) -> [String] {
        var words = ["freshet", "broker", "--port", "\(port)", "--partitions", "\(partitions)", "--failures", "\(failures + 1)"]
        for topic in moreTopics { words += ["--topic", topic] }
        if endsWithInput { words.append("--ends-with-input") }
        return words + SharedArguments.settings()
    }
}

extension StopSignal {
    /// A stop that the end of standard input asks for; SIGINT and SIGTERM are left to who holds its other end.
    static func onInputEnd() -> StopSignal {
        let stop = StopSignal()
        for number in [SIGINT, SIGTERM] { signal(number, SIG_IGN) }
        let thread = Thread {
            while let bytes = try? FileHandle.standardInput.read(upToCount: 4_096), !bytes.isEmpty {}
            stop.raise()
        }
        thread.name = "freshet-input"
        thread.start()
        return stop
    }
}

extension Configuration {
    /// Every topic that Freshet reads or writes.
    var topics: [String] {
        RecordKind.allCases.map(topic) + [text(.topicsDeadLetters)] + map(.ingestTopics).keys.sorted()
    }
}

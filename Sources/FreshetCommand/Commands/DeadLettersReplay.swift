import ArgumentParser
import Console
import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions
import Learning
import Logging

/// `freshet dead-letters replay`
struct DeadLettersReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Sends rejected records to their topic again.",
        discussion: """
            For records that a corrected configuration accepts now, such as a mapped event type. All that wait are sent, each once,
            oldest first. A record of a file goes to the topic of its kind; with --directly every record is decoded and stored here,
            without Kafka. A record that is refused once more keeps its row with the new reason: with another one it waits again,
            with the same one it is sent again only with --again or by its id. Left out, and counted, are records that were cut,
            deletions, and those of erased users.
            """)

    /// Letters in memory at once: each has 64 KiB at most.
    private static let pageLetters = 200

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Ids; without any, all that wait.") var ids: [Int64] = []
    @Option(help: "Only those with this reason.") var code: String?
    @Flag(help: "Also those that were refused again for the same reason.") var again = false
    @Flag(help: "Decode and store them here, without Kafka.") var directly = false
    @Flag(help: "Print the result as JSON.") var json = false

    /// What became of the letters.
    private struct Totals {
        var replayed = 0
        var cut = 0
        var tombstones = 0
        var erased = 0
        var unknownSource = 0
        /// Rows of other systems' files of which no record could be made.
        var rows = 0
        var refusedAgain = 0
        var failed = 0
        /// Asked for by an id that there is not.
        var missing = 0

        var leftOut: Int { cut + tombstones + erased + unknownSource + rows + missing }
    }

    func run() async throws {
        let configuration = try options.configuration()
        let reason = try DeadLettersCommand.code(code)
        let store = try ModelsCommand.store(options)
        let logger = configuration.logger("dead-letters")
        let stop = StopSignal.onSignals()
        let places = try Places(configuration)
        let way: Way = directly
            ? .direct(
                try IngestStore(
                    url: try configuration.databaseURL(), rules: configuration.featureRules, patches: configuration.patchRules))
            : .kafka(try StreamProducer(configuration.kafkaSettings, mode: .latency))
        var totals = Totals()
        if ids.isEmpty {
            let waiting = try store.waitingDeadLetters(code: reason, again: again)
            let progress = ProgressLine("replay", total: waiting.count)
            var last: Int64 = 0, looked = 0
            while !stop.isRaised {
                let page = try store.waitingDeadLetters(
                    code: reason, again: again, after: last, newest: waiting.newest, limit: Self.pageLetters)
                guard let end = page.last?.id else { break }
                last = end
                looked += page.count
                try await replay(page, way, store, places, &totals)
                progress.update(looked)
                // A broker that is away fails every page: what was not sent waits on.
                if totals.failed > 0 { break }
            }
            progress.finish(looked)
        } else {
            for start in stride(from: 0, to: ids.count, by: Self.pageLetters) where !stop.isRaised && totals.failed == 0 {
                let asked = Array(ids[start..<min(start + Self.pageLetters, ids.count)])
                let page = try asked.compactMap { try store.deadLetter($0) }
                totals.missing += asked.count - page.count
                try await replay(page, way, store, places, &totals)
            }
        }
        say(totals, logger)
        ResultLine([
            "replayed": .integer(totals.replayed), "left_out": .integer(totals.leftOut), "failed": .integer(totals.failed),
            "refused_again": .integer(totals.refusedAgain), "cut": .integer(totals.cut), "tombstones": .integer(totals.tombstones),
            "erased": .integer(totals.erased), "unknown_source": .integer(totals.unknownSource), "rows": .integer(totals.rows),
            "missing": .integer(totals.missing),
        ]).print(asJSON: json)
        if totals.failed > 0 { throw CommandFailure("\(totals.failed) records were not acknowledged by the broker; they wait on") }
        if stop.isRaised { throw CommandFailure("stopped before the end; the next run goes on from here") }
    }

    private enum Way {
        case kafka(StreamProducer)
        case direct(IngestStore)
    }

    /// What the settings say of sources, looked up once.
    private struct Places {
        let configuration: Configuration
        let kinds: [String: RecordKind]
        let mappings: [String: TopicMapping]
        let schemas: SchemaRegistry?

        init(_ configuration: Configuration) throws {
            self.configuration = configuration
            schemas = try configuration.schemaRegistry.map { registry throws(IntakeError) in try SchemaRegistry(registry) }
            kinds = configuration.topicKinds
            mappings = configuration.topicMappings
        }

        /// What a source of records holds: a topic, or a file of a backfill, whose name is `file:KIND:NAME:IDENTITY`.
        func kind(of source: String) -> RecordKind? {
            if let kind = kinds[source] { return kind }
            let parts = source.split(separator: ":")
            guard parts.count >= 3, parts[0] == "file" else { return nil }
            return RecordKind(rawValue: String(parts[1]))
        }

        /// Where a letter is sent: to where it came from, if that takes it.
        func topic(of letter: DeadLetter, _ kind: RecordKind) -> String {
            let source = letter.record.origin.source
            let isBack = kinds[source] == kind && !(letter.isOwn && mappings[source] != nil)
            return isBack ? source : configuration.topic(of: kind)
        }
    }

    private func replay(
        _ page: [DeadLetter], _ way: Way, _ store: StoreQueries, _ places: Places, _ totals: inout Totals
    ) async throws {
        let erased = try store.erasures(of: Array(Set(page.flatMap(\.people))))
        var sent: [(letter: DeadLetter, kind: RecordKind)] = []
        for letter in page {
            let record = letter.record
            if record.payloadBytes == 0 { totals.tombstones += 1; continue }
            if record.payload.count != record.payloadBytes { totals.cut += 1; continue }
            if letter.people.contains(where: { erased[$0].map { letter.receivedAt <= $0 } ?? false }) {
                totals.erased += 1
                continue
            }
            if record.rejection.code == .malformedRow { totals.rows += 1; continue }
            guard let kind = places.kind(of: record.origin.source) else { totals.unknownSource += 1; continue }
            sent.append((letter, letter.holdsOneEvent ? .events : kind))
        }
        // Before they are sent: a record that comes back at once must find its letter, and a run that is killed sends none twice.
        try store.markReplayed(sent.map(\.letter.id))
        switch way {
        case .kafka(let producer): try await send(sent, by: producer, store, places, &totals)
        case .direct(let ingest): try commit(sent, to: ingest, store, places, &totals)
        }
    }

    private func send(
        _ letters: [(letter: DeadLetter, kind: RecordKind)], by producer: StreamProducer, _ store: StoreQueries,
        _ places: Places, _ totals: inout Totals
    ) async throws {
        let unsent = await withTaskGroup(of: Int64?.self) { group in
            for (letter, kind) in letters {
                let topic = places.topic(of: letter, kind)
                group.addTask {
                    do throws(StreamError) {
                        _ = try await producer.produceAcknowledged(topic: topic, key: letter.record.key, value: letter.record.payload)
                        return nil
                    } catch {
                        return letter.id
                    }
                }
            }
            return await group.reduce(into: [Int64]()) { if let id = $1 { $0.append(id) } }
        }
        totals.replayed += letters.count - unsent.count
        totals.failed += unsent.count
        if !unsent.isEmpty { try store.markUnsent(unsent) }
    }

    /// Decodes the records as they came, so that ids that are derived from their place are the same, and stores them.
    private func commit(
        _ letters: [(letter: DeadLetter, kind: RecordKind)], to ingest: IngestStore, _ store: StoreQueries, _ places: Places,
        _ totals: inout Totals
    ) throws {
        let groups = Dictionary(grouping: letters) { [$0.letter.record.origin.source, $0.letter.isOwn ? "own" : ""] }
        for (group, own) in groups.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let source = group[0], configuration = places.configuration
            var intake = RecordIntake(
                rules: try configuration.decodingRules(), featureRules: configuration.featureRules,
                mappings: group[1].isEmpty ? places.mappings : [:], schemas: places.schemas)
            for (letter, kind) in own {
                let record = letter.record
                record.payload.withUnsafeBytes { value in
                    (record.key ?? []).withUnsafeBytes { key in
                        // What names a schema that does not come in time is refused again, and says so.
                        intake.waitForSchemas(source, key: record.key == nil ? nil : key, value: value, of: places.schemas)
                        _ = intake.add(kind, key: record.key == nil ? nil : key, value: value, origin: record.origin, now: EventTime.now)
                    }
                }
            }
            var batch = intake.take(offsets: [])
            batch.eventSource = source
            do {
                let summary = try ingest.commit(batch)
                // One letter may hold a slate of many events: what became of each letter stands in its row.
                let ids = own.map(\.letter.id)
                let refused = try store.refusedAgain(ids)
                let left = try store.leftDeadLetters(ids)
                // Whose letter is gone, or was dropped with its user's events, was erased meanwhile.
                let erased = min(own.count - refused, max(summary.erased, own.count - left))
                totals.refusedAgain += refused
                totals.erased += erased
                totals.replayed += own.count - refused - erased
            } catch {
                try? store.markUnsent(own.map(\.letter.id))
                throw error
            }
        }
    }

    private func say(_ totals: Totals, _ logger: Logger) {
        for (count, what) in [
            (
                totals.cut,
                "were cut when they were kept (a record of more than \(RecordIntake.rejectedPayloadBytes) bytes); "
                    + "send them from their source"
            ),
            (totals.tombstones, "are deletions, which have no content to send again; delete under a key that is an id"),
            (totals.erased, "are of users that were erased since"),
            (totals.unknownSource, "come from topics that topics.* and ingest.topics no longer name"),
            (
                totals.rows,
                "are rows of other systems' files of which no record could be made, so that there is nothing to send; give freshet import "
                    + "the file again, mended or with other options"
            ),
            (totals.missing, "are asked for by ids that there are not"),
        ] where count > 0 {
            logger.warning("\(count) dead letters are left out: they \(what)")
        }
        if totals.refusedAgain > 0 {
            logger.warning("\(totals.refusedAgain) records were refused again; freshet dead-letters list shows why")
        }
    }
}

extension DeadLetter {
    /// Whom the letter is about, by its key and by what it names.
    fileprivate var people: [String] {
        [record.key, record.userID].compactMap { $0.flatMap { String(validating: $0, as: UTF8.self) } }
    }

    /// Whether the payload is a record of Freshet's own, wherever it came from: what the database refused was decoded before.
    fileprivate var isOwn: Bool { [.conflictingDuplicate, .refusedByDatabase].contains(record.rejection.code) }

    /// Whether the payload is one event, whatever its source holds: of a slate whose events the database refused each is a letter.
    fileprivate var holdsOneEvent: Bool {
        guard isOwn, let text = String(validating: record.payload, as: UTF8.self) else { return false }
        return JSONText.string("event_id", inObject: text) != nil && JSONText.string("type", inObject: text) != nil
    }
}

import ArgumentParser
import Console
import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions
import ModelArtifacts
import RecommendationAPI
import Serving
import Tensors

/// `freshet doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Checks configuration, broker, database, schema, disk and model: a line each.",
        discussion: "Exit status 1 if anything is wrong. Warnings do not count.")

    @OptionGroup var options: GlobalOptions
    @Flag(help: "Print as JSON Lines.") var json = false
    @Option(
        help: ArgumentHelp(
            """
            Also tells what the database's user and the Kafka user lack for a role, or have beyond it: migrate, ingest, serve, train or \
            operate.
            """,
            valueName: "role"))
    var role: String?

    func validate() throws { _ = try databaseRole() }

    /// The role that is asked about; commands stand for the role that they run as.
    private func databaseRole() throws -> DatabaseRole? {
        guard let role else { return nil }
        let commands: [String: DatabaseRole] = [
            "backfill": .ingest, "search": .train, "adapt": .train, "evaluate": .train, "recommend": .train, "models": .operate,
            "dead-letters": .operate,
        ]
        guard let found = DatabaseRole(rawValue: role) ?? commands[role] else {
            throw ValidationError("--role is \(role), but takes \(DatabaseRole.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return found
    }

    private enum Finding: String {
        case good = "ok"
        case warning = "warning"
        case wrong = "wrong"
    }

    func run() async throws {
        let configuration = try options.configuration()
        var wrong = 0
        func tell(_ part: String, _ finding: Finding, _ found: String) {
            if finding == .wrong { wrong += 1 }
            let text = StandardError.redacted(found)
            if json {
                ResultLine(["part": .text(part), "finding": .text(finding.rawValue), "detail": .text(text)]).print(asJSON: true)
            } else {
                let mark = finding == .good ? "✓" : finding == .warning ? "!" : "✗"
                StandardOutput.line("\(mark) \(part): \(text)")
            }
        }
        let count = configuration.settings.count + configuration.trainerSettings.count
        tell("configuration", .good, count == 1 ? "1 setting, each is known and in range" : "\(count) settings, each is known and in range")
        for warning in configuration.warnings { tell("configuration", .warning, warning) }
        for (part, problem) in configuration.roleProblems { tell(part, .wrong, problem) }
        checkService(configuration, tell)
        let role = try databaseRole()
        checkKafka(configuration, role, tell)
        await checkRegistry(configuration, tell)
        checkDatabase(configuration, role, tell)
        checkDisk(configuration, tell)
        checkEncoder(configuration, tell)
        if let slowed = Kernels.slowedBySetting {
            tell("kernels", .warning, slowed)
        } else {
            tell("kernels", .good, Kernels.description)
        }
        if wrong > 0 { throw CommandFailure(wrong == 1 ? "one part needs attention" : "\(wrong) parts need attention") }
    }

    private func checkKafka(_ configuration: Configuration, _ role: DatabaseRole?, _ tell: (String, Finding, String) -> Void) {
        do {
            let consumer = try StreamConsumer(reading: configuration.kafkaSettings)
            defer { consumer.close() }
            let cluster = try consumer.clusterID(timeoutMilliseconds: 4_000)
            tell("broker", .good, "\(configuration.text(.kafkaBootstrapServers)) is cluster \(cluster)")
            for topic in configuration.topics {
                do {
                    tell("topic \(topic)", .good, "\(try consumer.partitions(topic, timeoutMilliseconds: 4_000).count) partitions")
                } catch {
                    tell("topic \(topic)", .wrong, "\(error)")
                }
            }
            if let role { checkKafkaRights(configuration, role, consumer, tell) }
        } catch {
            tell("broker", .wrong, "\(error)")
        }
    }

    /// Nothing is told of a registry that no setting names.
    private func checkRegistry(_ configuration: Configuration, _ tell: (String, Finding, String) -> Void) async {
        // What is wrong with the address stands among the settings that a role refuses.
        guard let settings = configuration.schemaRegistry, let registry = try? SchemaRegistry(settings) else { return }
        if let problem = await registry.problem() {
            tell("schema registry", .wrong, "\(registry.place) \(problem)")
        } else {
            tell("schema registry", .good, "\(registry.place) answers")
        }
    }

    /// What can be seen without a record being read or written: whether the topics may be read. Writing shows with the first record.
    private func checkKafkaRights(
        _ configuration: Configuration, _ role: DatabaseRole, _ consumer: StreamConsumer, _ tell: (String, Finding, String) -> Void
    ) {
        let read = RecordKind.allCases.map(configuration.topic) + configuration.map(.ingestTopics).keys.sorted()
        switch role {
        case .migrate, .train:
            tell("kafka rights", .good, "\(role.rawValue) speaks to no broker")
        case .serve, .operate:
            tell(
                "kafka rights", .warning,
                "what \(role.rawValue) may write shows with its first record only; docs/kafka.md lists what it needs")
        case .ingest:
            for topic in read {
                do {
                    try consumer.tryReading(topic, timeoutMilliseconds: 1_000)
                    tell("kafka rights", .good, "may read \(topic)")
                } catch {
                    tell("kafka rights", .wrong, "\(error)")
                }
            }
        }
    }

    private func checkRights(_ store: StoreQueries, _ role: DatabaseRole, _ tell: (String, Finding, String) -> Void) throws {
        let rights = try store.rights(for: role)
        let script = "freshet migrate --print-roles prints what gives each role its rights"
        if !rights.missing.isEmpty {
            tell("rights", .wrong, "\(rights.user) lacks for \(role.rawValue): \(rights.missing.joined(separator: "; ")) — \(script)")
        }
        if !rights.excess.isEmpty {
            let excess = rights.excess.joined(separator: "; ")
            tell("rights", .warning, "\(rights.user) has more than \(role.rawValue) needs: \(excess) — \(script)")
        }
        if rights.missing.isEmpty, rights.excess.isEmpty {
            tell("rights", .good, "\(rights.user) has what \(role.rawValue) needs, and no more")
        }
    }

    private func checkDatabase(_ configuration: Configuration, _ role: DatabaseRole?, _ tell: (String, Finding, String) -> Void) {
        do {
            let url = try configuration.databaseURL()
            let store = StoreQueries(url: url, rules: configuration.featureRules, connections: 1)
            try store.ping()
            tell("database", .good, "answers")
            if let role { try checkRights(store, role, tell) }
            try Migrator(url: url).check()
            tell("schema", .good, "is the newest that this program knows")
            for sentence in Set(try store.offsets().compactMap(\.halted)).sorted() { tell("partitions", .wrong, sentence) }
            // These have nothing to do with models, and no right to look at them.
            if role == .ingest || role == .migrate { return }
            if let model = try store.promotedModel() {
                checkModel(model, configuration, tell)
                if let warning = model.exclusionWarning(under: configuration.exclusion) { tell("rules", .warning, warning) }
            } else {
                tell("model", .warning, "none is promoted yet: freshet train makes one")
            }
            if let refused = try store.modelRefusals().warning { tell("gate", .warning, refused) }
        } catch {
            tell("database", .wrong, "\(error)")
        }
    }

    private func checkModel(_ model: RegisteredModel, _ configuration: Configuration, _ tell: (String, Finding, String) -> Void) {
        let root = configuration.text(.artifactsPath)
        do {
            let towers = try configuration.artifactStore.model(of: model)
            tell("model", .good, "version \(model.version), \(towers.itemIDs.count) items, checksum fits")
        } catch where error.code == .missing {
            tell(
                "model", .wrong,
                "the database says that version \(model.version) is promoted, and its files are not in \(root), "
                    + "which artifacts.path names: "
                    + "copy the folder \(model.artifactName) there, or run freshet train")
        } catch {
            tell("model", .wrong, "version \(model.version) cannot be used: \(error)")
        }
    }

    private func checkService(_ configuration: Configuration, _ tell: (String, Finding, String) -> Void) {
        let host = configuration.text(.httpHost)
        let keys = ConfigurationKey.all.filter { $0.name.hasPrefix("http.") && $0.name.hasSuffix("_keys") }
            .reduce(0) { $0 + configuration.list($1.id).count }
        for note in configuration.keyNotes { tell("service", .warning, note) }
        // An address that is open without a word is among the settings that a role refuses.
        if (try? configuration.apiConfiguration()) != nil {
            tell("service", .good, "listens on \(host):\(configuration.text(.httpPort)) with \(keys == 1 ? "1 key" : "\(keys) keys")")
        }
    }

    private func checkEncoder(_ configuration: Configuration, _ tell: (String, Finding, String) -> Void) {
        let folder = configuration.text(.contentEncoder)
        guard !folder.isEmpty else { return }
        do {
            let shape = try TextEncoderFolder.load(folder).shape
            tell(
                "text encoder", .good,
                "\(folder) has \(shape.layers) layers of width \(shape.width), checksum \(try TextEncoderFolder.checksum(folder))")
        } catch {
            tell("text encoder", .wrong, "content.encoder: \(error)")
        }
    }

    /// Nothing is made that is not there: a folder that doctor makes as one user may be closed to the user that trains.
    private func checkDisk(_ configuration: Configuration, _ tell: (String, Finding, String) -> Void) {
        let path = configuration.text(.artifactsPath)
        let folder = WritableFolder(path: path)
        if let problem = folder.problem {
            tell("disk", .wrong, "artifacts.path is \(path), and \(problem): make it a folder that the user who trains may write")
            return
        }
        let free = folder.freeBytes
        let room = free.map { String(format: "%.1f GB free", Double($0) / 1e9) } ?? "free space unknown"
        let state = folder.exists ? "for artifacts in \(path)" : "in \(folder.existing), where freshet train will make \(path)"
        tell("disk", (free ?? 0) > 1_000_000_000 ? .good : .warning, "\(room) \(state)")
    }
}

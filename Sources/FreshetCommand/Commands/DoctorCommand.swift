import ArgumentParser
import EventStream
import FeatureStore
import Foundation
import ModelArtifacts
import Tensors

/// `freshet doctor`
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Checks configuration, broker, database, schema, disk and model: a line each.",
        discussion: "Exit status 1 if anything is wrong. Warnings do not count.")

    @OptionGroup var options: GlobalOptions
    @Flag(help: "Print as JSON Lines.") var json = false

    private enum Finding: String {
        case good = "ok"
        case warning = "warning"
        case wrong = "wrong"
    }

    func run() throws {
        let configuration = try options.configuration()
        var wrong = 0
        func tell(_ part: String, _ finding: Finding, _ text: String) {
            if finding == .wrong { wrong += 1 }
            if json {
                ResultLine(["part": .text(part), "finding": .text(finding.rawValue), "detail": .text(text)]).print(asJSON: true)
            } else {
                let mark = finding == .good ? "✓" : finding == .warning ? "!" : "✗"
                StandardOutput.line("\(mark) \(part): \(text)")
            }
        }
        tell("configuration", .good, "\(configuration.settings.count + configuration.trainerSettings.count) settings, no unknown ones")
        checkKafka(configuration, tell)
        checkDatabase(configuration, tell)
        checkDisk(configuration, tell)
        checkEncoder(configuration, tell)
        if let slowed = Kernels.slowedBySetting {
            tell("kernels", .warning, slowed)
        } else {
            tell("kernels", .good, Kernels.description)
        }
        if wrong > 0 { throw CommandFailure(wrong == 1 ? "one part needs attention" : "\(wrong) parts need attention") }
    }

    private func checkKafka(_ configuration: Configuration, _ tell: (String, Finding, String) -> Void) {
        do {
            let consumer = try StreamConsumer(reading: configuration.kafkaSettings)
            defer { consumer.close() }
            let cluster = try consumer.clusterID(timeoutMilliseconds: 4_000)
            tell("broker", .good, "\(configuration.text("kafka.bootstrap_servers")) is cluster \(cluster)")
            for topic in configuration.topics {
                do {
                    tell("topic \(topic)", .good, "\(try consumer.partitions(topic, timeoutMilliseconds: 4_000).count) partitions")
                } catch {
                    tell("topic \(topic)", .wrong, "\(error)")
                }
            }
        } catch {
            tell("broker", .wrong, "\(error)")
        }
    }

    private func checkDatabase(_ configuration: Configuration, _ tell: (String, Finding, String) -> Void) {
        do {
            let url = try configuration.databaseURL()
            let store = StoreQueries(url: url, rules: configuration.featureRules, connections: 1)
            try store.ping()
            tell("database", .good, "answers")
            try Migrator(url: url).check()
            tell("schema", .good, "is the newest that this program knows")
            guard let model = try store.promotedModel() else {
                tell("model", .warning, "none is promoted yet: freshet train makes one")
                return
            }
            let artifacts = ArtifactStore(root: configuration.text("artifacts.path"))
            let towers = try artifacts.model(of: model)
            tell("model", .good, "version \(model.version), \(towers.itemIDs.count) items, checksum fits")
        } catch {
            tell("database", .wrong, "\(error)")
        }
    }

    private func checkEncoder(_ configuration: Configuration, _ tell: (String, Finding, String) -> Void) {
        let folder = configuration.text("content.encoder")
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

    private func checkDisk(_ configuration: Configuration, _ tell: (String, Finding, String) -> Void) {
        let path = configuration.text("artifacts.path")
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let free = try FileManager.default.attributesOfFileSystem(forPath: path)[.systemFreeSize] as? NSNumber
            let bytes = free?.int64Value ?? 0
            let gigabytes = Double(bytes) / 1e9
            tell("disk", bytes > 1_000_000_000 ? .good : .warning, String(format: "%.1f GB free for artifacts in %@", gigabytes, path))
        } catch {
            tell("disk", .wrong, "artifacts.path \(path) cannot be written: \(error.localizedDescription)")
        }
    }
}

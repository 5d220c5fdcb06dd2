import ArgumentParser
import Console
import Evaluation
import FeatureStore
import Foundation
import Interactions
import ModelArtifacts
import Reports
import Serving

/// `freshet models`
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "The registry of model versions.",
        subcommands: [List.self, Show.self, Report.self, Objectives.self, Promote.self, Rollback.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Versions, newest first.")
        @OptionGroup var options: GlobalOptions
        @Flag(help: "Print as JSON.") var json = false

        func run() throws {
            let models = try ModelsCommand.store(options).models()
            if json {
                StandardOutput.line("[" + models.map { ModelsCommand.line($0).json }.joined(separator: ",") + "]")
                return
            }
            if models.isEmpty { StandardOutput.line("no model yet: run freshet train") }
            for model in models {
                let record = EvaluationRecord(registry: model.metrics)
                let ndcg = record.model?["NDCG@10"].map { String(format: "%.4f", $0) } ?? "–"
                let popularity = record.popularity?["NDCG@10"].map { String(format: "%.4f", $0) } ?? "–"
                let counter = record.counter.map { "counter: \($0.name)\t" } ?? ""
                StandardOutput.line(
                    "\(model.version)\t\(model.status.rawValue)\t\(model.createdAt.rfc3339())\tNDCG@10 \(ndcg) (popularity \(popularity))\t"
                        + counter + model.reasonInWords)
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Everything about one version.")
        @OptionGroup var options: GlobalOptions
        @Argument var version: Int32
        @Flag(help: "What train.preset auto saw, chose and why, as a table.") var choice = false
        @Flag(help: "Print as JSON.") var json = false

        func run() throws {
            guard let model = try ModelsCommand.store(options).model(version) else {
                throw CommandFailure("there is no model version \(version); freshet models list shows them")
            }
            guard choice, !json else { return ModelsCommand.line(model).print(asJSON: true) }
            guard let found = EvaluationRecord(registry: model.metrics).choice else {
                return StandardOutput.line("nothing was chosen for version \(version): all was set, or it is of an older program")
            }
            ChoiceSection(found).lines.forEach(StandardOutput.line)
        }
    }

    struct Promote: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes a version the one that servers use.")
        @OptionGroup var options: GlobalOptions
        @Argument var version: Int32
        @Flag(help: "Also a version that the gate refused, or whose files are not here, or not whole.") var force = false
        @Option(help: "Why, for the registry.") var reason: String?
        @Flag(help: "Print as JSON.") var json = false

        func run() throws {
            let words = RegisteredModel.reason("promoted by hand", force: force, given: reason)
            let store = try ModelsCommand.store(options)
            try ModelsCommand.check(try store.model(version), options, force: force)
            let model = try store.promoteModel(version, reason: words, force: force)
            if json { return ModelsCommand.line(model).print(asJSON: true) }
            StandardOutput.line("version \(model.version) is promoted; servers that have its files pick it up within a second")
        }
    }

    struct Rollback: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Goes back to the version before.")
        @OptionGroup var options: GlobalOptions
        @Flag(help: "Also to a version that the gate refused, or whose files are not here, or not whole.") var force = false
        @Flag(help: "Print as JSON.") var json = false

        func run() throws {
            let store = try ModelsCommand.store(options)
            if !force { try ModelsCommand.check(try store.rollbackTarget(), options, force: force) }
            let model = try store.rollBackModel(reason: RegisteredModel.reason("rollback", force: force, given: nil), force: force)
            if json { return ModelsCommand.line(model).print(asJSON: true) }
            StandardOutput.line("version \(model.version) is promoted again")
        }
    }

    static func store(_ options: GlobalOptions) throws -> StoreQueries {
        let configuration = try options.configuration()
        let url = try configuration.databaseURL()
        try Migrator(url: url).check()
        return StoreQueries(url: url, rules: configuration.featureRules, connections: 1)
    }

    /// Looks at the files of a version that is to be promoted, and says where it cannot. Of one that is not registered the registry tells.
    private static func check(_ version: RegisteredModel?, _ options: GlobalOptions, force: Bool) throws {
        guard let version, !force else { return }
        let configuration = try options.configuration()
        let sentence = try configuration.artifactStore.checkPromotion(of: version)
        if let sentence { configuration.logger("models").warning("\(sentence)") }
    }

    static func line(_ model: RegisteredModel) -> ResultLine {
        ResultLine([
            "version": .integer(Int(model.version)), "status": .text(model.status.rawValue),
            "created_at": .text(model.createdAt.rfc3339()), "promoted_at": model.promotedAt.map { .text($0.rfc3339()) } ?? .null,
            "artifact_path": .text(model.artifactPath), "artifact_checksum": .text(model.artifactChecksum),
            "artifact_sha256": model.artifactSHA256.map { .text($0) } ?? .null,
            "reason": model.reason.map { .text($0) } ?? .null, "refusal": model.refusal.map { .text($0) } ?? .null,
            "configuration": .json(model.configuration),
            "metrics": .json(model.metrics), "watermark": .json(model.watermark),
        ])
    }
}

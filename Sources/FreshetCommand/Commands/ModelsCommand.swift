import ArgumentParser
import FeatureStore
import Foundation

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
                let ndcg = EvaluationNumbers.of("model", in: model.metrics)["ndcg@10"].map { String(format: "%.4f", $0) } ?? "–"
                let popularity = EvaluationNumbers.of("popularity", in: model.metrics)["ndcg@10"].map { String(format: "%.4f", $0) } ?? "–"
                StandardOutput.line(
                    "\(model.version)\t\(model.status.rawValue)\t\(model.createdAt.rfc3339())\tNDCG@10 \(ndcg) (popularity \(popularity))\t\(model.reason ?? "")")
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Everything about one version.")
        @OptionGroup var options: GlobalOptions
        @Argument var version: Int32
        @Flag(help: "Print as JSON.") var json = false

        func run() throws {
            guard let model = try ModelsCommand.store(options).model(version) else {
                throw CommandFailure("there is no model version \(version); freshet models list shows them")
            }
            ModelsCommand.line(model).print(asJSON: true)
        }
    }

    struct Promote: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes a version the one that servers use.")
        @OptionGroup var options: GlobalOptions
        @Argument var version: Int32
        @Flag(help: "Print as JSON.") var json = false

        func run() throws {
            let model = try ModelsCommand.store(options).promoteModel(version, reason: "promoted by hand")
            if json { return ModelsCommand.line(model).print(asJSON: true) }
            StandardOutput.line("version \(model.version) is promoted; servers pick it up within a second")
        }
    }

    struct Rollback: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Goes back to the version before.")
        @OptionGroup var options: GlobalOptions
        @Flag(help: "Print as JSON.") var json = false

        func run() throws {
            let model = try ModelsCommand.store(options).rollBackModel()
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

    static func line(_ model: RegisteredModel) -> ResultLine {
        ResultLine([
            "version": .integer(Int(model.version)), "status": .text(model.status.rawValue),
            "created_at": .text(model.createdAt.rfc3339()), "promoted_at": model.promotedAt.map { .text($0.rfc3339()) } ?? .null,
            "artifact_path": .text(model.artifactPath), "artifact_checksum": .text(model.artifactChecksum),
            "reason": model.reason.map { .text($0) } ?? .null, "configuration": .json(model.configuration),
            "metrics": .json(model.metrics), "watermark": .json(model.watermark),
        ])
    }
}

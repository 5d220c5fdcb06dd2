import ArgumentParser
import Console
import Evaluation
import FeatureStore
import Foundation
import Interactions
import ModelArtifacts
import Recommending
import Reports
import Serving

extension ModelsCommand {
    /// `freshet models objectives`
    struct Objectives: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What mixes of goals give on what was held out, and a way to pick one.",
            discussion: """
                The score of an item is click power · ln pCTR + conversion power · ln pCVR + value power · ln E[value]. Points that no
                other one beats in both NDCG@10 and revenue-weighted NDCG@10 are marked with *. --pick registers the same model with
                the powers of a point as a new version, and promotes it where the old one was promoted.
                """)
        @OptionGroup var options: GlobalOptions
        @Argument var version: Int32
        @Option(help: "The number of the point to use.") var pick: Int?
        @Flag(help: "Print as JSON.") var json = false

        func run() throws {
            let store = try ModelsCommand.store(options)
            guard let model = try store.model(version) else {
                throw CommandFailure("there is no model version \(version); freshet models list shows them")
            }
            guard let found = EvaluationRecord(registry: model.metrics).objectives else {
                throw CommandFailure(
                    "version \(version) has no heads: its log had neither impressions nor purchases with a price, or objectives.heads or "
                        + "ranking.blend is off")
            }
            if let pick { return try use(pick, of: found, model, store) }
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = .sortedKeys
                return StandardOutput.line(String(decoding: try encoder.encode(found), as: UTF8.self))
            }
            let points = found.points ?? [], weightings = found.sweep ?? []
            StandardOutput.line("point\tinterest\tconversion\tvalue\tNDCG@10\tgNDCG@10\tcoverage")
            for point in points {
                StandardOutput.line(
                    "\(point.front == true ? "*" : "")\(point.point ?? 0)\t\(point.clickHead == true ? "click head" : "blend")\t"
                        + "\(point.conversion ?? 0)\t\(point.value ?? 0)\t"
                        + String(format: "%.4f\t%.4f\t%.3f", point.ndcg ?? 0, point.gainNDCG ?? 0, point.coverage ?? 0))
            }
            guard !weightings.isEmpty else { return }
            let columns = ["weight", "loss"].flatMap { kind in ObjectivesRecord.heads.map { "\($0) \(kind)" } }
            StandardOutput.line("weighting\t" + columns.joined(separator: "\t"))
            for weighting in weightings {
                StandardOutput.line(
                    "\(weighting.front == true ? "*" : "")\(weighting.weighting ?? "")\(weighting.picked == true ? ", in use" : "")\t"
                        + (weighting.weights + weighting.losses).map { String(format: "%.4f", $0) }.joined(separator: "\t"))
            }
        }

        private func use(_ pick: Int, of found: ObjectivesRecord, _ model: RegisteredModel, _ store: StoreQueries) throws {
            guard let point = found.points?.first(where: { $0.point == pick }) else {
                throw CommandFailure("version \(version) has no point \(pick): they go from 0 to \((found.points?.count ?? 0) - 1)")
            }
            let artifacts = try options.configuration().artifactStore
            let artifact = try artifacts.artifact(of: model)
            var bundle = artifact.bundle
            guard bundle.heads != nil else { throw CommandFailure("the files of version \(version) hold no heads; train again") }
            bundle.heads?.weights.powers = ObjectivePowers(conversion: Float(point.conversion ?? 0), value: Float(point.value ?? 0))
            bundle.heads?.weights.ranksByClickHead = point.clickHead == true
            let reference = try artifacts.write(bundle, name: ArtifactStore.newName(), notes: artifact.notes)
            let picked = try store.registerModel(
                artifactPath: URL(fileURLWithPath: reference.path).lastPathComponent, artifactChecksum: reference.checksum,
                artifactSHA256: reference.sha256, configuration: model.configuration, metrics: model.metrics, watermark: model.watermark,
                answers: try store.answers(of: model.version), refusal: model.refusal)
            let reason = "point \(pick) of the objectives of version \(version)"
            if model.status == .promoted { try store.promoteModel(picked, reason: reason, force: true) }
            ResultLine([
                "version": .integer(Int(picked)), "promoted": .boolean(model.status == .promoted), "reason": .text(reason),
            ]).print(asJSON: json)
        }
    }
}

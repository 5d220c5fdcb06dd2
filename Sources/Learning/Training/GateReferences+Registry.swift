import Evaluation
import FeatureStore
import Interactions
import Learning
import Logging
import ModelArtifacts

extension GateReferences {
    /// How many versions of the last weeks are tried, the best first, until one can be asked.
    private static let triedAnchors = 3

    /// Reads what the registry and the files have. A model that cannot be read is said, and is there all the same.
    static func read(_ store: StoreQueries, _ artifacts: ArtifactStore, anchorDays: Int, logger: Logger) throws -> GateReferences {
        guard let current = try store.promotedModel() else { return .none }
        var references = GateReferences(promoted: try reference(current, store, artifacts))
        if let problem = references.promoted?.problem {
            logger.error(
                "the promoted version \(current.version) cannot be read, so a candidate is held against what was recorded of it: \(problem)")
        }
        for served in try best(store, anchorDays: anchorDays).prefix(triedAnchors) {
            let found = try reference(served, store, artifacts)
            references.anchor = references.anchor ?? found
            guard found.model == nil else {
                references.anchor = found
                break
            }
            logger.warning("version \(served.version), one of the best of the last weeks, cannot be read: \(found.problem ?? "")")
        }
        return references
    }

    /// Versions that served in the last weeks and were judged, the best recorded figure first.
    static func best(_ store: StoreQueries, anchorDays: Int) throws -> [RegisteredModel] {
        guard anchorDays > 0 else { return [] }
        let judged = try store.modelsThatServed(days: anchorDays).compactMap { model -> (model: RegisteredModel, mean: Double)? in
            EvaluationRecord(registry: model.metrics).model?.report.metrics[HoldoutScoring.gateMetric].map { (model, $0.mean) }
        }
        return judged.sorted { $0.mean != $1.mean ? $0.mean > $1.mean : $0.model.version > $1.model.version }.map(\.model)
    }

    private static func reference(_ registered: RegisteredModel, _ store: StoreQueries, _ artifacts: ArtifactStore) throws -> Reference {
        var reference = Reference(
            version: Int(registered.version), record: EvaluationRecord(registry: registered.metrics),
            answers: try store.answers(of: registered.version).flatMap { RecordedAnswers(decoding: $0) })
        do {
            reference.model = try PromotedModel(registered, in: artifacts)
        } catch {
            reference.problem = "\(error)"
        }
        return reference
    }
}

extension PromotedModel {
    /// Reads a registered version's files.
    init(_ registered: RegisteredModel, in artifacts: ArtifactStore) throws {
        self.init(
            bundle: try artifacts.artifact(of: registered).bundle, version: Int(registered.version),
            newestEvent: JSONText.number("newest_event_ms", inObject: registered.watermark).flatMap { Int64(exactly: $0) })
    }
}

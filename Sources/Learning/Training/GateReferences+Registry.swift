import Evaluation
import FeatureStore
import Interactions
import Logging
import Recommending
import Reports
import TrainingFiles

extension GateReferences {
    /// How many versions of the last weeks are tried, the best first, until one can be asked.
    package static let triedAnchors = 3

    /// Reads what the registry and the files have. A model that cannot be read is said, and is there all the same.
    ///
    /// - Parameter bundle: reads the files of a version.
    package static func read(
        _ models: any RegisteredModels, bundle: (RegisteredModel) throws -> ModelBundle, anchorDays: Int, logger: Logger
    ) throws -> GateReferences {
        guard let current = try models.promotedModel() else { return .none }
        var references = GateReferences(promoted: try reference(current, models, bundle))
        if let problem = references.promoted?.problem {
            logger.error(
                """
                the promoted version \(current.version) cannot be read, so a candidate is held against what was recorded of it: \
                \(problem)
                """)
        }
        for served in try best(models, anchorDays: anchorDays).prefix(triedAnchors) {
            let found = try reference(served, models, bundle)
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
    package static func best(_ models: any RegisteredModels, anchorDays: Int) throws -> [RegisteredModel] {
        guard anchorDays > 0 else { return [] }
        let judged = try models.modelsThatServed(days: anchorDays).compactMap { model -> (model: RegisteredModel, mean: Double)? in
            EvaluationRecord(registry: model.metrics).model?.report.metrics[HoldoutScoring.gateMetric].map { (model, $0.mean) }
        }
        return judged.sorted { $0.mean != $1.mean ? $0.mean > $1.mean : $0.model.version > $1.model.version }.map(\.model)
    }

    private static func reference(
        _ registered: RegisteredModel, _ models: any RegisteredModels, _ bundle: (RegisteredModel) throws -> ModelBundle
    ) throws -> Reference {
        var reference = Reference(
            version: Int(registered.version), record: EvaluationRecord(registry: registered.metrics),
            answers: try models.answers(of: registered.version).flatMap { RecordedAnswers(decoding: $0) })
        do {
            reference.model = PromotedModel(
                bundle: try bundle(registered), version: Int(registered.version),
                newestEvent: JSONText.number("newest_event_ms", inObject: registered.watermark).flatMap { Int64(exactly: $0) })
        } catch {
            reference.problem = "\(error)"
        }
        return reference
    }
}

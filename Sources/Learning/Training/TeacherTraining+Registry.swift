import Console
import FeatureStore
import Interactions
import Recommending

extension TeacherTraining {
    /// A version of the registry; nil for 0, which names none.
    ///
    /// - Parameter bundle: reads the files of a version.
    /// - Throws: `CommandFailure` where there is no such version.
    package init?(version: Int, in models: any RegisteredModels, bundle: (RegisteredModel) throws -> ModelBundle) throws {
        guard version > 0 else { return nil }
        guard let registered = try models.model(Int32(clamping: version)) else {
            throw CommandFailure("there is no version \(version) to learn from (train.teacher); freshet models list shows all")
        }
        self.init(
            version: version, model: try bundle(registered).model,
            knowsHoldout: JSONText.string("train.final_fit", inObject: registered.configuration) != "false")
    }
}

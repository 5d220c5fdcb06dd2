import Console
import FeatureStore
import Foundation
import Learning
import ModelArtifacts

extension TeacherTraining {
    /// The version that the configuration names; nil where it names none.
    init?(_ configuration: Configuration, store: StoreQueries) throws {
        let version = configuration.integer(.trainTeacher)
        guard version > 0 else { return nil }
        guard let registered = try store.model(Int32(clamping: version)) else {
            throw CommandFailure("there is no version \(version) to learn from (train.teacher); freshet models list shows all")
        }
        let settings = try? JSONSerialization.jsonObject(with: Data(registered.configuration.utf8)) as? [String: String]
        self.init(
            version: version, model: try configuration.artifactStore.artifact(of: registered).bundle.model,
            knowsHoldout: settings?["train.final_fit"] != "false")
    }
}

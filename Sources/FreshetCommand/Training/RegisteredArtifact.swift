import FeatureStore
import Foundation
import ModelArtifacts
import TwoTower

extension ArtifactStore {
    /// The model of a registered version. The registry knows its folder by name: where the folders lie is each host's own setting.
    func model(of version: RegisteredModel) throws(ArtifactError) -> TwoTowerModel {
        try artifact(of: version).model
    }

    /// The same with all that is kept beside the model.
    func artifact(of version: RegisteredModel) throws(ArtifactError) -> ModelArtifact {
        try read(path: root + "/" + version.artifactName, expecting: version.artifactChecksum)
    }
}

extension RegisteredModel {
    /// The name of the artifact's folder under `artifacts.path`.
    var artifactName: String { URL(fileURLWithPath: artifactPath).lastPathComponent }
}

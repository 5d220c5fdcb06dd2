import FeatureStore
import Foundation
import ModelArtifacts
import TowerModel

extension ArtifactStore {
    /// The model of a registered version. The registry knows its folder by name: where the folders lie is each host's own setting.
    package func model(of version: RegisteredModel) throws(ArtifactError) -> TwoTowerModel {
        try artifact(of: version).model
    }

    /// The same with all that is kept beside the model.
    package func artifact(of version: RegisteredModel) throws(ArtifactError) -> ModelArtifact {
        try read(reference(of: version))
    }

    /// Where the files of a registered version should be, and what they must be.
    package func reference(of version: RegisteredModel) -> ArtifactReference {
        ArtifactReference(
            path: root + "/" + version.artifactName, checksum: version.artifactChecksum, sha256: version.artifactSHA256)
    }
}

extension RegisteredModel {
    /// The name of the artifact's folder under `artifacts.path`.
    package var artifactName: String { URL(fileURLWithPath: artifactPath).lastPathComponent }
}

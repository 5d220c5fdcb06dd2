import Console
import EventStream
import FeatureStore
import Foundation
import Interactions
import Learning
import ModelArtifacts
import Reports
import TowerModel

extension ArtifactStore {
    /// The model of a registered version. The registry knows its folder by name: where the folders lie is each host's own setting.
    func model(of version: RegisteredModel) throws(ArtifactError) -> TwoTowerModel {
        try artifact(of: version).model
    }

    /// The same with all that is kept beside the model.
    func artifact(of version: RegisteredModel) throws(ArtifactError) -> ModelArtifact {
        try read(reference(of: version))
    }

    /// Where the files of a registered version should be, and what they must be.
    func reference(of version: RegisteredModel) -> ArtifactReference {
        ArtifactReference(
            path: root + "/" + version.artifactName, checksum: version.artifactChecksum, sha256: version.artifactSHA256)
    }

    /// Where the page of a version lies: in its folder, beside the tensors.
    func reportPath(of version: RegisteredModel) -> String { root + "/" + version.artifactName + "/report.html" }

    /// A folder name that sorts by time: `20261121-080000-1a2b3c`.
    static func newName() -> String {
        let time = EventTime.now.rfc3339().prefix(19).filter { $0.isNumber || $0 == "T" }.replacing("T", with: "-")
        return time + "-" + String(UInt32.random(in: 0x10_0000...0xFF_FFFF), radix: 16)
    }
}

extension RegisteredModel {
    /// The name of the artifact's folder under `artifacts.path`.
    var artifactName: String { URL(fileURLWithPath: artifactPath).lastPathComponent }

    /// Writes the version's page; it appears whole or not at all.
    func writeReport(to path: String) throws {
        try LineWriter.write(VersionReport(self, defaults: Configuration.shownDefaults).page.html, to: path)
    }
}

import Console
import EventStream
import FeatureStore
import Interactions
import Learning
import ModelArtifacts
import Reports
import Serving

extension ArtifactStore {
    /// Where the page of a version lies: in its folder, beside the tensors.
    func reportPath(of version: RegisteredModel) -> String { root + "/" + version.artifactName + "/report.html" }

    /// A folder name that sorts by time: `20261121-080000-1a2b3c`.
    static func newName() -> String {
        let time = EventTime.now.rfc3339().prefix(19).filter { $0.isNumber || $0 == "T" }.replacing("T", with: "-")
        return time + "-" + String(UInt32.random(in: 0x10_0000...0xFF_FFFF), radix: 16)
    }
}

extension RegisteredModel {
    /// Writes the version's page; it appears whole or not at all.
    func writeReport(to path: String) throws {
        try LineWriter.write(VersionReport(self, defaults: Configuration.shownDefaults).page.html, to: path)
    }
}

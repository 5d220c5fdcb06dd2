import ModelArtifacts

extension Configuration {
    /// The models' files: `artifacts.path` and `artifacts.key`.
    var artifactStore: ArtifactStore {
        let key = text("artifacts.key")
        return ArtifactStore(root: text("artifacts.path"), key: key.isEmpty ? nil : Array(key.utf8))
    }
}

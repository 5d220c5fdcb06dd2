import ModelArtifacts

extension Configuration {
    /// The models' files: `artifacts.path` and `artifacts.key`.
    var artifactStore: ArtifactStore {
        let key = text(.artifactsKey)
        return ArtifactStore(root: text(.artifactsPath), key: key.isEmpty ? nil : Array(key.utf8))
    }
}

import Console
import FeatureStore
import Foundation
import ModelArtifacts

extension ArtifactStore {
    /// Looks at the files of a version before it is promoted.
    ///
    /// - Returns: a sentence where they cannot be looked at here, since there is no folder of models at all: servers have one of their
    ///   own then, and use the version once its files are there.
    /// - Throws: `CommandFailure` where the folder is here and the version's files are not in it, or not whole.
    package func checkPromotion(of version: RegisteredModel) throws(CommandFailure) -> String? {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root, isDirectory: &isFolder), isFolder.boolValue else {
            return "the files of version \(version.version) were not looked at: there is no folder \(root) here (artifacts.path)"
        }
        do {
            try verify(reference(of: version))
            return nil
        } catch {
            throw CommandFailure(
                "version \(version.version) is not promoted, since its files cannot be used: \(error) Copy the folder "
                    + "\(version.artifactName) to \(root), or promote with force: servers then go on with the former version until "
                    + "the files are there")
        }
    }
}

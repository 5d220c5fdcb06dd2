import ModelArtifacts
import Recommending

extension RankingHeads {
    /// The name under which heads lie beside their model.
    static let attachmentName = "heads"
}

extension ModelArtifact {
    /// The ranking heads, in the model's rows; nil in an artifact without them.
    ///
    /// - Throws: `ArtifactError` where the bytes are no heads of this program, or not this model's.
    func heads() throws(ArtifactError) -> RankingHeads? {
        guard let bytes = attachments[RankingHeads.attachmentName] else { return nil }
        let decoded = bytes.withUnsafeBytes { bytes in
            Result { () throws(BlendFormatError) in try RankingHeads(encoded: bytes) }
        }
        switch decoded {
        case .failure(let error): throw ArtifactError(.unusable, path: path, error.description)
        case .success(let heads):
            guard heads.tables.itemCount == model.itemIDs.count else {
                throw ArtifactError(
                    .unusable, path: path,
                    "its ranking heads are of \(heads.tables.itemCount) items and its model of \(model.itemIDs.count). Train again.")
            }
            return heads
        }
    }
}

import ContentModel
import ModelArtifacts
import Recommending

extension RankingBlend {
    /// The name under which a blend lies beside its model.
    static let attachmentName = "blend"
}

extension ModelArtifact {
    /// The note that holds ``ratingsFrom``.
    static let ratingsNoteName = "positive_ratings_from"

    /// Interactions rated below this were left out of training; 0 where all were learned.
    var ratingsFrom: Double { notes[Self.ratingsNoteName].flatMap(Double.init) ?? 0 }

    /// The ranking blend, in the model's rows; nil in an artifact without one.
    ///
    /// - Throws: `ArtifactError` where the bytes are no blend of this program, or not this model's.
    func blend() throws(ArtifactError) -> RankingBlend? {
        guard let bytes = attachments[RankingBlend.attachmentName] else { return nil }
        let decoded = bytes.withUnsafeBytes { bytes in
            Result { () throws(BlendFormatError) in try RankingBlend(encoded: bytes) }
        }
        switch decoded {
        case .failure(let error): throw ArtifactError(.unusable, path: path, error.description)
        case .success(let blend):
            guard blend.tables.itemCount == model.itemIDs.count else {
                throw ArtifactError(
                    .unusable, path: path,
                    "its ranking blend is of \(blend.tables.itemCount) items and its model of \(model.itemIDs.count). Train again.")
            }
            return blend
        }
    }

    /// The content channel; nil in an artifact without one.
    ///
    /// - Throws: `ArtifactError` where the bytes are no channel of this program.
    func contentChannel() throws(ArtifactError) -> ContentChannel? {
        guard let bytes = attachments[ContentChannel.attachmentName] else { return nil }
        let decoded = bytes.withUnsafeBytes { bytes in
            Result { () throws(ContentFormatError) in try ContentChannel(encoded: bytes) }
        }
        switch decoded {
        case .failure(let error): throw ArtifactError(.unusable, path: path, error.description)
        case .success(let channel): return channel
        }
    }
}

import ContentModel
import FeatureStore
import Learning
import MetaLearning
import ModelArtifacts
import Recommending

extension ModelArtifact {
    /// What the model adapts with; nil in an artifact without it.
    ///
    /// - Throws: `ArtifactError` where the bytes are none of this program, or not this model's.
    func categoryKit() throws(ArtifactError) -> CategoryKit? {
        guard let factors = attachments[ContentFactors.attachmentName], let starts = attachments[CategoryKit.attachmentName] else { return nil }
        let length = Int(starts.first ?? 0)
        guard starts.count > length else { throw ArtifactError(.unusable, path: path, "its starts of adaptations are cut short. Train again.") }
        do {
            let kit = CategoryKit(
                factors: try factors.withUnsafeBytes { (bytes) throws(ContentFormatError) in try ContentFactors(encoded: bytes) },
                starts: try CategoryStarts(encoded: Array(starts[(1 + length)...])),
                field: String(decoding: starts[1..<1 + length], as: UTF8.self))
            guard kit.factors.itemCount == model.itemIDs.count, kit.starts.meta[1].columns == kit.factors.rank else {
                throw ArtifactError(.unusable, path: path, "its adaptation is of another model. Train again.")
            }
            return kit
        } catch let error as ArtifactError {
            throw error
        } catch {
            throw ArtifactError(.unusable, path: path, "\(error)")
        }
    }
}

extension AdaptedCategory {
    /// What the database keeps of a category.
    init(_ stored: StoredAdapter) throws(CategoryFormatError) {
        self.init(name: stored.category, adapter: try CategoryAdapter(encoded: stored.payload), supportItemIDs: stored.supportItemIDs)
    }
}

import MetaLearning
import Recommending
import ContentModel
import TowerModel
import TowerTraining

/// What a model needs to adapt to new categories: vectors by content, and where adaptations start.
package struct CategoryKit: Sendable {
    /// The name of the file of starts beside the model.
    package static let attachmentName = "adaptation"

    /// History rows are the model's.
    package var factors: ContentFactors
    /// Where adaptations start.
    package var starts: CategoryStarts
    /// `categories`, or an attribute.
    package var field: String

    /// All of it.
    package init(factors: ContentFactors, starts: CategoryStarts, field: String) {
        self.factors = factors
        self.starts = starts
        self.field = field
    }

    /// Both files. The first byte of the starts' is the length of the field's name.
    package var attachments: [String: [UInt8]] {
        let name = Array(field.utf8.prefix(255))
        return [ContentFactors.attachmentName: factors.encoded(), Self.attachmentName: [UInt8(name.count)] + name + starts.encoded()]
    }
}

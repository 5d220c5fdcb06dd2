import FeatureStore
import MetaLearning
import Recommending

extension AdaptedCategory {
    /// What the database keeps of a category.
    package init(_ stored: StoredAdapter) throws(CategoryFormatError) {
        self.init(name: stored.category, adapter: try CategoryAdapter(encoded: stored.payload), supportItemIDs: stored.supportItemIDs)
    }
}

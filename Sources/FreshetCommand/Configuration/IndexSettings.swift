import Recommending
import VectorIndex

/// How serving indexes the item vectors: the section `index` of the configuration.
struct IndexSettings: Sendable {
    var kind = IndexKind.automatic
    var goal = IndexGoal()
    var threads = 2
    var policy = RebuildPolicy()
    /// Whether vectors and index of a large catalogue are kept as files beside the model.
    var keepsFiles = true
}

extension Configuration {
    /// The section `index`.
    var indexSettings: IndexSettings {
        let kind: IndexKind =
            switch text(.indexKind) {
            case "flat": .flat
            case "hnsw": .graph(nil)
            case "lists": .lists(nil)
            default: .automatic
            }
        return IndexSettings(
            kind: kind, goal: IndexGoal(recall: number(.indexRecall)), threads: integer(.indexThreads),
            policy: RebuildPolicy(
                maxFreshItems: integer(.indexMaxFreshItems), maxRemovedShare: number(.indexMaxRemovedPercent) / 100),
            // The files beside a model are not signed.
            keepsFiles: boolean(.indexKeepFiles) && text(.artifactsKey).isEmpty)
    }
}

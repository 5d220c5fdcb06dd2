import Recommending
import Serving
import VectorIndex

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

import Recommending
import Serving
import VectorIndex

extension Configuration {
    /// The section `index`.
    var indexSettings: IndexSettings {
        let kind: IndexKind =
            switch text("index.kind") {
            case "flat": .flat
            case "hnsw": .graph(nil)
            case "lists": .lists(nil)
            default: .automatic
            }
        return IndexSettings(
            kind: kind, goal: IndexGoal(recall: number("index.recall")), threads: integer("index.threads"),
            policy: RebuildPolicy(
                maxFreshItems: integer("index.max_fresh_items"), maxRemovedShare: number("index.max_removed_percent") / 100),
            // The files beside a model are not signed.
            keepsFiles: boolean("index.keep_files") && text("artifacts.key").isEmpty)
    }
}

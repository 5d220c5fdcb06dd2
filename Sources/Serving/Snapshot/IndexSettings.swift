import Recommending
import VectorIndex

/// How serving indexes the item vectors: the section `index` of the configuration.
package struct IndexSettings: Sendable {
    /// The kind of index.
    package var kind: IndexKind
    /// What it is set to.
    package var goal: IndexGoal
    /// Threads that encode items and build indexes.
    package var threads: Int
    /// When it is built anew.
    package var policy: RebuildPolicy
    /// Whether vectors and index of a large catalogue are kept as files beside the model.
    package var keepsFiles: Bool

    /// All of it.
    package init(
        kind: IndexKind = .automatic, goal: IndexGoal = IndexGoal(), threads: Int = 2, policy: RebuildPolicy = RebuildPolicy(),
        keepsFiles: Bool = true
    ) {
        self.kind = kind
        self.goal = goal
        self.threads = threads
        self.policy = policy
        self.keepsFiles = keepsFiles
    }
}

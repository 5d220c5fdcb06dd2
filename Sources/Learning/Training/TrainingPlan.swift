import Evaluation
import TowerModel
import TrainingFiles

/// What a training goes by. The root fills it in one place.
package struct TrainingPlan {
    /// What is looked at before anything is learned.
    package struct DataRules {
        /// What the data may look like.
        package var gate: DataGate
        /// What one user may do before looking like a machine.
        package var bounds: UserBounds
        /// Whether machines are left out, and data that look broken end the training.
        package var isEnforced: Bool
        /// Where the page of data goes that are refused.
        package var pagePath: String

        /// All of it.
        package init(gate: DataGate, bounds: UserBounds, isEnforced: Bool, pagePath: String) {
            self.gate = gate
            self.bounds = bounds
            self.isEnforced = isEnforced
            self.pagePath = pagePath
        }
    }

    /// What turns texts into vectors.
    package struct Texts {
        /// Which encoder it is.
        package var checksum: String
        /// Gives items without an embedding that of their text.
        package var describe: (inout TrainingLog) -> Void

        /// An encoder.
        package init(checksum: String, describe: @escaping (inout TrainingLog) -> Void) {
            self.checksum = checksum
            self.describe = describe
        }
    }

    /// How parts are learned and judged, and what a candidate must reach.
    package var learning: LearningSettings
    /// How the towers learn.
    package var towers: TowerConfiguration
    /// All settings that the run depends on, by key: what the registry records, and what a run must have that goes on.
    package var settings: [String: String]
    /// How an incremental training learns; nil for a full one.
    package var increment: IncrementTraining.Rules?
    /// Nil where nobody looks at the data.
    package var data: DataRules?
    /// With fewer interactions nothing is learned.
    package var leastInteractions = 1
    /// Days of whose models the best is held against a candidate, too.
    package var anchorDays = 0
    /// Versions whose files stay, the newest; what serves and what may serve again stays beside them.
    package var keptVersions = 1
    /// Interactions rated below it are left out; nil where all are learned.
    package var ratingsFrom: Double?
    /// Nil where models learn nothing of texts.
    package var texts: Texts?
    /// Chooses by what the data look like; nil where all was set.
    package var automatic: AutoPlan?

    /// A full training of these settings.
    package init(learning: LearningSettings, towers: TowerConfiguration, settings: [String: String]) {
        self.learning = learning
        self.towers = towers
        self.settings = settings
    }
}

import Recommending

/// A registered version that a candidate is compared with, or that is asked.
package struct PromotedModel {
    /// The model with its parts.
    package var bundle: ModelBundle
    /// Its number in the registry.
    package var version: Int
    /// In milliseconds since 1970: what it may have learned from ends here; nil where the registry does not say.
    package var newestEvent: Int64?

    /// All of it.
    package init(bundle: ModelBundle, version: Int, newestEvent: Int64? = nil) {
        self.bundle = bundle
        self.version = version
        self.newestEvent = newestEvent
    }

    /// What the model answers, as it serves; what was popular is that of the candidate's log.
    package func score(_ scoring: HoldoutScoring, settings: LearningSettings) -> HoldoutScoring.Outcome {
        scoring.score([bundle], settings: settings)
    }
}

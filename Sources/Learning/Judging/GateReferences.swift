import Evaluation

/// The models of the registry that a candidate is held against.
package struct GateReferences {
    /// One of them.
    package struct Reference {
        /// Its number in the registry.
        package var version: Int
        /// The model itself; nil where its files cannot be used.
        package var model: PromotedModel?
        /// Why ``model`` is nil.
        package var problem: String?
        /// Its evaluation as the registry keeps it. Figures of other splits say nothing of each other.
        package var record: EvaluationRecord
        /// What it scored on each question of its own evaluation; nil where nothing was kept.
        package var answers: RecordedAnswers?

        /// All of it.
        package init(
            version: Int, model: PromotedModel? = nil, problem: String? = nil, record: EvaluationRecord, answers: RecordedAnswers? = nil
        ) {
            self.version = version
            self.model = model
            self.problem = problem
            self.record = record
            self.answers = answers
        }
    }

    /// The version in force; nil before the first.
    package var promoted: Reference?
    /// The one that did best of those that served in the last weeks, beside the one in force; nil where there is none.
    package var anchor: Reference?

    /// All of it.
    package init(promoted: Reference? = nil, anchor: Reference? = nil) {
        self.promoted = promoted
        self.anchor = anchor
    }

    /// No model is in force.
    package static let none = GateReferences()
}

import FeatureStore

extension RegisteredModel {
    /// The registry's words for a promotion by hand.
    package static func reason(_ what: String, force: Bool, given: String?) -> String {
        what + (force ? " with force" : "") + (given.map { ": \($0)" } ?? "")
    }

    /// Why it stands where it stands; with the gate's refusal, where somebody promoted it all the same.
    package var reasonInWords: String {
        guard let refusal, refusal != reason else { return reason ?? "" }
        return (reason.map { "\($0). " } ?? "") + "The gate had refused it: \(refusal)"
    }
}

extension ModelRefusals {
    /// A sentence where the newest trainings brought nothing; nil where the newest one was promoted.
    package var warning: String? {
        guard let newest else { return nil }
        let which = inARow == 1 ? "the newest training was" : "the \(inARow) newest trainings were"
        return "\(which) refused by the gate, and what served before goes on; of version \(newest.version): \(newest.reason)"
    }
}

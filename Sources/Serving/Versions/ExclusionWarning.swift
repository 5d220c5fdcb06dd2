import Evaluation
import FeatureStore
import Interactions
import Recommending
import Reports

extension RegisteredModel {
    /// What a set `rules.exclude` keeps out of answers though people take it again, in a sentence; nil where that is little, or where the
    /// training decided it.
    ///
    /// - Parameter rule: what is set where it is asked; nil for auto, where the training's own rule counts.
    package func exclusionWarning(under rule: ExclusionRule?) -> String? {
        guard let record = EvaluationRecord(registry: metrics).exclusion else { return nil }
        if let rule, rule.everywhere.map(\.name) != record.types || record.setting == "auto" {
            // What this rule costs was not measured; how much is taken again was.
            let shares = [
                (name: "clicked", share: record.clickedAgain, isKeptOut: rule.everywhere.contains(.click)),
                (name: "bought", share: record.boughtAgain, isKeptOut: rule.everywhere.contains(.purchase)),
            ].filter { $0.isKeptOut && ($0.share ?? 0) >= ExclusionRecord.tellsFrom }
            guard let most = shares.max(by: { ($0.share ?? 0) < ($1.share ?? 0) }) else { return nil }
            let percent = ExclusionRecord.percent(most.share ?? 0)
            return "rules.exclude keeps out what was \(most.name), and \(percent) of what users \(most.name) of late "
                + "they had \(most.name) before. rules.exclude: auto decides by the data."
        }
        return record.warning
    }
}

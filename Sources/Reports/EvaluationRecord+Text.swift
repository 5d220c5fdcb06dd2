import Bytes
import Evaluation
import Foundation

extension EvaluationRecord {
    /// Reads what the registry keeps of a version, of an older program too.
    ///
    /// - Parameter json: an object; of what is none nothing is known.
    public init(registry json: String) {
        self = (try? JSONDecoder().decode(EvaluationRecord.self, from: Data(json.utf8))) ?? EvaluationRecord()
    }

    /// The record as the registry keeps it: one JSON object.
    public var json: String { (try? JSONTextEncoder.text(self)) ?? "{}" }
}

extension MetricsRecord {
    /// The record as the registry and `--json` have it: one JSON object.
    public var json: String { (try? JSONTextEncoder.text(self)) ?? "{}" }

    /// What people compare first, by the names that reports use.
    private static let shown = ["NDCG@10", "Recall@10", "Recall@100", "Hit@10", "MRR@100", "Coverage@10", "Gini@10"]

    /// The main metrics, by their names in lower case.
    public var main: [String: Double] {
        var numbers: [String: Double] = [:]
        for name in Self.shown { numbers[name.lowercased()] = self[name] }
        return numbers
    }
}

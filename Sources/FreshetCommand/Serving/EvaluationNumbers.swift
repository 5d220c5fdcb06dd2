import Foundation

/// Reads the numbers back that a training wrote into the registry.
enum EvaluationNumbers {
    /// What people compare first, by the names that the reports use.
    private static let shown = ["NDCG@10", "Recall@10", "Recall@100", "Hit@10", "MRR@100", "Coverage@10", "Gini@10"]

    /// The main metrics of one rival (`model`, `popularity`, …); empty where there are none.
    static func of(_ rival: String, in metrics: String) -> [String: Double] {
        guard let report = report(of: rival, in: metrics) else { return [:] }
        var numbers: [String: Double] = [:]
        for name in shown {
            if let number = report[name] as? NSNumber { numbers[name.lowercased()] = number.doubleValue }
        }
        return numbers
    }

    /// A metric of a model as its own evaluation put it there, with its standard error; nil where the registry has no such number.
    static func recorded(_ name: String, in metrics: String) -> (mean: Double, standardError: Double)? {
        guard let report = report(of: "model", in: metrics), let mean = report[name] as? NSNumber else { return nil }
        return (mean.doubleValue, (report[name + "_se"] as? NSNumber)?.doubleValue ?? 0)
    }

    private static func report(of rival: String, in metrics: String) -> [String: Any]? {
        let object = try? JSONSerialization.jsonObject(with: Data(metrics.utf8)) as? [String: Any]
        return object?[rival] as? [String: Any]
    }
}

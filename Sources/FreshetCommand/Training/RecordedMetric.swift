import Foundation

/// A metric of a model as its own evaluation put it into the registry.
struct RecordedMetric {
    var mean: Double
    var standardError: Double

    /// Nil where the registry has no such number.
    init?(of name: String, in metrics: String) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(metrics.utf8)) as? [String: Any],
            let report = object["model"] as? [String: Any], let mean = report[name] as? NSNumber
        else { return nil }
        self.mean = mean.doubleValue
        standardError = (report[name + "_se"] as? NSNumber)?.doubleValue ?? 0
    }
}

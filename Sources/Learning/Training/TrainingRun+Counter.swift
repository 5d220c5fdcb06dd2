import Evaluation
import Recommending
import Reports
import TrainingFiles

/// A counter that became a version beside the model of its training.
package struct CounterOutcome: Sendable {
    /// Which counter it is, and what it gives.
    package var counter: CounterRecord
    /// Its own number in the registry.
    package var version: Int
    /// Whether it was promoted.
    package var promoted: Bool
    /// What was decided of it, a sentence each.
    package var reasons: [String]
}

extension TrainingRun {
    /// Registers the counter that a run found, and promotes it where it is to serve; nil where there is none.
    ///
    /// - Parameters:
    ///   - data: the model's record, with what was noted of the data and of the run.
    ///   - settings: of the run, as the registry keeps them.
    func registeredCounter(
        _ bundle: ModelBundle?, of state: TrainingFolder.State, data: EvaluationRecord, settings: String, _ watermark: String
    ) throws -> CounterOutcome? {
        guard let bundle, let found = state.counter, let counter = found.record.counter else { return nil }
        var record = found.record
        (record.data, record.dataProfile, record.choice) = (data.data, data.dataProfile, data.choice)
        (record.curves, record.timings, record.adaptation) = (data.curves, data.timings, data.adaptation)
        var reasons = found.reasons, serves = found.passes
        let words = reasons.joined(separator: " ")
        let version = try store.register(
            bundle,
            RegistryEntry(
                configuration: settings, metrics: record.json, watermark: watermark, answers: found.answers,
                refused: found.passes ? nil : words))
        if serves, let late = try promote(version, reason: words, judged: state.judgedAgainst) {
            serves = false
            reasons.insert(late, at: 0)
        }
        report(version)
        logger.notice(
            serves ? "a counter serves" : "a counter was registered",
            metadata: ["version": "\(version)", "counter": "\(counter.name)", "why": "\(reasons.joined(separator: " "))"])
        return CounterOutcome(counter: counter, version: Int(version), promoted: serves, reasons: reasons)
    }

    /// Keeps the page of a version; without it the version is as good.
    func report(_ version: Int32) {
        do {
            if let registered = try store.models.model(version) { try store.writeReport(of: registered) }
        } catch {
            logger.warning("the report of version \(version) could not be written: \(error)")
        }
    }
}

import Evaluation
import FeatureStore
import Foundation
import Interactions
import Reports
import TrainingFiles

extension EvaluationRecord {
    /// An evaluation with what else the registry keeps of a run: the data, the epochs, the steps.
    package func with(
        _ log: TrainingLog, journal: TrainingJournal, inspection: DataInspection?, amounts: AmountNotes? = nil
    ) -> EvaluationRecord {
        var record = self
        let times = log.userIDs.indices.lazy.map { log.rows(of: $0) }.filter { !$0.isEmpty }
        var data = [
            DataNote("interactions", .integer(log.count)), DataNote("users", .integer(log.userIDs.count)),
            DataNote("items", .integer(log.itemIDs.count)), DataNote("hidden items", .integer(log.isHidden.count { $0 })),
        ]
        if let first = times.map({ log.times[$0.lowerBound] }).min(), let last = times.map({ log.times[$0.upperBound - 1] }).max() {
            data.append(DataNote("first interaction", .text(EventTime(milliseconds: first).rfc3339())))
            data.append(DataNote("last interaction", .text(EventTime(milliseconds: last).rfc3339())))
        }
        record.data = data + (amounts?.lines ?? []) + (inspection?.lines ?? [])
        record.dataProfile = inspection?.record
        (record.curves, record.timings) = journal.record
        return record
    }
}

/// The report of a registered version: the registry has everything that it shows.
package struct VersionReport {
    private let model: RegisteredModel
    private let defaults: [String: String]

    /// The report of a version.
    ///
    /// - Parameter defaults: what the settings are when nobody sets them, by key.
    package init(_ model: RegisteredModel, defaults: [String: String]) {
        self.model = model
        self.defaults = defaults
    }

    /// The evaluation, with what was decided of the version since.
    package var record: EvaluationRecord {
        var record = EvaluationRecord(registry: model.metrics)
        var gate = record.gate ?? GateRecord(reasons: [])
        var reasons = gate.reasons ?? []
        if reasons.isEmpty, let reason = model.reason { reasons = [reason] }
        // The registry knows more than the evaluation: what was promoted meanwhile, and who promoted it all the same.
        if let refusal = model.refusal {
            gate.passes = false
            if model.status != .refused { reasons.insert("Promoted all the same: \(model.reason ?? "no reason was kept").", at: 0) }
            if !reasons.contains(where: { refusal.contains($0) }) { reasons.append(refusal) }
        }
        gate.reasons = reasons
        record.gate = gate
        return record
    }

    /// The page.
    package var page: ReportPage {
        var subtitle = "Registered \(model.createdAt.rfc3339())"
        if let newest = JSONText.string("newest_event_time", inObject: model.watermark) {
            subtitle += ", from interactions up to \(newest)"
        }
        let record = record
        if let counter = record.counter { subtitle += ", a counter: \(counter.name)" }
        return ReportPage(
            ReportPage.Subject(
                title: "Model version \(model.version)", subtitle: subtitle, status: model.status.rawValue, settings: settings,
                defaults: defaults), of: record)
    }

    /// The settings of its run, keys in order.
    package var settings: [(key: String, value: String)] {
        let object = (try? JSONSerialization.jsonObject(with: Data(model.configuration.utf8))) as? [String: Any] ?? [:]
        return object.map { (key: $0.key, value: $0.value as? String ?? "\($0.value)") }.sorted { $0.key < $1.key }
    }
}

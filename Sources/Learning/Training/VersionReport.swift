import Console
import Evaluation
import FeatureStore
import EventStream
import FeatureStore
import Foundation
import Interactions
import Learning
import Reports
import TowerModel
import TrainingFiles

/// The report of a registered version: the registry has everything that it shows.
enum TrainingReport {
    /// In the version's folder, beside the tensors.
    static let fileName = "report.html"

    /// An evaluation with what else the registry keeps of a run: the data, the epochs, the steps.
    static func record(
        _ evaluation: EvaluationRecord, of log: TrainingLog, journal: TrainingJournal, inspection: DataInspection?, amounts: AmountNotes? = nil
    ) -> EvaluationRecord {
        var record = evaluation
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

    /// The page of a version.
    static func page(_ model: RegisteredModel) -> ReportPage {
        var subtitle = "Registered \(model.createdAt.rfc3339())"
        if let newest = JSONText.string("newest_event_time", inObject: model.watermark) { subtitle += ", from interactions up to \(newest)" }
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
        return ReportPage(
            ReportPage.Subject(
                title: "Model version \(model.version)", subtitle: subtitle, status: model.status.rawValue,
                settings: settings(model.configuration), defaults: defaults), of: record)
    }

    /// Writes the page; it appears whole or not at all.
    static func write(_ model: RegisteredModel, to path: String) throws {
        try write(page(model), to: path)
    }

    static func write(_ page: ReportPage, to path: String) throws {
        try LineWriter.write(page.html, to: path)
    }

    private static func settings(_ configuration: String) -> [(key: String, value: String)] {
        let object = (try? JSONSerialization.jsonObject(with: Data(configuration.utf8))) as? [String: Any] ?? [:]
        return object.map { (key: $0.key, value: $0.value as? String ?? "\($0.value)") }.sorted { $0.key < $1.key }
    }

    /// The trainer's settings and those of the program, as they are when nobody sets them.
    private static var defaults: [String: String] {
        var defaults = Dictionary(uniqueKeysWithValues: TowerConfiguration().settings.map { ($0.key, $0.value) })
        for key in ConfigurationKey.all 
        where ["train.", "rules.", "ranking."].contains(where: key.name.hasPrefix) { defaults[key.name] = key.fallback }
        return defaults
    }
}

import Console
import EventStream
import FeatureStore
import Foundation
import Interactions
import TowerModel
import TrainingFiles

/// The report of a registered version: the registry has everything that it shows.
enum TrainingReport {
    /// In the version's folder, beside the tensors.
    static let fileName = "report.html"

    /// An evaluation with what else the registry keeps of a run: the data, the epochs, the steps.
    static func metrics(_ evaluation: String, of log: TrainingLog, journal: TrainingJournal, inspection: DataInspection?, amounts: AmountNotes? = nil) -> String {
        let times = log.userIDs.indices.lazy.map { log.rows(of: $0) }.filter { !$0.isEmpty }
        var data: [(name: String, value: ResultLine.Value)] = [
            ("interactions", .integer(log.count)), ("users", .integer(log.userIDs.count)), ("items", .integer(log.itemIDs.count)),
            ("hidden items", .integer(log.isHidden.count { $0 })),
        ]
        if let first = times.map({ log.times[$0.lowerBound] }).min(), let last = times.map({ log.times[$0.upperBound - 1] }).max() {
            data.append(("first interaction", .text(EventTime(milliseconds: first).rfc3339())))
            data.append(("last interaction", .text(EventTime(milliseconds: last).rfc3339())))
        }
        data += amounts?.lines ?? []
        data += inspection?.lines ?? []
        let lines = data.map { ResultLine(["name": .text($0.name), "value": $0.value]).json }
        var description = ResultLine(["data": .json("[\(lines.joined(separator: ","))]")])
        if let inspection { description.add(DataInspection.recordKey, .json(inspection.recordJSON)) }
        let described = description.json(after: evaluation)
        return journal.fields.json(after: described)
    }

    /// The page of a version.
    static func page(_ model: RegisteredModel) -> ReportPage {
        var subtitle = "Registered \(model.createdAt.rfc3339())"
        if let newest = JSONText.string("newest_event_time", inObject: model.watermark) { subtitle += ", from interactions up to \(newest)" }
        var values = ReportValues(metrics: model.metrics)
        if values.reasons.isEmpty, let reason = model.reason { values.reasons = [reason] }
        // The registry knows more than the evaluation: what was promoted meanwhile, and who promoted it all the same.
        if let refusal = model.refusal {
            values.passes = false
            if model.status != .refused { values.reasons.insert("Promoted all the same: \(model.reason ?? "no reason was kept").", at: 0) }
            if !values.reasons.contains(where: { refusal.contains($0) }) { values.reasons.append(refusal) }
        }
        return ReportPage(
            subject: ReportPage.Subject(
                title: "Model version \(model.version)", subtitle: subtitle, status: model.status.rawValue,
                settings: settings(model.configuration), defaults: defaults), values: values)
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

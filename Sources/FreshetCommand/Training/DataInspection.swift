import Console
import ContentModel
import Evaluation
import Foundation
import Interactions
import TowerTraining
import TrainingFiles

/// Looks at a training log before anything is learned from it: who looks like a machine, and whether the data look broken.
struct DataInspection {
    /// What the registry keeps of a training's data, to compare the next one's with.
    struct Record: Codable {
        var all: DataProfile
        /// Interactions since the training before; nil where there was none.
        var recent: DataProfile?
    }

    /// The key of a record in a version's metrics.
    static let recordKey = "data_profile"

    /// Rows of users that are left out, with the reason.
    let suspicious: [Int: UserBounds.Suspicion]
    let suspiciousEvents: Int
    let record: Record
    let checks: [DataGate.Check]

    /// Reads every interaction.
    ///
    /// - Parameter former: the newest record of a former training.
    init(_ log: TrainingLog, gate: DataGate, bounds: UserBounds, former: Record?) {
        var suspicious: [Int: UserBounds.Suspicion] = [:], left = 0
        for user in log.userIDs.indices {
            let rows = log.rows(of: user)
            guard let found = bounds.suspicion(times: log.times[rows], items: log.items[rows]) else { continue }
            suspicious[user] = found
            left += rows.count
        }
        self.suspicious = suspicious
        suspiciousEvents = left
        let borders = former.map { former in log.userIDs.indices.map { log.firstRow(of: $0, after: former.all.newest) } }
        let items = zip(log.itemIDs, log.contents).map { id, content in
            DataProfile.Item(group: FileChecksum.group(of: id, of: DataProfile.groupCount), hasContent: content != ItemContent())
        }
        func profile(from borders: [Int]?) -> DataProfile {
            Self.profile(log, items) { suspicious[$0] == nil ? (borders?[$0] ?? log.userStarts[$0])..<log.userStarts[$0 + 1] : 0..<0 }
        }
        let recent = borders.map { profile(from: $0) }
        record = Record(all: profile(from: nil), recent: recent)
        checks = gate.checks(all: record.all, suspicious: left, recent: recent, former: former.map { $0.recent ?? $0.all })
    }

    /// Sentences of the checks that failed.
    var reasons: [String] { checks.filter { !$0.passes }.map(\.reason) }

    /// Lines for a report: what was left out, and each check.
    var lines: [(name: String, value: ResultLine.Value)] {
        var lines: [(name: String, value: ResultLine.Value)] = [("suspicious users left out", .integer(suspicious.count)), ("their interactions", .integer(suspiciousEvents))]
        for kind in UserBounds.Suspicion.allCases {
            let count = suspicious.values.count { $0 == kind }
            if count > 0 { lines.append(("users with \(kind.rawValue)", .integer(count))) }
        }
        return lines + checks.map { ($0.name, .number($0.value)) }
    }

    /// The record as the registry keeps it.
    var recordJSON: String { (try? JSONEncoder().encode(record)).map { String(decoding: $0, as: UTF8.self) } ?? "{}" }

    /// The page of data that were refused.
    var page: ReportPage {
        let data = lines.map { ResultLine(["name": .text($0.name), "value": $0.value]).json }.joined(separator: ",")
        let reasons = self.reasons.map { JSONText.quoted($0) }.joined(separator: ",")
        let values = ResultLine([
            "data": .json("[\(data)]"), "gate": .json(ResultLine(["passes": .boolean(reasons.isEmpty), "reasons": .json("[\(reasons)]")]).json),
        ])
        return ReportPage(
            subject: ReportPage.Subject(
                title: "Data before training", subtitle: "\(record.all.events) interactions of \(record.all.users) users with \(record.all.items) items",
                status: reasons.isEmpty ? nil : "refused"), values: ReportValues(metrics: values.json))
    }

    /// A record that a version's metrics hold.
    static func record(inMetrics metrics: String) -> Record? {
        guard let object = try? JSONSerialization.jsonObject(with: Data(metrics.utf8)) as? [String: Any], let own = object[recordKey],
            let data = try? JSONSerialization.data(withJSONObject: own)
        else { return nil }
        return try? JSONDecoder().decode(Record.self, from: data)
    }

    private static func profile(_ log: TrainingLog, _ items: [DataProfile.Item], rows: (Int) -> Range<Int>) -> DataProfile {
        var counter = DataProfile.Counter(items: items)
        for user in log.userIDs.indices {
            let own = rows(user)
            counter.add(
                attributeGroups: log.attributes[user].map { FileChecksum.group(of: $0, of: DataProfile.groupCount) }, items: log.items[own],
                types: log.types[own], times: log.times[own])
        }
        return counter.profile
    }
}

extension Configuration {
    /// What the data gate lets pass.
    var dataGate: DataGate {
        DataGate(
            maxStabilityIndex: number("train.data_max_stability_index"), maxGap: number("train.data_max_gap"),
            maxNullRise: number("train.data_max_null_rise"), maxRepeatedShare: number("train.data_max_repeated_share"),
            maxItemShare: number("train.data_max_item_share"), maxSuspiciousShare: number("train.data_max_suspicious_share"),
            minimumUsers: integer("train.data_minimum_users"))
    }

    /// What one user may do before being left out.
    var userBounds: UserBounds {
        UserBounds(
            maxEventsPerMinute: integer("train.data_max_events_per_minute"), maxEventsPerDay: integer("train.data_max_events_per_day"),
            maxItemEventsPerDay: integer("train.data_max_item_events_per_day"))
    }
}

extension FileChecksum {
    /// A group from 0 that a text always falls into.
    static func group(of text: String, of count: Int) -> Int {
        var text = text
        return text.withUTF8 { Int(of(UnsafeRawBufferPointer($0)) % UInt64(count)) }
    }
}

extension TrainingLog {
    /// The log without the interactions of some users, who keep their rows. The columns are written to a file at `path` that is mapped
    /// and loses its name at once.
    func leavingOut(_ users: Set<Int>, columnsAt path: String) throws -> TrainingLog {
        guard !users.isEmpty else { return self }
        var starts = [0]
        for user in userIDs.indices { starts.append(starts[user] + (users.contains(user) ? 0 : rows(of: user).count)) }
        let file = try ColumnFile(creating: path)
        file.unlinkPath()
        var writer = EventColumnsWriter(file, at: 0, count: starts[userIDs.count])
        var paid = SectionWriter<Int64>(file, at: EventColumnsWriter.end(at: 0, count: starts[userIDs.count]))
        for user in userIDs.indices where !users.contains(user) {
            for row in rows(of: user) {
                try writer.append(item: items[row], type: types[row], time: times[row])
                try paid.append(amounts[row])
            }
        }
        let sections = try writer.finish(), amountsSection = try paid.finish(), mapping = try file.map()
        var log = self
        log.items = Column(sections.items.column(of: mapping.bytes), keptBy: mapping)
        log.types = Column(sections.types.column(of: mapping.bytes), keptBy: mapping)
        log.times = Column(sections.times.column(of: mapping.bytes), keptBy: mapping)
        log.amounts = Column(amountsSection.column(of: mapping.bytes), keptBy: mapping)
        log.impressions = impressions.renumbered(
            users: userIDs.indices.map { users.contains($0) ? -1 : Int32($0) }, items: itemIDs.indices.map { Int32($0) })
        log.newRows = newRows.compactMap { row in
            let user = self.user(of: row)
            return users.contains(user) ? nil : row - userStarts[user] + starts[user]
        }
        log.userStarts = starts
        return log
    }
}

import ContentModel
import Evaluation
import Interactions
import TowerTraining
import TrainingFiles

/// Looks at a training log before anything is learned from it: who looks like a machine, and whether the data look broken.
package struct DataInspection {
    /// Rows of users that are left out, with the reason.
    package let suspicious: [Int: UserBounds.Suspicion]
    /// Interactions of these users.
    package let suspiciousEvents: Int
    /// What the registry keeps of the data, to compare the next with.
    package let record: DataRecord
    /// What the gate measured, each with its bound.
    package let checks: [DataGate.Check]

    /// Reads every interaction.
    ///
    /// - Parameter former: the newest record of a former training.
    package init(_ log: TrainingLog, gate: DataGate, bounds: UserBounds, former: DataRecord?) {
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
        record = DataRecord(all: profile(from: nil), recent: recent)
        checks = gate.checks(all: record.all, suspicious: left, recent: recent, former: former.map { $0.recent ?? $0.all })
    }

    /// Sentences of the checks that failed.
    package var reasons: [String] { checks.filter { !$0.passes }.map(\.reason) }

    /// Lines for a report: what was left out, and each check.
    package var lines: [DataNote] {
        var lines = [
            DataNote("suspicious users left out", .integer(suspicious.count)), DataNote("their interactions", .integer(suspiciousEvents)),
        ]
        for kind in UserBounds.Suspicion.allCases {
            let count = suspicious.values.count { $0 == kind }
            if count > 0 { lines.append(DataNote("users with \(kind.rawValue)", .integer(count))) }
        }
        return lines + checks.map { DataNote($0.name, .number($0.value)) }
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

extension FileChecksum {
    /// A group from 0 that a text always falls into.
    package static func group(of text: String, of count: Int) -> Int {
        var text = text
        return text.withUTF8 { Int(of(UnsafeRawBufferPointer($0)) % UInt64(count)) }
    }
}

extension TrainingLog {
    /// The log without the interactions of some users, who keep their rows. The columns are written to a file at `path` that is mapped
    /// and loses its name at once.
    package func leavingOut(_ users: Set<Int>, columnsAt path: String) throws -> TrainingLog {
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

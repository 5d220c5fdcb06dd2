import Console
import Intake
import Interactions

/// Prints what `freshet ingest --try` understands: a line a record, and one a topic.
struct TrialPrint {
    let asJSON: Bool

    /// Reads the newest records of each topic and prints them.
    func run(_ configuration: Configuration, records: Int) throws {
        let stop = StopSignal.onSignals()
        let topics = try IngestTrial(settings: try configuration.streamSettings(databaseURL: ""), isStopping: { stop.isRaised })
            .run(records: records)
        for topic in topics {
            if !asJSON { StandardOutput.line(heading(topic)) }
            for record in topic.records {
                if asJSON { StandardOutput.line(json(record, topic).json) } else { lines(record).forEach(StandardOutput.line) }
            }
            summary(topic)
        }
    }

    private func heading(_ topic: IngestTrial.Topic) -> String {
        let shape = topic.isMapped ? "mapped by ingest.topics" : "Freshet's own records"
        return "\(topic.name) (\(topic.kind.rawValue), \(shape)): the newest \(topic.records.count) of \(topic.recordsHeld) records"
    }

    private func lines(_ record: IngestTrial.Record) -> [String] {
        let time = record.origin.recordTime.map { " \($0.rfc3339())" } ?? ""
        var lines = ["  partition \(record.origin.position.partition) offset \(record.origin.position.offset)\(time)"]
        lines += record.understood.map { "    \($0)" }
        if let id = record.deletes { lines.append("    deletes \(JSONText.quoted(id))") }
        if record.leftOut > 0 { lines.append("    left out: \(record.leftOut)\(record.leftOutReason.map { ", \($0)" } ?? "")") }
        if let waits = record.waits { lines.append("    waits for \(waits)") }
        if let rejection = record.rejection {
            lines.append("    refused: \(rejection.code.rawValue)\(rejection.field.map { ", \($0)" } ?? ""): \(rejection.detail)")
        }
        return lines
    }

    private func json(_ record: IngestTrial.Record, _ topic: IngestTrial.Topic) -> ResultLine {
        func text(_ text: String?) -> ResultLine.Value { text.map { .text($0) } ?? .null }
        return ResultLine([
            "topic": .text(topic.name), "kind": .text(topic.kind.rawValue), "mapped": .boolean(topic.isMapped),
            "partition": .integer(Int(record.origin.position.partition)), "offset": .integer(Int(record.origin.position.offset)),
            "time": text(record.origin.recordTime?.rfc3339()), "records": .json("[\(record.understood.joined(separator: ","))]"),
            "deletes": text(record.deletes), "left_out": .integer(record.leftOut),
            "left_out_reason": text(record.leftOutReason), "code": text(record.rejection?.code.rawValue),
            "field": text(record.rejection?.field), "detail": text(record.rejection?.detail), "waits": text(record.waits),
        ])
    }

    private func summary(_ topic: IngestTrial.Topic) {
        ResultLine([
            "topic": .text(topic.name), "kind": .text(topic.kind.rawValue), "mapped": .boolean(topic.isMapped),
            "read": .integer(topic.records.count), "understood": .integer(topic.records.map(\.understood.count).reduce(0, +)),
            "deletions": .integer(topic.records.count { $0.deletes != nil }),
            "left_out": .integer(topic.records.map(\.leftOut).reduce(0, +)),
            "refused": .integer(topic.records.count { $0.rejection != nil }),
            "waiting": .integer(topic.records.count { $0.waits != nil }), "problem": topic.problem.map { .text($0) } ?? .null,
        ]).print(asJSON: asJSON)
    }
}

import Bytes
import Console
import ForeignFormats
import Intake
import Interactions

/// Tells what `freshet import --dry-run` has found.
enum ImportTelling {
    static func tell(_ trial: ForeignTrial, defaultCurrency: String, asJSON: Bool) {
        if asJSON {
            StandardOutput.line(json(trial))
        } else {
            for line in lines(trial) + assumptions(trial, defaultCurrency) { StandardOutput.line(line) }
        }
    }

    /// What was taken to be so because nobody said otherwise.
    private static func assumptions(_ trial: ForeignTrial, _ defaultCurrency: String) -> [String] {
        var lines: [String] = []
        let amount = trial.file.kind == .items ? "\"price\":" : "\"value\":"
        if trial.rows.contains(where: { $0.record?.contains(amount) == true && $0.record?.contains("\"currency\":") == false }) {
            lines.append("Amounts that name no currency are \(defaultCurrency): --set ingest.default_currency says another")
        }
        if trial.hasLocalTimes {
            let zone = trial.file.options.times.zone?.name ?? "UTC"
            lines.append("Times without an offset are read by the clocks of \(zone): --zone says others, such as Europe/Berlin")
        }
        return lines
    }

    private static func lines(_ trial: ForeignTrial) -> [String] {
        let found = traits(trial).map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        var lines = ["\(trial.file.path): \(trial.file.format.rawValue), \(found)"]
        if let layout = trial.layout {
            lines.append("")
            let used = layout.columns.filter { $0.field != nil }
            let width = used.map { name($0).count }.max() ?? 0
            for column in used {
                lines.append("  \(padded(name(column), width)) -> \(column.field ?? "")")
            }
            let unused = layout.columns.filter { $0.field == nil }.map(name)
            if !unused.isEmpty { lines.append("  not used: \(unused.joined(separator: ", "))") }
            lines.append("")
        }
        let word = trial.layout?.separator == nil && trial.file.format == .merchant ? "item" : "line"
        for row in trial.rows {
            let place = "\(word) \(row.line)"
            if let reason = row.reason {
                lines.append("\(place)  refused: \(reason)")
            } else {
                lines.append("\(place)  \(row.record ?? "")")
            }
        }
        lines.append("")
        lines.append("\(trial.accepted) rows would be accepted, \(trial.refused) refused")
        for reason in trial.reasons {
            lines.append("  \(reason.count) \(reason.code.rawValue), first \(word) \(reason.line): \(sentence(reason))")
        }
        if trial.reasons.contains(where: { $0.code == .unknownType }) {
            lines.append("What other names of types mean is said by --set ingest.event_types.NAME=click, or another type of ours")
        }
        if let damage = trial.damage { lines.append(damage.message) }
        return lines
    }

    private static func json(_ trial: ForeignTrial) -> String {
        JSONWriter.object(reservingBytes: 4_096) { object in
            object.field("file", trial.file.path)
            object.field("format", trial.file.format.rawValue)
            for trait in traits(trial) {
                object.key(data: trait.name)
                object.string(trait.value)
            }
            object.key("columns")
            object.array { array in
                for column in trial.layout?.columns ?? [] {
                    array.object { inner in
                        inner.field("column", column.constant == nil ? column.name : nil)
                        inner.field("constant", column.constant)
                        inner.field("field", column.field)
                    }
                }
            }
            object.key("rows")
            object.array { array in
                for row in trial.rows {
                    array.object { inner in
                        inner.field("line", row.line)
                        inner.field("record", raw: row.record)
                        inner.field("reason", row.reason)
                    }
                }
            }
            object.field("accepted", trial.accepted)
            object.field("refused", trial.refused)
            object.key("reasons")
            object.array { array in
                for reason in trial.reasons {
                    array.object { inner in
                        inner.field("code", reason.code.rawValue)
                        inner.field("field", reason.field)
                        inner.field("count", reason.count)
                        inner.field("line", reason.line)
                        inner.field("detail", reason.detail)
                    }
                }
            }
            object.field("damage", trial.damage?.message)
        }
    }

    /// What was found out about the file, under the names of the options that say it.
    private static func traits(_ trial: ForeignTrial) -> [(name: String, value: String)] {
        var traits = [(name: "kind", value: trial.file.kind.rawValue)]
        if let encoding = trial.file.encoding { traits.append(("encoding", encoding.rawValue)) }
        if let separator = trial.layout?.separator {
            let names: [UInt8: String] = [UInt8(ascii: ","): "comma", UInt8(ascii: ";"): "semicolon", 0x09: "tab", UInt8(ascii: "|"): "bar"]
            traits.append(("separator", names[separator] ?? String(UnicodeScalar(separator))))
        }
        let order = trial.file.options.times.order
        if order != .auto { traits.append(("dates", order.rawValue)) }
        return traits
    }

    private static func name(_ column: ForeignLayout.Column) -> String { column.constant.map { "\"\($0)\"" } ?? column.name }

    private static func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

    private static func sentence(_ reason: ForeignTrial.Reason) -> String { (reason.field.map { "\($0) " } ?? "") + reason.detail }
}

import Interactions

/// What one event of Metarank's interface comes to.
package enum MetarankEvent: Sendable {
    /// Some fields of an item, as a record that replaces nothing else.
    case item(id: String, [UInt8])
    /// Some fields of a user, likewise.
    case user(id: String, [UInt8])
    /// A list that was shown: a record of impressions.
    case ranking([UInt8])
    /// What a user did: an event.
    case interaction([UInt8])

    /// Reads an event. O(bytes).
    ///
    /// - Parameters:
    ///   - json: one object.
    ///   - knownTypes: names that events may have; another one counts as a click.
    package init(_ json: [UInt8], knownTypes: Set<String>) throws(Rejection) {
        var options = ForeignOptions()
        options.rowLimitBytes = max(json.count, 1)
        let row = RawRow(line: 0, lines: 1, bytes: json, byteCount: json.count, cellCount: 0)
        let kind: RecordKind = switch try ForeignObject(row, maxBytes: options.rowLimitBytes).text("event") {
        case "item", "metadata": .items
        case "user": .users
        case "ranking": .impressions
        default: .events
        }
        var plan = MetarankPlan(kind, options)
        plan.knownTypes = knownTypes
        switch try plan.outcome(row) {
        case .record(let bytes): self = kind == .events ? .interaction(bytes) : .ranking(bytes)
        case .fields(let id, let time, let members):
            var record = MetarankPlan.record(kind, id: id, time: time, members)
            // What the event does not name stays.
            record.removeLast()
            record += Array(",\"patch\":true}".utf8)
            self = kind == .items ? .item(id: id, record) : .user(id: id, record)
        case .other: throw Rejection(.malformedRow, field: "event", "is none of item, user, ranking, interaction")
        }
    }
}

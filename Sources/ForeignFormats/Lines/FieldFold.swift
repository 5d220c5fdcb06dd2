import Interactions

/// Folds what events say of items or users, each naming the fields that change: of each field the newest value stays, whatever the order.
///
/// It holds all of a file's items or users, so their bytes are bounded.
struct FieldFold: Sendable {
    /// What may be held, in bytes of names and values.
    static let heldBytesLimit = 512 << 20

    private struct Entry {
        var id: String
        var time: EventTime
        /// The line of its last event, counted from 0.
        var line: Int64
        var fields: [(member: JSONTree.Member, time: EventTime)] = []
    }

    private var entries: [Entry] = []
    private var places: [String: Int] = [:]
    private var heldBytes = 0

    /// Takes an event in.
    ///
    /// - Throws: ``ForeignProblem`` where more would be held than may be.
    mutating func add(_ id: String, _ time: EventTime, _ members: [JSONTree.Member], line: Int64) throws(ForeignProblem) {
        let place = places[id] ?? entries.count
        if place == entries.count {
            entries.append(Entry(id: id, time: time, line: line))
            places[id] = place
            heldBytes += 2 * id.utf8.count + 128
        }
        entries[place].line = line
        entries[place].time = max(entries[place].time, time)
        for member in members {
            if let known = entries[place].fields.firstIndex(where: { $0.member.name == member.name }) {
                // Of two at one time the later in the file wins.
                if entries[place].fields[known].time <= time { entries[place].fields[known] = (member, time) }
            } else {
                entries[place].fields.append((member, time))
                heldBytes += member.name.utf8.count + member.value.heldBytes + 64
            }
        }
        guard heldBytes <= Self.heldBytesLimit else {
            throw ForeignProblem("its items take more than \(Self.heldBytesLimit >> 20) MiB together: split the file by items")
        }
    }

    /// The records of all, in the order of their last events, with the lines of these; nothing is left.
    mutating func take(_ kind: RecordKind) -> [(line: Int64, json: [UInt8])] {
        defer { self = FieldFold() }
        return entries.sorted { $0.line < $1.line }.map { entry in
            (entry.line, MetarankPlan.record(kind, id: entry.id, time: entry.time, entry.fields.map(\.member)))
        }
    }
}

extension JSONTree {
    /// About what it takes, in bytes.
    fileprivate var heldBytes: Int {
        switch self {
        case .null, .boolean: 16
        case .number(let text), .text(let text): text.utf8.count + 16
        case .list(let values): values.reduce(16) { $0 + $1.heldBytes }
        case .object(let members): members.reduce(16) { $0 + $1.name.utf8.count + $1.value.heldBytes }
        }
    }
}

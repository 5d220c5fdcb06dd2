import Bytes
import Interactions

/// How an event of Metarank becomes a record. A file has events of several kinds; those of another kind than is asked for are passed over.
struct MetarankPlan: Sendable {
    /// What an event comes to.
    enum Outcome {
        case record([UInt8])
        /// Fields of an item or a user, to be folded with others of the same file: an event names those that change.
        case fields(id: String, time: EventTime, [JSONTree.Member])
        /// Of another kind than is asked for.
        case other
    }

    let kind: RecordKind
    /// Names that events may have: another one counts as a click and keeps its name in the context; nil leaves it to the decoder.
    var knownTypes: Set<String>?
    private var times: ForeignTime
    private let maxBytes: Int

    init(_ kind: RecordKind, _ options: ForeignOptions) {
        self.kind = kind
        var rules = options.times
        // Its numbers are milliseconds, however small.
        if rules.unit == nil { rules.unit = .milliseconds }
        times = ForeignTime(rules: rules)
        maxBytes = options.rowLimitBytes
    }

    /// What an event comes to. Lines of which nobody knows the kind are refused among events, and passed over otherwise.
    mutating func outcome(_ row: RawRow) throws(Rejection) -> Outcome {
        let object: ForeignObject
        do throws(Rejection) {
            object = try ForeignObject(row, maxBytes: maxBytes)
        } catch {
            if kind == .events { throw error }
            return .other
        }
        switch object.text("event") {
        case "item", "metadata": return kind == .items ? try fields(object, "item") : .other
        case "user": return kind == .users ? try fields(object, "user") : .other
        case "ranking": return kind == .impressions ? .record(try ranking(object)) : .other
        case "interaction": return kind == .events ? .record(try interaction(object)) : .other
        case let name:
            guard kind == .events else { return .other }
            let found = name.map { "\(JSONText.quoted(String($0.prefix(64)))) is none of" } ?? "is missing; it must be one of"
            throw Rejection(.malformedRow, field: "event", "\(found) item, user, ranking, interaction")
        }
    }

    /// Whom a line names.
    func userID(of row: RawRow) -> String? {
        guard kind != .items, let object = try? ForeignObject(row, maxBytes: maxBytes) else { return nil }
        return object.text("user") ?? object.text("session").map { DecodingRules.sessionPrefix + $0 }
    }

    private mutating func time(_ object: ForeignObject) throws(Rejection) -> EventTime {
        guard let time = try object.time("timestamp", &times) else { throw Rejection(.malformedRow, field: "timestamp", "is missing") }
        return time
    }

    private mutating func fields(_ object: ForeignObject, _ name: String) throws(Rejection) -> Outcome {
        .fields(id: try object.required(name), time: try time(object), try Self.named(object["fields"]))
    }

    /// `[{"name":"color","value":"red"}]` as members.
    private static func named(_ fields: JSONTree?) throws(Rejection) -> [JSONTree.Member] {
        guard let fields else { return [] }
        guard case .list(let list) = fields else {
            throw Rejection(.malformedRow, field: "fields", "must be an array of names with values")
        }
        var members: [JSONTree.Member] = []
        for field in list {
            let parts = field.members ?? []
            guard case .text(let name) = parts.last(where: { $0.name == "name" })?.value, !name.isEmpty,
                let value = parts.last(where: { $0.name == "value" })?.value, value != .null, value.members == nil
            else {
                throw Rejection(
                    .malformedRow, field: "fields", "has one without a name, or whose value is no string, number, boolean or list")
            }
            members.removeAll { $0.name == name }
            members.append(JSONTree.Member(name: name, value: value))
        }
        return members
    }

    private mutating func interaction(_ object: ForeignObject) throws(Rejection) -> [UInt8] {
        let id = try object.required("id"), item = try object.required("item"), type = try object.required("type")
        let time = try time(object)
        var context = try Self.named(object["fields"])
        let isKnown = knownTypes?.contains(type) ?? true
        if !isKnown { context.append(JSONTree.Member(name: "interaction_type", value: .text(type))) }
        var writer = JSONWriter(reservingBytes: 512)
        writer.object { event in
            event.field("event_id", id)
            event.field("type", isKnown ? type : InteractionType.click.name)
            event.field("user_id", object.text("user"))
            event.field("item_id", item)
            event.field("timestamp", time)
            event.field("session_id", object.text("session"))
            event.field("request_id", object.text("ranking"))
            if !context.isEmpty { event.member("context", .object(context)) }
        }
        return writer.bytes
    }

    private mutating func ranking(_ object: ForeignObject) throws(Rejection) -> [UInt8] {
        let id = try object.required("id"), time = try time(object)
        guard case .list(let items) = object["items"], !items.isEmpty else {
            throw Rejection(.malformedRow, field: "items", "must be an array of the items that were ranked")
        }
        var writer = JSONWriter(reservingBytes: 1_024)
        writer.object { slate in
            slate.field("request_id", id)
            slate.field("user_id", object.text("user"))
            slate.field("session_id", object.text("session"))
            slate.field("timestamp", time)
            slate.key("items")
            slate.array { list in
                for item in items {
                    // What has no id is refused with its place when the record is decoded.
                    list.object { $0.member("item_id", item.members?.last { $0.name == "id" }?.value) }
                }
            }
        }
        return writer.bytes
    }

    /// The record of an item or a user, of all that was said of it.
    static func record(_ kind: RecordKind, id: String, time: EventTime, _ members: [JSONTree.Member]) -> [UInt8] {
        var writer = JSONWriter(reservingBytes: 512)
        writer.object { record in
            if kind == .items { record.field("item_id", id) } else { record.field("user_id", id) }
            let own = kind == .items ? ["title", "description", "categories", "tags", "price", "currency"] : []
            for member in members where own.contains(member.name) {
                record.key(data: member.name)
                member.value.write(to: &record)
            }
            record.field("updated_at", time)
            let rest = members.filter { !own.contains($0.name) }
            if !rest.isEmpty { record.member("attributes", .object(rest)) }
        }
        return writer.bytes
    }

    /// What members become, for people.
    var layout: ForeignLayout {
        let fields: [(String, String)] = switch kind {
        case .items: [
            ("item", "item_id"), ("timestamp", "updated_at"), ("fields", "title, description, categories, tags, price, or attributes"),
        ]
        case .users: [("user", "user_id"), ("timestamp", "updated_at"), ("fields", "attributes")]
        case .impressions: [("id", "request_id"), ("user", "user_id"), ("session", "session_id"), ("items", "items")]
        case .events: [
            ("id", "event_id"), ("type", "type"), ("user", "user_id"), ("item", "item_id"), ("session", "session_id"),
            ("ranking", "request_id"), ("fields", "context"),
        ]
        }
        return ForeignLayout(kind: kind, columns: fields.map { ForeignLayout.Column(name: $0.0, field: $0.1) })
    }
}

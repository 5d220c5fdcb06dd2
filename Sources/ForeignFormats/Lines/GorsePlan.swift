import Bytes
import Interactions

/// How a line of a JSON Lines export of Gorse becomes a record: users, items or feedback, by the kind that is asked for.
struct GorsePlan: Sendable {
    let kind: RecordKind
    private var times: ForeignTime
    private let maxBytes: Int

    var dates: DateEvidence { times.evidence }

    init(_ kind: RecordKind, _ options: ForeignOptions) {
        self.kind = kind
        times = ForeignTime(rules: options.times)
        maxBytes = options.rowLimitBytes
    }

    /// The record of a line as JSON.
    mutating func record(_ row: RawRow) throws(Rejection) -> [UInt8] {
        let object = try ForeignObject(row, maxBytes: maxBytes)
        switch kind {
        case .items: return try item(object)
        case .users: return try user(object)
        default: return try feedback(object)
        }
    }

    /// Whom a line names.
    func userID(of row: RawRow) -> String? { kind == .items ? nil : (try? ForeignObject(row, maxBytes: maxBytes))?.text("UserId") }

    private mutating func item(_ object: ForeignObject) throws(Rejection) -> [UInt8] {
        let id = try object.required("ItemId")
        let published = try object.time("Timestamp", &times)
        var writer = JSONWriter(reservingBytes: 512)
        writer.object { item in
            item.field("item_id", id)
            // What shops put there, as Gorse's own playground does.
            item.field("title", object.text("Comment"))
            item.member("categories", object["Categories"])
            // Labels in a list are words about the item; under names they are attributes.
            if case .list(let labels) = object["Labels"], labels.allSatisfy(\.isText) { item.member("tags", .list(labels)) }
            item.field("published_at", published)
            item.member("hidden", object["IsHidden"])
            Self.attributes(object["Labels"], keepsWords: false, comment: nil, to: &item)
        }
        return writer.bytes
    }

    private func user(_ object: ForeignObject) throws(Rejection) -> [UInt8] {
        let id = try object.required("UserId")
        var writer = JSONWriter(reservingBytes: 256)
        writer.object { user in
            user.field("user_id", id)
            Self.attributes(object["Labels"], keepsWords: true, comment: object.text("Comment"), to: &user)
        }
        return writer.bytes
    }

    private static func attributes(_ labels: JSONTree?, keepsWords: Bool, comment: String?, to record: inout JSONWriter) {
        var members: [JSONTree.Member] = []
        switch labels {
        case .object(let named): members = named
        case .list(let words) where words.allSatisfy(\.isText) && !keepsWords: break
        case .list, .text, .number: members = labels.map { [JSONTree.Member(name: "labels", value: $0)] } ?? []
        default: break
        }
        if let comment { members.append(JSONTree.Member(name: "comment", value: .text(comment))) }
        if !members.isEmpty { record.member("attributes", .object(members)) }
    }

    private mutating func feedback(_ object: ForeignObject) throws(Rejection) -> [UInt8] {
        let type = try object.required("FeedbackType"), user = try object.required("UserId"), item = try object.required("ItemId")
        guard let time = try object.time("Timestamp", &times) else {
            throw Rejection(.malformedRow, field: "Timestamp", "is missing: nobody knows when it was")
        }
        var context = [JSONTree.Member(name: Feedback.Field.type, value: .text(type))]
        if case .number(let value) = object["Value"], value != "0" { context.append(JSONTree.Member(name: "value", value: .number(value))) }
        if let comment = object.text("Comment") { context.append(JSONTree.Member(name: "comment", value: .text(comment))) }
        if let labels = object["Labels"] { context.append(JSONTree.Member(name: "labels", value: labels)) }
        let id = GorseFeedbackKey.text(type: type, user: user, item: item, time: time)
        var writer = JSONWriter(reservingBytes: 512)
        writer.object { event in
            event.field("event_id", id)
            event.field("type", type)
            event.field("user_id", user)
            event.field("item_id", item)
            event.field("timestamp", time)
            event.member("context", .object(context))
        }
        return writer.bytes
    }

    /// What members become, for people.
    var layout: ForeignLayout {
        let fields: [(String, String?)] = switch kind {
        case .items: [
            ("ItemId", "item_id"), ("Comment", "title"), ("Categories", "categories"), ("Labels", "tags, or attributes"),
            ("Timestamp", "published_at"), ("IsHidden", "hidden"),
        ]
        case .users: [("UserId", "user_id"), ("Labels", "attributes"), ("Comment", "attributes.comment")]
        default: [
            ("FeedbackType", "type"), ("UserId", "user_id"), ("ItemId", "item_id"), ("Timestamp", "timestamp"), ("Value", "context.value"),
            ("Labels", "context.labels"), ("Comment", "context.comment"),
        ]
        }
        return ForeignLayout(kind: kind, columns: fields.map { ForeignLayout.Column(name: $0.0, field: $0.1) })
    }
}

extension JSONTree {
    /// Whether it is a text.
    var isText: Bool { if case .text = self { true } else { false } }
}

extension JSONWriter {
    /// Writes a name with a value, or nothing at all where there is none.
    mutating func member(_ name: StaticString, _ value: JSONTree?) {
        guard let value, value != .null else { return }
        key(name)
        value.write(to: &self)
    }
}

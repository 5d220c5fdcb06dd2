import Bytes
import ForeignFormats
import Interactions

/// A user or an item of another system as one of our records.
package struct DoorRecord: Sendable, Equatable {
    /// Its id.
    package var id: String
    /// The record, or the patch, as JSON.
    package var body: [UInt8]

    /// Makes one.
    package init(id: String, body: [UInt8]) { (self.id, self.body) = (id, body) }
}

/// Reads what clients of Gorse send of users and items, and writes what they are answered.
package enum GorseObjects {
    /// The JSON of a body. O(bytes).
    package static func tree(_ body: [UInt8]) throws(Rejection) -> JSONTree {
        try body.withUnsafeBytes { RecordDecoder().tree($0, maxBytes: max($0.count, 1)) }.get()
    }

    /// The elements of a body that is a list; null is an empty one.
    package static func list(_ body: [UInt8]) throws(Rejection) -> [JSONTree] {
        switch try tree(body) {
        case .list(let values): return values
        case .null: return []
        default: throw Rejection(.wrongType, "the body must be a JSON array")
        }
    }

    // MARK: Users

    /// A user as a whole record.
    package static func user(_ tree: JSONTree) throws(Rejection) -> DoorRecord {
        let object = try ForeignObject(tree)
        let id = try object.required("UserId")
        try GorseLabels.check(object["Labels"])
        var writer = JSONWriter(reservingBytes: 256)
        writer.object { user in
            user.field("user_id", id)
            if let attributes = GorseLabels.attributes(object["Labels"], comment: object.text("Comment")) {
                user.key("attributes")
                attributes.write(to: &user)
            }
        }
        return DoorRecord(id: id, body: writer.bytes)
    }

    /// What a patch changes of a user whose attributes are known.
    package static func userPatch(_ id: String, _ tree: JSONTree, now attributes: String?) throws(Rejection) -> DoorRecord {
        let object = try ForeignObject(tree)
        try GorseLabels.check(object["Labels"])
        let (labels, comment) = GorseLabels.read(attributes)
        let next = GorseLabels.attributes(
            object["Labels"] ?? labels, comment: object.has("Comment") ? object.text("Comment") ?? "" : comment)
        var writer = JSONWriter(reservingBytes: 256)
        writer.object { user in
            user.field("user_id", id)
            write(next, instead: attributes, to: &user)
            user.field("patch", true)
        }
        return DoorRecord(id: id, body: writer.bytes)
    }

    /// A user as clients read one.
    package static func write(_ user: UserRecord, to writer: inout JSONWriter) {
        let (labels, comment) = GorseLabels.read(user.attributes)
        writer.object { object in
            object.field("UserId", user.userID)
            object.key("Labels")
            (labels ?? .null).write(to: &object)
            object.field("Comment", comment ?? "")
        }
    }

    // MARK: Items

    /// An item as a whole record.
    package static func item(_ tree: JSONTree) throws(Rejection) -> DoorRecord {
        let object = try ForeignObject(tree)
        let id = try object.required("ItemId")
        let labels = object["Labels"], comment = object.text("Comment")
        try GorseLabels.check(labels)
        var times = ForeignTime(rules: TimeRules())
        let published = try object.time("Timestamp", &times)
        var writer = JSONWriter(reservingBytes: 512)
        writer.object { item in
            item.field("item_id", id)
            item.field("title", title(comment))
            member("categories", object["Categories"], &item)
            item.field("published_at", published)
            member("hidden", object["IsHidden"], &item)
            if let words = words(labels) { member("tags", .list(words), &item) }
            if let attributes = attributes(ofItem: labels, comment) {
                item.key("attributes")
                attributes.write(to: &item)
            }
        }
        return DoorRecord(id: id, body: writer.bytes)
    }

    /// What a patch changes of an item that is known.
    package static func itemPatch(_ tree: JSONTree, of known: ItemRecord) throws(Rejection) -> DoorRecord {
        let object = try ForeignObject(tree)
        try GorseLabels.check(object["Labels"])
        var times = ForeignTime(rules: TimeRules())
        let published = try object.time("Timestamp", &times)
        let before = parts(of: known)
        let labels = object["Labels"] ?? before.labels
        let comment = object.has("Comment") ? object.text("Comment") : before.comment
        var writer = JSONWriter(reservingBytes: 512)
        writer.object { item in
            item.field("item_id", known.itemID)
            if object.has("Comment") { item.field("title", title(comment)) }
            if object.has("Comment"), title(comment) == nil {
                item.key("title")
                item.null()
            }
            member("categories", object["Categories"], &item)
            item.field("published_at", published)
            member("hidden", object["IsHidden"], &item)
            if object.has("Labels") { member("tags", .list(words(labels) ?? []), &item) }
            if object.has("Labels") || object.has("Comment") {
                write(attributes(ofItem: labels, comment), instead: known.attributes, to: &item)
            }
            item.field("patch", true)
        }
        return DoorRecord(id: known.itemID, body: writer.bytes)
    }

    /// The patch that gives an item these categories.
    package static func categories(_ categories: [String], of itemID: String) -> DoorRecord {
        var writer = JSONWriter(reservingBytes: 256)
        writer.object { item in
            item.field("item_id", itemID)
            item.key("categories")
            item.strings(categories)
            item.field("patch", true)
        }
        return DoorRecord(id: itemID, body: writer.bytes)
    }

    /// A record that says only that there is an item, older than any other that may come.
    package static func bareItem(_ id: String) -> DoorRecord {
        var writer = JSONWriter(reservingBytes: 96)
        writer.object { item in
            item.field("item_id", id)
            item.field("updated_at", "1970-01-02T00:00:00Z")
        }
        return DoorRecord(id: id, body: writer.bytes)
    }

    /// An item as clients read one.
    package static func write(_ item: ItemRecord, to writer: inout JSONWriter) {
        let (labels, comment) = parts(of: item)
        writer.object { object in
            object.field("ItemId", item.itemID)
            object.field("IsHidden", item.hidden)
            object.key("Categories")
            object.strings(item.categories)
            object.field("Timestamp", GorseText.time(item.publishedAt))
            object.key("Labels")
            (labels ?? .null).write(to: &object)
            object.field("Comment", comment ?? "")
        }
    }

    private static func parts(of item: ItemRecord) -> (labels: JSONTree?, comment: String?) {
        let (labels, comment) = GorseLabels.read(item.attributes)
        let words = item.tags.isEmpty ? nil : JSONTree.list(item.tags.map { .text($0) })
        return (labels ?? words, comment ?? item.title)
    }

    /// A comment that is a title: what a title might be written otherwise is kept as an attribute.
    private static func title(_ comment: String?) -> String? {
        guard let comment, comment.utf8.count <= GorseLabels.titleLimitBytes, isPlain(comment) else { return nil }
        return comment
    }

    /// Words that come back from tags as they were sent.
    private static func words(_ labels: JSONTree?) -> [JSONTree]? {
        guard case .list(let values) = labels, !values.isEmpty, values.count <= 64 else { return nil }
        var seen: Set<String> = []
        for value in values {
            guard case .text(let word) = value, !word.isEmpty, word.utf8.count <= 128, isPlain(word), seen.insert(word).inserted else {
                return nil
            }
        }
        return values
    }

    private static func attributes(ofItem labels: JSONTree?, _ comment: String?) -> JSONTree? {
        GorseLabels.attributes(words(labels) == nil ? labels : nil, comment: title(comment) == nil ? comment : nil)
    }

    /// Whether no form of Unicode, and no trimming, would change a text.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && text.first != " " && text.last != " "
    }

    /// Attributes of a patch: those that go are null.
    private static func write(_ next: JSONTree?, instead known: String?, to writer: inout JSONWriter) {
        let members = next?.members ?? []
        let gone = GorseLabels.names(in: known).filter { name in !members.contains { $0.name == name } }
        writer.key("attributes")
        JSONTree.object(members + gone.map { JSONTree.Member(name: $0, value: .null) }).write(to: &writer)
    }

    private static func member(_ name: StaticString, _ value: JSONTree?, _ writer: inout JSONWriter) {
        guard let value, value != .null else { return }
        writer.key(name)
        value.write(to: &writer)
    }
}

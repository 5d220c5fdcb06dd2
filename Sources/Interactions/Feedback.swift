import Bytes

/// Feedback as clients of Gorse know it: what a user thought of an item, under a name of the sender's own.
///
/// An event carries it in its ``Interaction/context``: `feedback_type` is the sender's name for what was done, whatever type the event
/// counts as; `value`, `labels` and `comment` are what came with it; `feedback_time` is the time that the sender says, where the event
/// itself cannot have it, since it lies ahead.
public struct Feedback: Sendable, Equatable {
    /// The names in an event's context.
    public enum Field {
        /// What the sender calls it.
        public static let type = "feedback_type"
        /// The time that the sender says, in RFC 3339, where it is not that of the event.
        public static let time = "feedback_time"
        /// A number.
        public static let value = "value"
        /// Any JSON.
        public static let labels = "labels"
        /// A text.
        public static let comment = "comment"
    }

    /// Whose it is.
    public var userID: String
    /// Of which item.
    public var itemID: String
    /// The sender's name for it.
    public var type: String
    /// The sum over distinct events.
    public var value: Double
    /// The earliest time that the sender said.
    public var time: EventTime
    /// The latest one.
    public var updated: EventTime
    /// JSON as text, of the latest event; nil where it has none.
    public var labels: String?
    /// Of the latest event; empty where it has none.
    public var comment: String

    /// Makes feedback of parts that are already valid.
    public init(
        userID: String, itemID: String, type: String, value: Double, time: EventTime, updated: EventTime, labels: String? = nil,
        comment: String = ""
    ) {
        self.userID = userID
        self.itemID = itemID
        self.type = type
        self.value = value
        self.time = time
        self.updated = updated
        self.labels = labels
        self.comment = comment
    }

    /// The feedback of one event; nil where its context names none. O(bytes), without an allocation for most events.
    public init?(_ event: Interaction) {
        guard let context = event.context, Self.mayHold(context), let type = JSONText.string(Field.type, inObject: context), !type.isEmpty
        else { return nil }
        let stated = JSONText.string(Field.time, inObject: context).flatMap { EventTime(rfc3339: $0) } ?? event.time
        let tree = Array(context.utf8).withUnsafeBytes { RecordDecoder().tree($0, maxBytes: $0.count) }
        let labels = (try? tree.get())?.members?.last { $0.name == Field.labels }?.value
        self.init(
            userID: event.userID, itemID: event.itemID, type: type, value: JSONText.number(Field.value, inObject: context) ?? 0,
            time: stated, updated: stated, labels: labels.flatMap { $0 == .null ? nil : $0.text },
            comment: JSONText.string(Field.comment, inObject: context) ?? "")
    }

    private static func mayHold(_ context: String) -> Bool {
        var context = context
        return context.withUTF8 { bytes in
            let word = Field.type.utf8
            guard bytes.count > word.count else { return false }
            for index in bytes.indices where bytes[index] == UInt8(ascii: "f") && bytes[index...].starts(with: word) { return true }
            return false
        }
    }
}

/// What an event of type `feedback_deletion` says: feedback of a user on an item is taken back, with all that it counted for.
public struct Retraction: Sendable, Equatable {
    /// The type of such events.
    public static let type = "feedback_deletion"

    /// Whose feedback it is.
    public var userID: String
    /// Of which item.
    public var itemID: String
    /// Of this name only; nil for all of the pair.
    public var feedbackType: String?
    /// Feedback that stands behind it in the same partition stays.
    public var position: Position

    /// Makes a retraction of ids that are already valid.
    public init(userID: String, itemID: String, feedbackType: String? = nil, position: Position) {
        self.userID = userID
        self.itemID = itemID
        self.feedbackType = feedbackType
        self.position = position
    }
}

extension RecordDecoder {
    /// Decodes an event of type `feedback_deletion`: `{"type":"feedback_deletion","user_id":…,"item_id":…}`, with a `feedback_type` or
    /// without.
    ///
    /// - Returns: The retraction; nil where the event is of another type.
    public func retraction(_ bytes: UnsafeRawBufferPointer, origin: RecordOrigin) -> Result<Retraction?, Rejection> {
        Result { () throws(Rejection) -> Retraction? in
            var (scanner, reader) = try begin(bytes, maxBytes: rules.maxRecordBytes)
            var fields: [String: JSONToken] = [:]
            let known: Set<String> = ["type", "user_id", "id_space", "item_id", Feedback.Field.type]
            try members(&scanner, bytes) { name, token in
                if known.contains(name) { fields[name] = token }
            }
            func token(_ name: String) -> JSONToken { fields[name] ?? JSONToken() }
            guard token("type").kind == .string, rules.typeNames[Retraction.type] == nil,
                try reader.id(token("type"), "type") == Retraction.type
            else { return nil }
            return Retraction(
                userID: try rules.userID(
                    reader.requiredID(token("user_id"), of: .user, "user_id"), in: reader.idSpace(token("id_space")), field: "user_id"),
                itemID: try reader.requiredID(token("item_id"), "item_id"),
                feedbackType: try reader.id(token(Feedback.Field.type), Feedback.Field.type), position: origin.position)
        }
    }
}

extension JSONTree {
    /// The value as JSON text.
    public var text: String {
        var writer = JSONWriter(reservingBytes: 64)
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

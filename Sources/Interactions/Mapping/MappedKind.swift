/// What a mapped topic holds.
public enum MappedKind: String, Sendable, CaseIterable {
    case events, items, users

    /// What its records may have, in the order in which they are written.
    public var fields: [MappedField] {
        switch self {
        case .events:
            [
                MappedField("event_id", .id), MappedField("type", .word, isRequired: true), MappedField("user_id", .id),
                MappedField("id_space", .id), MappedField("item_id", .id, isRequired: true),
                MappedField("timestamp", .time, isRequired: true), MappedField("value", .money),
                MappedField("currency", .word), MappedField("quantity", .number),
                MappedField("session_id", .id), MappedField("request_id", .id), MappedField("slot", .number),
                MappedField("model_version", .number), MappedField("context", .object),
                // Of those that join two ids: see ``Identity``.
                MappedField("anonymous_id", .id), MappedField("anonymous_id_space", .id),
            ]
        case .items:
            [
                MappedField("item_id", .id, isRequired: true), MappedField("title", .word), MappedField("description", .word),
                MappedField("categories", .other), MappedField("tags", .other), MappedField("price", .money),
                MappedField("currency", .word), MappedField("attributes", .object), MappedField("embedding", .other),
                MappedField("published_at", .time), MappedField("updated_at", .time), MappedField("hidden", .boolean),
                MappedField("item_group_id", .id), MappedField("available_from", .time), MappedField("available_until", .time),
                MappedField("stock", .number), MappedField("patch", .boolean),
            ]
        case .users:
            [
                MappedField("user_id", .id, isRequired: true), MappedField("id_space", .id), MappedField("attributes", .object),
                MappedField("aliases", .other), MappedField("updated_at", .time), MappedField("personalised", .boolean),
                MappedField("patch", .boolean),
            ]
        }
    }

    /// The field of this name; nil where there is none.
    public func field(_ name: String) -> MappedField? { fields.first { $0.name == name } }

    /// The object whose members may be mapped one by one, `context.device`: `context` of events, else `attributes`.
    public var object: String { self == .events ? "context" : "attributes" }
}

/// A field of Freshet's own records that others are mapped to.
public struct MappedField: Sendable, Hashable {
    /// What a field takes, as far as mapping must know: all else the decoder checks.
    public enum Takes: Sendable, Hashable {
        /// An id: text or a whole number.
        case id
        /// Text.
        case word
        /// A point in time.
        case time
        /// An amount of money.
        case money
        /// A whole number.
        case number
        /// True or false.
        case boolean
        /// An object, or members of one.
        case object
        /// Anything: a list, a vector.
        case other
    }

    /// Its name in Freshet's records.
    public let name: String
    /// What it takes.
    public let takes: Takes
    /// Whether every record needs it.
    public let isRequired: Bool

    init(_ name: String, _ takes: Takes, isRequired: Bool = false) {
        self.name = name
        self.takes = takes
        self.isRequired = isRequired
    }
}

extension RecordKind {
    /// What a mapped topic holds.
    public init(_ kind: MappedKind) {
        switch kind {
        case .events: self = .events
        case .items: self = .items
        case .users: self = .users
        }
    }
}

/// A record whose fields can be changed one by one, each by its own time.
public protocol PatchableRecord: Sendable, Equatable {
    /// A record of which nothing but the id is known.
    init(id: String)
    /// Whose record it is.
    var id: String { get }
    /// A JSON object as text, whose members are patched one by one.
    var attributes: String? { get set }
    /// When its sender last changed it.
    var updatedAt: EventTime? { get }
    /// The field that holds the id.
    static var idField: String { get }
    /// All other fields that a patch may state. The place of a field in this list is its bit in ``PatchedFields``: append new ones.
    static var patchFields: [PatchField<Self>] { get }
    /// The places of these fields by their names.
    static var patchPlaces: [String: Int] { get }
    /// A field that has a value of its own accord where another one is there and it is not stated; nil where there is none.
    static var filledField: String? { get }
    /// Gives that field its value.
    ///
    /// - Returns: whether it needed one.
    mutating func fill(with value: String) -> Bool
    /// The record as one line of JSON that decodes to an equal value.
    func json() -> String
}

/// A field of a record, by the name that it has in JSON.
public struct PatchField<Record>: Sendable {
    /// The field's name.
    public let name: String
    /// Gives the first record the second one's value.
    let take: @Sendable (inout Record, Record) -> Void

    init(_ name: String, _ take: @escaping @Sendable (inout Record, Record) -> Void) {
        self.name = name
        self.take = take
    }

    static func places(_ fields: [PatchField<Record>]) -> [String: Int] {
        Dictionary(fields.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

/// Fields of a record as a set: bit n is field n of ``PatchableRecord/patchFields``, and the bit behind the last one is its attributes.
public struct PatchedFields: OptionSet, Sendable, Hashable {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// The field at a place in the list.
    public init(place: Int) { self.init(rawValue: 1 << Int64(place)) }

    /// The attributes of a record.
    public static func attributes<Record: PatchableRecord>(of record: Record.Type) -> PatchedFields {
        PatchedFields(place: Record.patchFields.count)
    }

    /// Every field of a record.
    public static func all<Record: PatchableRecord>(of record: Record.Type) -> PatchedFields {
        PatchedFields(rawValue: 1 << Int64(Record.patchFields.count + 1) - 1)
    }
}

extension ItemRecord: PatchableRecord {
    public init(id: String) { self.init(itemID: id) }
    public var id: String { itemID }
    public static var idField: String { "item_id" }

    public static let patchFields: [PatchField<ItemRecord>] = [
        PatchField("title") { $0.title = $1.title },
        PatchField("description") { $0.description = $1.description },
        PatchField("categories") { $0.categories = $1.categories },
        PatchField("tags") { $0.tags = $1.tags },
        PatchField("price") { $0.priceMicros = $1.priceMicros },
        PatchField("currency") { $0.currency = $1.currency },
        PatchField("embedding") { $0.embedding = $1.embedding },
        PatchField("published_at") { $0.publishedAt = $1.publishedAt },
        PatchField("hidden") { $0.hidden = $1.hidden },
        PatchField("item_group_id") { $0.groupID = $1.groupID },
        PatchField("available_from") { $0.availableFrom = $1.availableFrom },
        PatchField("available_until") { $0.availableUntil = $1.availableUntil },
        PatchField("stock") { $0.stock = $1.stock },
    ]
    public static let patchPlaces = PatchField.places(patchFields)

    /// A price that comes without a currency has the default one, as in a whole record.
    public static var filledField: String? { "currency" }

    public mutating func fill(with value: String) -> Bool {
        guard priceMicros != nil, currency == nil else { return false }
        currency = value
        return true
    }
}

extension UserRecord: PatchableRecord {
    public init(id: String) { self.init(userID: id) }
    public var id: String { userID }
    public static var idField: String { "user_id" }
    public static let patchFields: [PatchField<UserRecord>] = [
        PatchField("aliases") { $0.aliases = $1.aliases },
        // Its newest word is kept beside the record.
        PatchField("personalised") { $0.personalised = $1.personalised },
    ]
    public static let patchPlaces = PatchField.places(patchFields)
    public static var filledField: String? { nil }
    public mutating func fill(with value: String) -> Bool { false }
}

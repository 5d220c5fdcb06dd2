import Bytes
import Interactions

/// A field of our records that a cell can become.
struct RecordField: Sendable, Equatable {
    /// What a cell is read as.
    enum Value: Sendable, Equatable {
        /// Text as it stands, without white space around it.
        case text
        case time, money, number, integer, boolean
        /// A whole number of what the currency has for cents.
        case minorMoney
        /// A code of ISO 4217.
        case currency
        /// Texts between separators.
        case list
        /// Words between spaces, as RecBole writes lists.
        case words
        /// Numbers between spaces, commas, semicolons or bars.
        case numbers
    }

    /// The name in the record; of `attributes.brand` all of it.
    var name: String
    var value: Value

    /// The member of `attributes` or `context` that it is, where it is one.
    var member: (object: String, name: String)? {
        guard let dot = name.firstIndex(of: "."), dot != name.startIndex else { return nil }
        return (String(name[..<dot]), String(name[name.index(after: dot)...]))
    }

    /// The fields of a kind of record, in the order in which they are written.
    static func all(of kind: RecordKind) -> [RecordField] {
        switch kind {
        case .events: [
            RecordField(name: "event_id", value: .text), RecordField(name: "type", value: .text),
            RecordField(name: "user_id", value: .text), RecordField(name: "id_space", value: .text),
            RecordField(name: "item_id", value: .text), RecordField(name: "timestamp", value: .time),
            RecordField(name: "value", value: .money), RecordField(name: "currency", value: .currency),
            RecordField(name: "quantity", value: .integer), RecordField(name: "session_id", value: .text),
            RecordField(name: "request_id", value: .text),
        ]
        case .items: [
            RecordField(name: "item_id", value: .text), RecordField(name: "title", value: .text),
            RecordField(name: "description", value: .text), RecordField(name: "categories", value: .list),
            RecordField(name: "tags", value: .list), RecordField(name: "price", value: .money),
            RecordField(name: "currency", value: .currency),
            RecordField(name: "published_at", value: .time), RecordField(name: "updated_at", value: .time),
            RecordField(name: "hidden", value: .boolean), RecordField(name: "item_group_id", value: .text),
            RecordField(name: "available_from", value: .time), RecordField(name: "available_until", value: .time),
            RecordField(name: "stock", value: .integer), RecordField(name: "embedding", value: .numbers),
        ]
        case .users: [
            RecordField(name: "user_id", value: .text), RecordField(name: "id_space", value: .text),
            RecordField(name: "aliases", value: .list),
            RecordField(name: "updated_at", value: .time), RecordField(name: "personalised", value: .boolean),
        ]
        case .impressions: []
        }
    }

    /// The object whose members are free: `context` of events, `attributes` of items and users.
    static func freeObject(of kind: RecordKind) -> String { kind == .events ? "context" : "attributes" }

    /// Its name as `--map` writes it.
    var written: String { value == .minorMoney ? name + Self.minorUnits : name }

    private static let minorUnits = ":minor_units"

    /// The field of this name, such as `user_id`, `attributes.brand`, `attributes.weight:number` or `value:minor_units`.
    ///
    /// - Throws: ``ForeignProblem`` with the nearest known name.
    static func named(_ text: String, of kind: RecordKind) throws(ForeignProblem) -> RecordField {
        let known = all(of: kind)
        if let field = known.first(where: { $0.name == text }) { return field }
        if text.hasSuffix(minorUnits), let field = known.first(where: { $0.value == .money && $0.name + minorUnits == text }) {
            return RecordField(name: field.name, value: .minorMoney)
        }
        let free = freeObject(of: kind)
        guard text.hasPrefix(free + "."), text.utf8.count > free.utf8.count + 1 else {
            let near = NearestName.of(text, among: known.map(\.name) + [free + ".NAME"]).map { "; did you mean \($0)?" } ?? "."
            throw ForeignProblem(
                "--map names \(text), which is no field of \(kind.rawValue)\(near) There are "
                    + (known.map(\.name) + [free + ".NAME"]).joined(separator: ", "))
        }
        guard let colon = text.lastIndex(of: ":") else {
            return RecordField(name: text, value: text == "context.rating" ? .number : .text)
        }
        let types: [String: Value] = ["text": .text, "number": .number, "list": .list, "boolean": .boolean]
        guard let value = types[String(text[text.index(after: colon)...])] else {
            throw ForeignProblem("--map names \(text), but what stands behind the colon is text, number, list or boolean")
        }
        return RecordField(name: String(text[..<colon]), value: value)
    }

    /// Fields without which no record is one.
    static func required(of kind: RecordKind) -> [String] {
        switch kind {
        case .events: ["type", "user_id", "item_id", "timestamp"]
        case .items: ["item_id"]
        case .users: ["user_id"]
        case .impressions: []
        }
    }
}

import Bytes

/// A command's result: fields in order, printed as words for people or as one JSON object.
public struct ResultLine: Sendable {
    /// A field's value.
    public enum Value: Sendable {
        /// A text, quoted in JSON.
        case text(String)
        /// A whole number.
        case integer(Int)
        /// A number; `null` in JSON where it is not finite.
        case number(Double)
        /// Yes or no.
        case boolean(Bool)
        /// JSON that is already text.
        case json(String)
        /// Nothing known.
        case null
    }

    private var fields: [(name: String, value: Value)] = []

    /// Fields in the order in which they are written.
    public init(_ fields: KeyValuePairs<String, Value> = [:]) {
        self.fields = fields.map { ($0.key, $0.value) }
    }

    /// Appends a field.
    public mutating func add(_ name: String, _ value: Value) {
        fields.append((name, value))
    }

    /// One JSON object.
    public var json: String {
        JSONWriter.object { object in
            for field in fields {
                object.key(data: field.name)
                Self.write(field.value, to: &object)
            }
        }
    }

    /// `name value, name value`.
    public var words: String {
        fields.map { "\($0.name.replacing("_", with: " ")) \(Self.plain($0.value))" }.joined(separator: ", ")
    }

    /// A JSON string.
    public static func quoted(_ text: String) -> String { JSONText.quoted(text) }

    private static func write(_ value: Value, to json: inout JSONWriter) {
        switch value {
        case .text(let text): json.string(text)
        case .integer(let integer): json.integer(integer)
        case .number(let number): json.number(number)
        case .boolean(let boolean): json.bool(boolean)
        case .json(let text): json.raw(text)
        case .null: json.null()
        }
    }

    private static func plain(_ value: Value) -> String {
        switch value {
        case .text(let text): text
        case .integer(let integer): String(integer)
        case .number(let number): number.rounded() == number && abs(number) < 1e15 ? String(Int(number)) : rounded(number)
        case .boolean(let boolean): boolean ? "yes" : "no"
        case .json(let json): json
        case .null: "none"
        }
    }

    private static func rounded(_ number: Double) -> String {
        guard number.isFinite else { return "none" }
        return String((number * 10_000).rounded() / 10_000)
    }
}

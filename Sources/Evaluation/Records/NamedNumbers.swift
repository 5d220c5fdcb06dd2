/// A key of a record whose names are data: of a metric, a slice, a feature.
struct NameKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer {
    /// What stands under a key; nil where nothing does, or something of another kind.
    func ifReadable<Value: Decodable>(_ type: Value.Type, _ key: Key) -> Value? { (try? decodeIfPresent(type, forKey: key)) ?? nil }

    /// The same where the place says of which kind it must be.
    func ifReadable<Value: Decodable>(_ key: Key) -> Value? { ifReadable(Value.self, key) }
}

/// Numbers by name, in the order in which they were written.
public struct NamedNumbers: Codable, Sendable, Equatable {
    /// The names with their numbers; of a record that was read, by name.
    public var entries: [Entry]

    /// A name with its number.
    public struct Entry: Sendable, Equatable {
        /// What the number is of.
        public var name: String
        /// The number.
        public var value: Double

        /// Names a number.
        public init(_ name: String, _ value: Double) {
            self.name = name
            self.value = value
        }
    }

    /// Numbers in the order given.
    public init(_ entries: [Entry]) { self.entries = entries }

    /// The number of a name; nil where there is none.
    public subscript(_ name: String) -> Double? { entries.first { $0.name == name }?.value }

    /// Writes an object, a key a name.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: NameKey.self)
        for entry in entries { try container.encode(entry.value, forKey: NameKey(entry.name)) }
    }

    /// Reads the numbers of an object; what is none is left out.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: NameKey.self)
        entries = container.allKeys.compactMap { key in container.ifReadable(Double.self, key).map { Entry(key.stringValue, $0) } }
            .sorted { $0.name < $1.name }
    }
}

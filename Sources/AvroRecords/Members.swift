import Interactions

/// The members of an object of a schema, and what they say of a type beyond it.
struct Members {
    private let members: [JSONTree.Member]

    init(_ members: [JSONTree.Member]) { self.members = members }

    /// The value of a name; the last one of a name that stands twice.
    subscript(_ name: String) -> JSONTree? { members.last { $0.name == name }?.value }

    func text(_ name: String) -> String? { if case .text(let text)? = self[name] { text } else { nil } }

    func number(_ name: String) -> Int? {
        switch self[name] {
        case .number(let text), .text(let text): Int(text)
        default: nil
        }
    }

    func texts(_ name: String) -> [String] {
        guard case .list(let list)? = self[name] else { return [] }
        return list.compactMap { if case .text(let text) = $0 { text } else { nil } }
    }

    /// Takes in what `logicalType`, or Kafka Connect's `connect.name`, says of a type. A logical type that does not fit its type, or that
    /// nobody knows, says nothing, as Avro's specification has it.
    func mean(_ node: inout AvroSchema.TypeNode) throws(AvroProblem) {
        if let name = text("connect.name"), let meaning = ValueMeaning(connectName: name, scale: connectScale) {
            node.meaning = meaning.fits(node.shape) ? meaning : .plain
            return
        }
        let meaning: ValueMeaning? =
            switch text("logicalType") {
            case "decimal": .decimal(scale: number("scale") ?? 0)
            case "date": .date
            case "time-millis": .timeOfDay(.milliseconds)
            case "time-micros": .timeOfDay(.microseconds)
            case "timestamp-millis": .timestamp(.milliseconds, isLocal: false)
            case "timestamp-micros": .timestamp(.microseconds, isLocal: false)
            case "timestamp-nanos": .timestamp(.nanoseconds, isLocal: false)
            case "local-timestamp-millis": .timestamp(.milliseconds, isLocal: true)
            case "local-timestamp-micros": .timestamp(.microseconds, isLocal: true)
            case "local-timestamp-nanos": .timestamp(.nanoseconds, isLocal: true)
            default: nil
            }
        if let meaning, meaning.fits(node.shape) { node.meaning = meaning }
        if case .fixed(16) = node.shape, text("logicalType") == "uuid" { node.isUUID = true }
        if case .decimal(let scale) = node.meaning, abs(scale) > TypedText.scaleLimit {
            throw AvroSchemaParser.problem("has a decimal of scale \(scale); at most \(TypedText.scaleLimit) is read")
        }
    }

    /// Of a decimal of Kafka Connect: beside it, or among its parameters.
    private var connectScale: Int? {
        number("scale") ?? self["connect.parameters"]?.members.flatMap { Members($0).number("scale") }
    }
}

extension ValueMeaning {
    /// Whether values of a type can mean this.
    fileprivate func fits(_ shape: AvroSchema.Shape) -> Bool {
        switch (self, shape) {
        case (.plain, _), (.decimal, .bytes), (.decimal, .fixed), (.variableDecimal, .record), (.date, .int), (.date, .long),
            (.timeOfDay, .int), (.timeOfDay, .long), (.timestamp, .int), (.timestamp, .long), (.json, .string):
            true
        default: false
        }
    }
}

import Interactions

/// Reads the JSON of schemas, one after the other, into types by number. Names of one are known to those behind it.
struct AvroSchemaParser {
    /// The first is kept free for the schema itself.
    var types: [AvroSchema.TypeNode] = [AvroSchema.TypeNode(shape: .null)]
    var fields: [AvroSchema.Field] = []
    var symbols: [[UInt8]] = []
    var branches: [Int] = []
    /// By full name.
    private var named: [String: Int] = [:]

    /// Reads a schema; its number.
    mutating func parse(_ text: String) throws(AvroProblem) -> Int {
        guard text.utf8.count <= AvroSchema.textBytesLimit else {
            throw Self.problem("has \(text.utf8.count) bytes; at most \(AvroSchema.textBytesLimit) are read")
        }
        let decoder = RecordDecoder(rules: DecodingRules(maxDepth: AvroSchema.textDepthLimit))
        let tree: Result<JSONTree, Rejection>? = Array(text.utf8).withUnsafeBytes { bytes in
            Self.isPlainName(text) ? nil : decoder.tree(bytes, maxBytes: AvroSchema.textBytesLimit)
        }
        switch tree {
        // Some registries give a primitive type without its quotes.
        case nil: return try type(.text(text), namespace: "")
        case .success(let tree): return try type(tree, namespace: "")
        case .failure(let rejection): throw Self.problem("is no JSON: \(rejection.detail)")
        }
    }

    private static func isPlainName(_ text: String) -> Bool { primitives[text] != nil }

    private static let primitives: [String: AvroSchema.Shape] = [
        "null": .null, "boolean": .boolean, "int": .int, "long": .long, "float": .float, "double": .double, "bytes": .bytes,
        "string": .string,
    ]

    static func problem(_ detail: String) -> AvroProblem { AvroProblem(code: .schema, detail: detail) }

    // MARK: Types

    private mutating func type(_ tree: JSONTree, namespace: String) throws(AvroProblem) -> Int {
        switch tree {
        case .text(let name):
            if let shape = Self.primitives[name] { return try add(AvroSchema.TypeNode(shape: shape)) }
            guard let known = named[Self.fullName(name, namespace)] ?? named[name] else {
                throw Self.problem("uses the type \(JSONText.quoted(String(name.prefix(128)))), which nothing before it defines")
            }
            return known
        case .list(let list): return try union(list, namespace)
        case .object(let members): return try object(Members(members), namespace)
        default: throw Self.problem("has \(tree.kindName) where a type is wanted")
        }
    }

    private mutating func add(_ node: AvroSchema.TypeNode) throws(AvroProblem) -> Int {
        guard types.count < AvroSchema.typesLimit else { throw Self.problem("has more than \(AvroSchema.typesLimit) types") }
        types.append(node)
        return types.count - 1
    }

    private mutating func union(_ list: [JSONTree], _ namespace: String) throws(AvroProblem) -> Int {
        guard !list.isEmpty else { throw Self.problem("has a union without branches") }
        let number = try add(AvroSchema.TypeNode(shape: .null))
        var inner: [Int] = []
        for branch in list {
            if case .list = branch { throw Self.problem("has a union within a union") }
            inner.append(try type(branch, namespace: namespace))
        }
        types[number].shape = .union(branches.count..<branches.count + inner.count)
        branches += inner
        guard branches.count <= AvroSchema.typesLimit else { throw Self.problem("has more than \(AvroSchema.typesLimit) branches") }
        return number
    }

    private mutating func object(_ members: Members, _ namespace: String) throws(AvroProblem) -> Int {
        guard let kind = members["type"] else { throw Self.problem("has an object without a type") }
        guard case .text(let name) = kind else {
            // {"type": {"type": "string"}} and {"type": ["null", "string"]} are what stands inside.
            return try type(kind, namespace: namespace)
        }
        switch name {
        case "record", "error": return try record(members, namespace)
        case "enum": return try enumeration(members, namespace)
        case "fixed": return try fixed(members, namespace)
        case "array", "map":
            let part = name == "array" ? "items" : "values"
            guard let inner = members[part] else { throw Self.problem("has \(name == "array" ? "an array" : "a map") without \(part)") }
            let number = try add(AvroSchema.TypeNode(shape: .null)), type = try type(inner, namespace: namespace)
            types[number].shape = name == "array" ? .array(type) : .map(type)
            return number
        default:
            let number = try type(kind, namespace: namespace)
            // What another place defines keeps its meaning.
            guard Self.primitives[name] != nil else { return number }
            try members.mean(&types[number])
            return number
        }
    }

    // MARK: Named types

    private static func fullName(_ name: String, _ namespace: String) -> String {
        name.contains(".") || namespace.isEmpty ? name : "\(namespace).\(name)"
    }

    /// Takes in a new name; the number of its type, and the namespace within it.
    private mutating func define(
        _ members: Members, _ namespace: String, _ node: AvroSchema.TypeNode
    ) throws(AvroProblem) -> (number: Int, namespace: String) {
        guard let name = members.text("name"), !name.isEmpty else {
            throw Self.problem("has a \(members.text("type") ?? "type") without a name")
        }
        let full = Self.fullName(name, members.text("namespace") ?? namespace)
        guard named[full] == nil, Self.primitives[full] == nil else {
            throw Self.problem("defines \(JSONText.quoted(String(full.prefix(128)))) twice")
        }
        let number = try add(node)
        named[full] = number
        for alias in members.texts("aliases") where named[Self.fullName(alias, namespace)] == nil {
            named[Self.fullName(alias, namespace)] = number
        }
        return (number, full.lastIndex(of: ".").map { String(full[..<$0]) } ?? "")
    }

    private mutating func record(_ members: Members, _ namespace: String) throws(AvroProblem) -> Int {
        guard case .list(let list)? = members["fields"] else { throw Self.problem("has a record without fields") }
        let (number, inside) = try define(members, namespace, AvroSchema.TypeNode(shape: .record(0..<0)))
        var own: [AvroSchema.Field] = []
        for field in list {
            guard let field = field.members.map(Members.init), let name = field.text("name"), let kind = field["type"] else {
                throw Self.problem("has a field without a name or a type")
            }
            own.append(AvroSchema.Field(opening: Array((JSONText.quoted(name) + ":").utf8), type: try type(kind, namespace: inside)))
        }
        types[number].shape = .record(fields.count..<fields.count + own.count)
        try members.mean(&types[number])
        fields += own
        guard fields.count <= AvroSchema.typesLimit else { throw Self.problem("has more than \(AvroSchema.typesLimit) fields") }
        return number
    }

    private mutating func enumeration(_ members: Members, _ namespace: String) throws(AvroProblem) -> Int {
        let own = members.texts("symbols")
        guard !own.isEmpty else { throw Self.problem("has an enum without symbols") }
        let range = symbols.count..<symbols.count + own.count
        let (number, _) = try define(members, namespace, AvroSchema.TypeNode(shape: .enumeration(range)))
        symbols += own.map { Array(JSONText.quoted($0).utf8) }
        return number
    }

    private mutating func fixed(_ members: Members, _ namespace: String) throws(AvroProblem) -> Int {
        guard let size = members.number("size"), (0...AvroSchema.fixedBytesLimit).contains(size) else {
            throw Self.problem("has a fixed whose size is no number from 0 to \(AvroSchema.fixedBytesLimit)")
        }
        let (number, _) = try define(members, namespace, AvroSchema.TypeNode(shape: .fixed(size)))
        try members.mean(&types[number])
        return number
    }
}

extension JSONTree {
    /// What it is, for a person.
    fileprivate var kindName: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .number: "a number"
        case .text: "a text"
        case .list: "an array"
        case .object: "an object"
        }
    }
}

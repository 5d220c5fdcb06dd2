import Bytes

/// A schema as Kafka Connect's JSON converter writes it beside every record (`schemas.enable`), and values rewritten by it: decimals as
/// numbers, days and times as texts.
final class ConnectSchema {
    /// The most types in a schema.
    static let typesLimit = 20_000

    private enum Shape {
        case scalar
        /// Members by their names' bytes, each with its type.
        case structure([(name: [UInt8], type: Int)])
        case list(Int)
        case map(Int)
    }

    private struct TypeNode {
        var shape = Shape.scalar
        var meaning = ValueMeaning.plain
        /// Whether values are written as they stand: nothing below means anything else.
        var isPlain = true
    }

    private var nodes: [TypeNode] = []

    /// Reads a schema; nil of what is none, and of none at all (`null`).
    init?(_ tree: JSONTree) {
        guard tree.members != nil, add(tree) != nil else { return nil }
    }

    private func add(_ tree: JSONTree) -> Int? {
        guard let members = tree.members, nodes.count < Self.typesLimit else { return nil }
        func text(_ name: String) -> String? {
            if case .text(let text)? = members.last(where: { $0.name == name })?.value { text } else { nil }
        }
        func member(_ name: String) -> JSONTree? { members.last { $0.name == name }?.value }
        let number = nodes.count
        nodes.append(TypeNode())
        var node = TypeNode()
        if let name = text("name"), let meaning = ValueMeaning(connectName: name, scale: Self.scale(member("parameters"))) {
            node.meaning = meaning
            node.isPlain = false
        }
        switch text("type") {
        case "struct" where node.meaning == .plain:
            guard case .list(let fields)? = member("fields") else { return nil }
            var types: [(name: [UInt8], type: Int)] = []
            for field in fields {
                guard case .text(let name)? = field.members?.last(where: { $0.name == "field" })?.value, let type = add(field) else {
                    return nil
                }
                types.append((Array(name.utf8), type))
                node.isPlain = node.isPlain && nodes[type].isPlain
            }
            node.shape = .structure(types)
        case "array", "map":
            let isMap = text("type") == "map"
            guard let inner = member(isMap ? "values" : "items"), let type = add(inner) else { return nil }
            node.shape = isMap ? .map(type) : .list(type)
            node.isPlain = nodes[type].isPlain
        case nil: return nil
        default: break
        }
        nodes[number] = node
        return number
    }

    private static func scale(_ parameters: JSONTree?) -> Int? {
        switch parameters?.members?.last(where: { $0.name == "scale" })?.value {
        case .text(let text): Int(text)
        case .number(let text): Int(text)
        default: nil
        }
    }

    /// Appends a value by the schema. What does not look as the schema says stays as it stands.
    ///
    /// - Parameter token: the value in `bytes`, which are JSON that was checked.
    func append(_ token: JSONToken, in bytes: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) throws(Rejection) {
        try append(token, 0, bytes, &output)
    }

    private func append(
        _ token: JSONToken, _ number: Int, _ bytes: UnsafeBufferPointer<UInt8>, _ output: inout [UInt8]
    ) throws(Rejection) {
        let node = nodes[number]
        guard !node.isPlain, token.isPresent else { return Self.copy(token, bytes, &output) }
        switch node.shape {
        case .scalar: scalar(node.meaning, token, bytes, &output)
        case .structure(let types): try members(token, bytes, &output) { name in types.first { $0.name == name }?.type }
        case .map(let type): try members(token, bytes, &output) { _ in type }
        case .list(let type):
            guard token.kind == .array else { return Self.copy(token, bytes, &output) }
            var scanner = JSONScanner(bytes, from: token.start + 1, to: token.end, maxDepth: DecodingRules.deepestAllowed)
            var first = true, isFirst = true
            output.append(UInt8(ascii: "["))
            while try scanner.nextElement(first: &first) {
                if !isFirst { output.append(UInt8(ascii: ",")) }
                isFirst = false
                try append(try scanner.value(depth: 0), type, bytes, &output)
            }
            output.append(UInt8(ascii: "]"))
        }
    }

    private func members(
        _ token: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>, _ output: inout [UInt8], type: ([UInt8]) -> Int?
    ) throws(Rejection) {
        // A map whose keys are no texts is a list of pairs.
        guard token.kind == .object else { return Self.copy(token, bytes, &output) }
        var scanner = JSONScanner(bytes, from: token.start + 1, to: token.end, maxDepth: DecodingRules.deepestAllowed)
        var first = true, isFirst = true
        output.append(UInt8(ascii: "{"))
        while let key = try scanner.nextKey(first: &first) {
            if !isFirst { output.append(UInt8(ascii: ",")) }
            isFirst = false
            Self.copy(key, bytes, &output)
            output.append(UInt8(ascii: ":"))
            let value = try scanner.value(depth: 0)
            if let type = type(Array(JSONText.unescaped(key, bytes).utf8)) {
                try append(value, type, bytes, &output)
            } else {
                Self.copy(value, bytes, &output)
            }
        }
        output.append(UInt8(ascii: "}"))
    }

    private func scalar(_ meaning: ValueMeaning, _ token: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>, _ output: inout [UInt8]) {
        let text = UnsafeBufferPointer(rebasing: bytes[token.start..<token.end])
        switch (meaning, token.kind) {
        case (.decimal(let scale), .string):
            guard let whole = Base64.bytes(of: text), TypedText.append(decimal: whole, scale: scale, to: &output) else { break }
            return
        case (.variableDecimal, .object):
            guard let found = Self.variableDecimal(token, bytes), TypedText.append(decimal: found.whole, scale: found.scale, to: &output)
            else { break }
            return
        case (.json, .string):
            var plain = JSONText.unescaped(token, bytes)
            return plain.withUTF8 { TypedText.append(json: UnsafeRawBufferPointer($0), to: &output) }
        case (.date, .number), (.timeOfDay, .number), (.timestamp, .number):
            guard let number = JSONNumberText.whole(text) else { break }
            return meaning.append(number: number, to: &output)
        default: break
        }
        Self.copy(token, bytes, &output)
    }

    /// What `{"scale":2,"value":"AfQ="}` holds; nil of what looks otherwise.
    static func variableDecimal(_ token: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>) -> (whole: [UInt8], scale: Int)? {
        var scanner = JSONScanner(bytes, from: token.start + 1, to: token.end, maxDepth: DecodingRules.deepestAllowed)
        var first = true, scale: Int?, whole: [UInt8]?
        do throws(Rejection) {
            while let key = try scanner.nextKey(first: &first) {
                let value = try scanner.value(depth: 0), text = UnsafeBufferPointer(rebasing: bytes[value.start..<value.end])
                if scanner.key(key, is: "scale"), value.kind == .number { scale = JSONNumberText.whole(text).flatMap { Int(exactly: $0) } }
                if scanner.key(key, is: "value"), value.kind == .string { whole = Base64.bytes(of: text) }
            }
        } catch {
            return nil
        }
        guard let scale, let whole else { return nil }
        return (whole, scale)
    }

    /// The value as it stands.
    private static func copy(_ token: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>, _ output: inout [UInt8]) {
        let quote = token.kind == .string ? 1 : 0
        output += bytes[(token.start - quote)..<(token.end + quote)]
    }
}

/// Whole numbers as JSON writes them.
enum JSONNumberText {
    /// The number that a text is; nil where it is not whole, or beyond 64 bits.
    static func whole(_ text: UnsafeBufferPointer<UInt8>) -> Int64? { ExactDecimal(text).flatMap { $0.isWhole ? $0.integer : nil } }
}

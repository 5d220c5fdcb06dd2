/// Writes values as JSON text.
///
/// Keys stand in the order in which a type encodes them, numbers as Swift prints them, and what is no finite number is `null`: JSON has
/// no word for it.
public enum JSONTextEncoder {
    /// The JSON text of a value.
    ///
    /// - Throws: what the value's own `encode(to:)` throws.
    public static func text(_ value: some Encodable) throws -> String {
        let node = JSONNode()
        try node.write(value, codingPath: [])
        var writer = JSONWriter()
        node.write(to: &writer)
        return writer.text
    }
}

/// A value that is being written: its parts come in one after the other.
private final class JSONNode {
    enum Content {
        case null
        case text(String)
        case flag(Bool)
        case number(Double)
        case short(Float)
        case whole(any FixedWidthInteger)
        case array([JSONNode])
        case object([(key: String, node: JSONNode)])
    }

    var content = Content.null

    func write(to writer: inout JSONWriter) {
        switch content {
        case .null: writer.null()
        case .text(let text): writer.string(text)
        case .flag(let flag): writer.bool(flag)
        case .number(let number): writer.number(number)
        case .short(let number): writer.number(number)
        case .whole(let number): writer.integer(number)
        case .array(let nodes): writer.array { for node in nodes { node.write(to: &$0) } }
        case .object(let members):
            writer.object { object in
                for member in members {
                    object.key(data: member.key)
                    member.node.write(to: &object)
                }
            }
        }
    }

    func member(_ key: String) -> JSONNode {
        let node = JSONNode()
        var members: [(key: String, node: JSONNode)] = []
        if case .object(let known) = content { members = known }
        if let place = members.firstIndex(where: { $0.key == key }) { members[place].node = node } else { members.append((key, node)) }
        content = .object(members)
        return node
    }

    func element() -> JSONNode {
        let node = JSONNode()
        var nodes: [JSONNode] = []
        if case .array(let known) = content { nodes = known }
        nodes.append(node)
        content = .array(nodes)
        return node
    }

    var count: Int { if case .array(let nodes) = content { nodes.count } else { 0 } }

    func beginObject() { if case .object = content { return } else { content = .object([]) } }
    func beginArray() { if case .array = content { return } else { content = .array([]) } }

    func write(_ value: some Encodable, codingPath: [any CodingKey]) throws {
        switch value {
        case let text as String: content = .text(text)
        case let flag as Bool: content = .flag(flag)
        case let number as Double: content = .number(number)
        case let number as Float: content = .short(number)
        case let number as any FixedWidthInteger: content = .whole(number)
        default: try value.encode(to: JSONNodeEncoder(node: self, codingPath: codingPath))
        }
    }
}

private struct JSONNodeEncoder: Encoder {
    let node: JSONNode
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        node.beginObject()
        return KeyedEncodingContainer(JSONMembers<Key>(node: node, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.beginArray()
        return JSONElements(node: node, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { JSONSingleValue(node: node, codingPath: codingPath) }
}

private struct JSONMembers<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: JSONNode
    let codingPath: [any CodingKey]

    mutating func encodeNil(forKey key: Key) { node.member(key.stringValue).content = .null }

    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try node.member(key.stringValue).write(value, codingPath: codingPath + [key])
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        JSONNodeEncoder(node: node.member(key.stringValue), codingPath: codingPath + [key]).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        JSONNodeEncoder(node: node.member(key.stringValue), codingPath: codingPath + [key]).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { JSONNodeEncoder(node: node.member("super"), codingPath: codingPath) }

    mutating func superEncoder(forKey key: Key) -> any Encoder {
        JSONNodeEncoder(node: node.member(key.stringValue), codingPath: codingPath + [key])
    }
}

private struct JSONElements: UnkeyedEncodingContainer {
    let node: JSONNode
    let codingPath: [any CodingKey]
    var count: Int { node.count }

    mutating func encodeNil() { node.element().content = .null }
    mutating func encode<T: Encodable>(_ value: T) throws { try node.element().write(value, codingPath: codingPath) }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        JSONNodeEncoder(node: node.element(), codingPath: codingPath).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        JSONNodeEncoder(node: node.element(), codingPath: codingPath).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { JSONNodeEncoder(node: node.element(), codingPath: codingPath) }
}

private struct JSONSingleValue: SingleValueEncodingContainer {
    let node: JSONNode
    let codingPath: [any CodingKey]

    mutating func encodeNil() { node.content = .null }
    mutating func encode<T: Encodable>(_ value: T) throws { try node.write(value, codingPath: codingPath) }
}

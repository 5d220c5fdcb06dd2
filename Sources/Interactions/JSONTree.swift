import Bytes

/// A JSON value with all that is in it: for other systems' records, whose shape is not ours. Our own are read without a tree.
public indirect enum JSONTree: Sendable, Equatable {
    case null
    case boolean(Bool)
    /// As it was written, every digit kept.
    case number(String)
    case text(String)
    case list([JSONTree])
    /// Members in their order.
    case object([Member])

    /// A name with its value.
    public struct Member: Sendable, Equatable {
        /// The name.
        public var name: String
        /// What stands under it.
        public var value: JSONTree

        /// Makes a member.
        public init(name: String, value: JSONTree) {
            self.name = name
            self.value = value
        }
    }

    /// The members of an object; nil of anything else.
    public var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    /// Writes the value as JSON.
    public func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .boolean(let flag): writer.bool(flag)
        case .number(let number): writer.raw(number)
        case .text(let text): writer.string(text)
        case .list(let values): writer.array { for value in values { value.write(to: &$0) } }
        case .object(let members):
            writer.object { object in
                for member in members {
                    object.key(data: member.name)
                    member.value.write(to: &object)
                }
            }
        }
    }
}

extension RecordDecoder {
    /// Reads any JSON text within the rules' depth.
    ///
    /// - Parameter maxBytes: a larger text is refused.
    /// - Complexity: O(bytes × depth).
    public func tree(_ bytes: UnsafeRawBufferPointer, maxBytes: Int) -> Result<JSONTree, Rejection> {
        Result { () throws(Rejection) -> JSONTree in
            var (scanner, reader) = try begin(bytes, maxBytes: maxBytes)
            scanner.skipSpace()
            let token = try scanner.value(depth: 0)
            try finish(&scanner)
            return try tree(token, reader)
        }
    }

    private func tree(_ token: JSONToken, _ reader: FieldReader) throws(Rejection) -> JSONTree {
        switch token.kind {
        case .absent, .null: return .null
        case .no, .yes: return .boolean(token.kind == .yes)
        case .number: return .number(String(decoding: reader.slice(token), as: UTF8.self))
        case .string: return .text(JSONText.unescaped(token, reader.bytes))
        case .array:
            var values: [JSONTree] = []
            var scanner = reader.scanner(from: token.start + 1, to: token.end)
            var first = true
            while try scanner.nextElement(first: &first) { values.append(try tree(try scanner.value(depth: 0), reader)) }
            return .list(values)
        case .object:
            var members: [JSONTree.Member] = []
            var scanner = reader.scanner(from: token.start + 1, to: token.end)
            var first = true
            while let key = try scanner.nextKey(first: &first) {
                let name = JSONText.unescaped(key, reader.bytes)
                members.append(JSONTree.Member(name: name, value: try tree(try scanner.value(depth: 0), reader)))
            }
            return .object(members)
        }
    }
}

import Bytes

/// A change of some fields of a record: JSON merge patch (RFC 7396), with the time that its fields are of.
///
/// What it does not name stays as it is. Of `attributes` it names members one by one; each has its value as a whole, lists and objects too.
public struct RecordPatch<Record: PatchableRecord>: Sendable, Equatable {
    /// What becomes of a member of the attributes.
    public enum Member: Sendable, Equatable {
        /// It has this value, JSON in its one spelling.
        case value(String)
        case removed
    }

    /// The id, and the values of the fields that are named; all else is empty.
    public private(set) var values: Record
    /// The fields that are named. A field that is named without a value is removed.
    public private(set) var fields: PatchedFields = []
    /// Whether all attributes that there are before it are removed.
    public private(set) var clearsAttributes = false
    /// The members of the attributes that are named.
    public private(set) var members: [String: Member] = [:]
    /// When the sender changed these fields; nil where that was not sent.
    public var updatedAt: EventTime?

    /// The time that the patch counts by is its own, else that of its source: see `RecordTime` of the store.
    init(id: String, updatedAt: EventTime?) {
        values = Record(id: id)
        self.updatedAt = updatedAt
    }

    /// Names fields of a record, without its attributes.
    init(naming fields: PatchedFields, of record: Record, updatedAt: EventTime?) {
        self.init(id: record.id, updatedAt: updatedAt)
        for (place, field) in Record.patchFields.enumerated() where fields.contains(PatchedFields(place: place)) {
            field.take(&values, record)
            self.fields.insert(PatchedFields(place: place))
        }
    }

    /// Whose fields it changes.
    public var id: String { values.id }

    /// Whether it changes nothing.
    public var isEmpty: Bool { fields.isEmpty && !touchesAttributes }

    /// Whether it names the attributes or a member of them.
    public var touchesAttributes: Bool { clearsAttributes || !members.isEmpty }

    mutating func removeAttributes() { clearsAttributes = true }

    mutating func name(_ member: String, _ value: Member) { members[member] = value }

    /// The same without what it says of attributes.
    public var withoutAttributes: RecordPatch {
        var patch = self
        (patch.clearsAttributes, patch.members) = (false, [:])
        return patch
    }

    /// What it names, in one spelling: of two patches of an id with equal texts the newer says all that the older said.
    public var named: String {
        var names = Record.patchFields.indices.filter { fields.contains(PatchedFields(place: $0)) }.map { Record.patchFields[$0].name }
        if clearsAttributes { names.append("attributes") }
        return (names + members.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { "attributes/\($0)" })
            .map(JSONText.quoted).joined(separator: ",")
    }

    /// The patch as one line of JSON that decodes to an equal value.
    public func json() -> String {
        let whole = JSONText.rawMembers(of: values.json())
        return JSONWriter.object { object in
            object.key(data: Record.idField)
            object.string(id)
            object.key("patch")
            object.bool(true)
            for (place, field) in Record.patchFields.enumerated() where fields.contains(PatchedFields(place: place)) {
                object.key(data: field.name)
                object.raw(whole[field.name] ?? "null")
            }
            if clearsAttributes {
                object.key("attributes")
                object.null()
            } else if !members.isEmpty {
                object.key("attributes")
                object.object { attributes in
                    for (name, member) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                        attributes.key(data: name)
                        if case .value(let value) = member { attributes.raw(value) } else { attributes.null() }
                    }
                }
            }
            object.field("updated_at", updatedAt)
        }
    }
}

extension JSONText {
    /// The members of an object, each as it is written; of a name that occurs twice the last. None of what is no object.
    ///
    /// - Complexity: O(bytes).
    static func rawMembers(of json: String) -> [String: String] {
        var json = json
        return json.withUTF8 { bytes in
            guard bytes.count > 2 else { return [:] }
            var scanner = JSONScanner(bytes, from: 0, to: bytes.count, maxDepth: DecodingRules.deepestAllowed)
            scanner.skipSpace()
            guard scanner.byte == UInt8(ascii: "{") else { return [:] }
            scanner.at += 1
            var result: [String: String] = [:], first = true
            do throws(Rejection) {
                while let key = try scanner.nextKey(first: &first) {
                    let name = unescaped(key, bytes)
                    let token = try scanner.value(depth: 1)
                    let quote = token.kind == .string ? 1 : 0
                    let written = UnsafeBufferPointer(rebasing: bytes[token.start - quote..<token.end + quote])
                    result[name] = String(decoding: written, as: UTF8.self)
                }
            } catch {
                return [:]
            }
            return result
        }
    }

    /// A value without the members, of objects at any depth, that are null: in a merge patch null removes (RFC 7396). Elements of lists
    /// stay.
    static func withoutNulls(_ json: String) -> String {
        guard json.utf8.first == UInt8(ascii: "{"), json.contains("null") else { return json }
        return object(ofRaw: rawMembers(of: json).filter { $0.value != "null" }.mapValues(withoutNulls)) ?? "{}"
    }

    /// An object of these members in the order of their names' bytes; nil where there are none.
    static func object(ofRaw members: [String: String]) -> String? {
        if members.isEmpty { return nil }
        let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return "{" + sorted.map { "\(quoted($0.key)):\($0.value)" }.joined(separator: ",") + "}"
    }
}

import Interactions

/// What bytes look like that are not what was expected, for reasons.
enum RecordLook {
    /// A piece of a sentence: `a JSON object`, `a file of Avro`.
    static func of(_ bytes: UnsafeRawBufferPointer) -> String {
        if bytes.isEmpty { return "nothing" }
        if bytes.starts(with: "Obj\u{1}".utf8) { return "a container file of Avro, with a schema of its own" }
        if bytes.starts(with: [0xC3, 0x01]) { return "Avro with a fingerprint for its schema (C3 01), and not a registry's number" }
        if bytes.starts(with: [0x1F, 0x8B]) { return "something compressed by gzip" }
        if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return "something compressed by Zstandard" }
        if let number = Framing.schemaNumber(bytes) { return "a record with the schema \(number) of a registry" }
        let text = bytes.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        switch text.first {
        case UInt8(ascii: "{"): return "a JSON object"
        case UInt8(ascii: "["): return "a JSON array"
        case UInt8(ascii: "<"): return "XML"
        default: break
        }
        let head = bytes.prefix(24)
        guard head.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
            let digits = head.prefix(8).map { byte in
                let digits = String(byte, radix: 16, uppercase: true)
                return digits.utf8.count == 1 ? "0" + digits : digits
            }
            return "bytes that begin with \(digits.joined(separator: " "))"
        }
        return "the text \(JSONText.quoted(String(decoding: head, as: UTF8.self)))"
    }
}

#if canImport(FoundationEssentials)
import Bytes
import FoundationEssentials
#else
import Foundation
#endif

/// Reads and adds one field of a record without decoding the rest of it.
enum RecordEditor {
    /// Where a field of an object stands.
    enum Field: Equatable {
        /// The bytes are no object, or not one whose fields can be told.
        case notAnObject
        case absent
        /// The bytes of its value.
        case value(Range<Int>)
    }

    /// Finds the last field named `name` among those of the object itself, not of objects within it.
    static func find(_ name: String, in bytes: UnsafeRawBufferPointer) -> Field {
        guard let first = bytes.first, first == UInt8(ascii: "{") else { return .notAnObject }
        var found: Field = .absent
        var index = RecordSplitter.skipSpace(bytes, from: 1)
        if index < bytes.count, bytes[index] == UInt8(ascii: "}") { return .absent }
        while true {
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\""),
                let keyEnd = try? RecordSplitter.stringEnd(bytes, from: index)
            else { return .notAnObject }
            let isWanted = matches(bytes, index..<keyEnd, name)
            index = RecordSplitter.skipSpace(bytes, from: keyEnd)
            guard index < bytes.count, bytes[index] == UInt8(ascii: ":") else { return .notAnObject }
            index = RecordSplitter.skipSpace(bytes, from: index + 1)
            guard let end = try? RecordSplitter.valueEnd(bytes, from: index) else { return .notAnObject }
            if isWanted { found = .value(index..<end) }
            index = RecordSplitter.skipSpace(bytes, from: end)
            guard index < bytes.count else { return .notAnObject }
            if bytes[index] == UInt8(ascii: "}") { return found }
            guard bytes[index] == UInt8(ascii: ",") else { return .notAnObject }
            index = RecordSplitter.skipSpace(bytes, from: index + 1)
        }
    }

    /// Appends `record` to `output` with `name` set to `value` where it is missing or null; anything else stays as it is.
    static func append(
        _ record: UnsafeRawBufferPointer, to output: inout [UInt8], setting name: StaticString, to value: String
    ) {
        var writer = JSONWriter(reservingBytes: 64)
        switch find("\(name)", in: record) {
        case .absent:
            writer.key(name)
            writer.string(value)
            output.append(UInt8(ascii: "{"))
            output.append(contentsOf: writer.bytes)
            let next = RecordSplitter.skipSpace(record, from: 1)
            if next < record.count, record[next] != UInt8(ascii: "}") { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: record[1...])
        case .value(let range) where record[range].elementsEqual("null".utf8):
            writer.string(value)
            output.append(contentsOf: record[..<range.lowerBound])
            output.append(contentsOf: writer.bytes)
            output.append(contentsOf: record[range.upperBound...])
        case .value, .notAnObject:
            output.append(contentsOf: record)
        }
    }

    /// The text of a field's value, or nil where it is not a JSON string.
    static func string(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> String? {
        guard bytes[range].first == UInt8(ascii: "\"") else { return nil }
        return try? JSONDecoder().decode(String.self, from: Data(bytes[range]))
    }

    private static func matches(_ bytes: UnsafeRawBufferPointer, _ quoted: Range<Int>, _ name: String) -> Bool {
        let inner = bytes[quoted.lowerBound + 1..<quoted.upperBound - 1]
        // An escaped key may spell the same name another way.
        if inner.contains(UInt8(ascii: "\\")) { return string(bytes, quoted) == name }
        return inner.elementsEqual(name.utf8)
    }
}

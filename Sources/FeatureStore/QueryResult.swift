import CLibPQ
import Interactions

/// The rows of a statement in PostgreSQL's binary format. Owns libpq's result and frees it.
///
/// A column that does not have the asked-for width reads as nil: the statements in this target fix the types.
final class QueryResult {
    private let result: OpaquePointer

    init(_ result: OpaquePointer) { self.result = result }
    deinit { PQclear(result) }

    var count: Int { Int(PQntuples(result)) }

    /// How many rows the statement inserted, updated or deleted.
    var affected: Int { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }

    func isNull(_ row: Int, _ column: Int) -> Bool { PQgetisnull(result, Int32(row), Int32(column)) != 0 }

    /// The value's bytes, valid as long as this result; empty for null.
    func bytes(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: PQgetvalue(result, Int32(row), Int32(column)), count: Int(PQgetlength(result, Int32(row), Int32(column))))
    }

    private func integer<T: FixedWidthInteger>(_ row: Int, _ column: Int, _ type: T.Type) -> T? {
        let value = bytes(row, column)
        return value.count == MemoryLayout<T>.size ? T(bigEndian: value.loadUnaligned(as: T.self)) : nil
    }

    func int64(_ row: Int, _ column: Int) -> Int64? { integer(row, column, Int64.self) }
    func int32(_ row: Int, _ column: Int) -> Int32? { integer(row, column, Int32.self) }
    func int16(_ row: Int, _ column: Int) -> Int16? { integer(row, column, Int16.self) }
    func double(_ row: Int, _ column: Int) -> Double? { integer(row, column, UInt64.self).map(Double.init(bitPattern:)) }
    func bool(_ row: Int, _ column: Int) -> Bool { bytes(row, column).first == 1 }

    func string(_ row: Int, _ column: Int) -> String? {
        isNull(row, column) ? nil : String(decoding: bytes(row, column), as: UTF8.self)
    }

    func time(_ row: Int, _ column: Int) -> EventTime? { int64(row, column).map(DatabaseTime.time(microseconds:)) }

    /// A `jsonb` value as JSON text.
    func json(_ row: Int, _ column: Int) -> String? {
        isNull(row, column) ? nil : String(decoding: bytes(row, column).dropFirst(1), as: UTF8.self)
    }

    /// A one-dimensional `text[]`; nulls inside are left out.
    func strings(_ row: Int, _ column: Int) -> [String] { BinaryArray.strings(bytes(row, column)) }

    /// A one-dimensional `real[]`, or nil for null.
    func floats(_ row: Int, _ column: Int) -> [Float]? { isNull(row, column) ? nil : BinaryArray.floats(bytes(row, column)) }
}

/// PostgreSQL's binary arrays of one dimension: dimensions, has-null flag, element type, (length, lower bound), elements.
enum BinaryArray {
    static func strings(_ array: UnsafeRawBufferPointer) -> [String] {
        var strings: [String] = []
        forEach(array) { strings.append(String(decoding: $0, as: UTF8.self)) }
        return strings
    }

    static func floats(_ array: UnsafeRawBufferPointer) -> [Float] {
        var floats: [Float] = []
        forEach(array) {
            if $0.count == 4 { floats.append(Float(bitPattern: UInt32(bigEndian: $0.loadUnaligned(as: UInt32.self)))) }
        }
        return floats
    }

    private static func forEach(_ array: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard array.count >= 20, Int32(bigEndian: array.loadUnaligned(as: Int32.self)) == 1 else { return }
        var at = 20
        while at + 4 <= array.count {
            let length = Int(Int32(bigEndian: array.loadUnaligned(fromByteOffset: at, as: Int32.self)))
            at += 4
            if length < 0 { continue }
            guard at + length <= array.count else { return }
            body(UnsafeRawBufferPointer(rebasing: array[at..<(at + length)]))
            at += length
        }
    }
}

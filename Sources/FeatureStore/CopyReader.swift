import Interactions

/// Reads the fields of one row of a binary COPY, in order, out of a message that libpq holds.
struct CopyReader {
    private let message: UnsafeRawBufferPointer
    private var at = 0
    private static let headerBytes = 19
    private static let malformed = StoreError(.malformedAnswer, "PostgreSQL sent a COPY row that ends inside a field")

    init(_ message: UnsafeRawBufferPointer) { self.message = message }

    mutating func skipHeader() throws(StoreError) {
        guard message.count >= Self.headerBytes else { throw Self.malformed }
        at = Self.headerBytes + Int(Int32(bigEndian: message.loadUnaligned(fromByteOffset: 15, as: Int32.self)))
    }

    /// False at the end of the COPY, or in a message that holds only the header.
    mutating func startRow() throws(StoreError) -> Bool {
        if at >= message.count { return false }
        guard at + 2 <= message.count else { throw Self.malformed }
        let fields = Int16(bigEndian: message.loadUnaligned(fromByteOffset: at, as: Int16.self))
        at += 2
        return fields >= 0
    }

    /// The next field's bytes, or nil for null.
    mutating func next() throws(StoreError) -> UnsafeRawBufferPointer? {
        guard at + 4 <= message.count else { throw Self.malformed }
        let length = Int(Int32(bigEndian: message.loadUnaligned(fromByteOffset: at, as: Int32.self)))
        at += 4
        if length < 0 { return nil }
        guard at + length <= message.count else { throw Self.malformed }
        defer { at += length }
        return UnsafeRawBufferPointer(rebasing: message[at..<(at + length)])
    }

    private mutating func integer<T: FixedWidthInteger>(_ type: T.Type) throws(StoreError) -> T? {
        guard let field = try next() else { return nil }
        guard field.count == MemoryLayout<T>.size else { throw Self.malformed }
        return T(bigEndian: field.loadUnaligned(as: T.self))
    }

    mutating func int64() throws(StoreError) -> Int64? { try integer(Int64.self) }
    mutating func int32() throws(StoreError) -> Int32? { try integer(Int32.self) }
    mutating func int16() throws(StoreError) -> Int16? { try integer(Int16.self) }
    mutating func bool() throws(StoreError) -> Bool { try next()?.first == 1 }
    mutating func time() throws(StoreError) -> EventTime? { try int64().map(DatabaseTime.time(microseconds:)) }
    mutating func string() throws(StoreError) -> String? { try next().map { String(decoding: $0, as: UTF8.self) } }
    mutating func json() throws(StoreError) -> String? {
        try next().map { String(decoding: $0.dropFirst(1), as: UTF8.self) }
    }
    mutating func strings() throws(StoreError) -> [String] { try next().map(BinaryArray.strings) ?? [] }
    mutating func floats() throws(StoreError) -> [Float]? { try next().map(BinaryArray.floats) }
}

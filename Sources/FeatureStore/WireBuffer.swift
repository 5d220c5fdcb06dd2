import Interactions

/// Bytes in network order as PostgreSQL's binary formats want them. Grows by doubling; appending allocates nothing else.
///
/// What would make it larger than its bound is not kept: ``isOverfull`` says so from then on, and what it holds is of no use.
///
/// A class with one owner: copies of a struct around it would share the bytes.
package final class WireBuffer {
    /// PostgreSQL takes no message of 1 GiB or more.
    package static let messageBytesLimit = 1 << 30 - 1 << 16

    private(set) var baseAddress: UnsafeMutableRawPointer
    /// Bytes that were appended.
    package private(set) var count = 0
    /// Whether more was appended since ``removeAll()`` than the buffer may hold.
    private(set) var isOverfull = false
    /// Bytes that there is room for.
    package private(set) var capacity: Int
    private let limitBytes: Int

    init(capacityBytes: Int, limitBytes: Int = WireBuffer.messageBytesLimit) {
        capacity = max(64, capacityBytes)
        self.limitBytes = max(capacity, limitBytes)
        baseAddress = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit { baseAddress.deallocate() }

    /// Empties the buffer and keeps its memory.
    func removeAll() {
        count = 0
        isOverfull = false
    }

    @inline(__always)
    func reserve(_ bytes: Int) {
        if count + bytes > capacity { grow(bytes) }
    }

    /// - Parameter bytes: at most the limit.
    private func grow(_ bytes: Int) {
        if count + bytes > limitBytes {
            // The memory is used again from its start: it never grows beyond the bound.
            isOverfull = true
            count = 0
            if bytes <= capacity { return }
        }
        let larger = min(limitBytes, max(capacity * 2, count + bytes))
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        moved.copyMemory(from: baseAddress, byteCount: count)
        baseAddress.deallocate()
        baseAddress = moved
        capacity = larger
    }

    @inline(__always)
    func append<T: FixedWidthInteger>(_ value: T) {
        reserve(MemoryLayout<T>.size)
        baseAddress.storeBytes(of: value.bigEndian, toByteOffset: count, as: T.self)
        count += MemoryLayout<T>.size
    }

    func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    @inline(__always)
    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        guard bytes.count <= limitBytes else {
            isOverfull = true
            return
        }
        reserve(bytes.count)
        (baseAddress + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    @inline(__always)
    func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    // Fields: a 32-bit length and the value, -1 for null.

    @inline(__always)
    func appendNull() { append(Int32(-1)) }

    @inline(__always)
    func appendField<T: FixedWidthInteger>(_ value: T) {
        append(Int32(MemoryLayout<T>.size))
        append(value)
    }

    @inline(__always)
    func appendField<T: FixedWidthInteger>(_ value: T?) {
        if let value { appendField(value) } else { appendNull() }
    }

    func appendField(_ flag: Bool) {
        append(Int32(1))
        append(UInt8(flag ? 1 : 0))
    }

    func appendField(_ bytes: [UInt8]) {
        append(Int32(clamping: bytes.count))
        append(bytes)
    }

    func appendField(_ bytes: [UInt8]?) {
        if let bytes { appendField(bytes) } else { appendNull() }
    }

    @inline(__always)
    func appendField(_ text: String) {
        var text = text
        text.withUTF8 {
            append(Int32(clamping: $0.count))
            append(UnsafeRawBufferPointer($0))
        }
    }

    @inline(__always)
    func appendField(_ text: String?) {
        if let text { appendField(text) } else { appendNull() }
    }

    /// A JSON text as `jsonb`: a version byte and the text.
    @inline(__always)
    func appendField(json text: String?) {
        guard var text else { return appendNull() }
        text.withUTF8 {
            append(Int32(clamping: $0.count + 1))
            append(UInt8(1))
            append(UnsafeRawBufferPointer($0))
        }
    }

    func appendField(_ texts: [String]) {
        appendArray(element: TypeID.text, count: texts.count) { for text in texts { appendField(text) } }
    }

    func appendField(_ numbers: [Float]?) {
        guard let numbers else { return appendNull() }
        appendArray(element: TypeID.float4, count: numbers.count) { for number in numbers { appendField(number.bitPattern) } }
    }

    private func appendArray(element: UInt32, count elements: Int, _ write: () -> Void) {
        let lengthAt = count
        append(Int32(0))
        append(Int32(elements == 0 ? 0 : 1))
        append(Int32(0))
        append(element)
        if elements > 0 {
            append(Int32(clamping: elements))
            append(Int32(1))
            write()
        }
        let length = Int32(clamping: count - lengthAt - 4)
        baseAddress.storeBytes(of: length.bigEndian, toByteOffset: lengthAt, as: Int32.self)
    }

    // Fields of a row value: the type's identifier comes before the field.

    @inline(__always)
    func appendTypedField(_ value: Int64) {
        append(TypeID.int8)
        appendField(value)
    }

    @inline(__always)
    func appendTypedField(_ value: Int32) {
        append(TypeID.int4)
        appendField(value)
    }

    @inline(__always)
    func appendTypedField(_ time: EventTime) {
        append(TypeID.timestamptz)
        appendField(DatabaseTime.microseconds(time))
    }

    @inline(__always)
    func appendTypedField(_ text: String) {
        append(TypeID.text)
        appendField(text)
    }

    func appendTypedField(_ bytes: [UInt8]?) {
        append(TypeID.bytea)
        appendField(bytes)
    }

    /// What `write` appends, with its length in bytes before it.
    @inline(__always)
    func appendSized(_ write: () -> Void) {
        let lengthAt = count
        append(Int32(0))
        write()
        let length = Int32(clamping: count - lengthAt - 4)
        baseAddress.storeBytes(of: length.bigEndian, toByteOffset: lengthAt, as: Int32.self)
    }

    // Binary COPY.

    /// The header of binary COPY: signature, flags, no extension.
    func appendCopyHeader() {
        append([0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00] as [UInt8])
        append(Int32(0))
        append(Int32(0))
    }

    /// The end of binary COPY.
    func appendCopyTrailer() { append(Int16(-1)) }
}

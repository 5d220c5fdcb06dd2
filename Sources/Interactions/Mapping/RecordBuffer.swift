/// Bytes of one record that is being written, in memory that the next one uses again.
///
/// Beside an array it spares the checks of every small piece: mapping writes some twenty to a record. Whoever has it gives the memory back
/// by ``deallocate()``.
struct RecordBuffer {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init() {
        capacity = 4_096
        base = .allocate(capacity: capacity)
    }

    func deallocate() { base.deallocate() }

    /// What was written since the last ``clear()``; valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    mutating func clear() { count = 0 }

    /// Takes back what was written behind a place.
    mutating func cut(to count: Int) { self.count = count }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        if count == capacity { grow(1) }
        base[count] = byte
        count &+= 1
    }

    @inline(__always)
    mutating func append(_ source: UnsafePointer<UInt8>, _ length: Int) {
        if count &+ length > capacity { grow(length) }
        (base + count).update(from: source, count: length)
        count &+= length
    }

    @inline(__always)
    mutating func append(_ text: FixedText) { append(text.start, text.count) }

    mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        if let start = text.baseAddress { append(start, text.count) }
    }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    /// A whole number in decimal digits.
    mutating func append(number: Int64) {
        var digits: (UInt64, UInt64, UInt32) = (0, 0, 0)
        var rest = number.magnitude
        if number < 0 { append(UInt8(ascii: "-")) }
        withUnsafeMutableBytes(of: &digits) { digits in
            var start = digits.count
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            append(UnsafeBufferPointer(rebasing: digits.bindMemory(to: UInt8.self)[start...]))
        }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: base, count: count)
        base.deallocate()
        (base, capacity) = (moved, larger)
    }
}

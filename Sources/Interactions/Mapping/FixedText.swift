/// Bytes that stay where they are as long as their ``TextStore``: read for every record without a count of references.
struct FixedText {
    let start: UnsafePointer<UInt8>
    let count: Int

    /// Whether a value is this text: strings as they mean, numbers as they are written, `true` and `false` as words.
    func isEqual(_ token: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        switch token.kind {
        case .string where token.traits.contains(.escaped): return isSpelled(token, bytes)
        case .string, .number, .yes, .no:
            guard token.count == count else { return false }
            for index in 0..<count where bytes[token.start &+ index] != start[index] { return false }
            return true
        case .absent, .null, .array, .object: return false
        }
    }

    @inline(never)
    private func isSpelled(_ token: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        JSONText.unescaped(token, bytes).utf8.elementsEqual(bytesOfText)
    }

    /// The bytes, for what is no hot path.
    var bytesOfText: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }
    /// The text, for people.
    var text: String { String(decoding: bytesOfText, as: UTF8.self) }
}

/// Where fixed texts are kept; they go with it.
final class TextStore {
    private var kept: [UnsafeMutablePointer<UInt8>] = []

    func keep(_ text: some Collection<UInt8>) -> FixedText {
        let count = text.count, memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, count))
        for (index, byte) in text.enumerated() { memory[index] = byte }
        kept.append(memory)
        return FixedText(start: memory, count: count)
    }

    deinit { for memory in kept { memory.deallocate() } }
}

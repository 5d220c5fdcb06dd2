/// Reads columns of little-endian numbers one after the other out of bytes that may be damaged.
public struct ColumnReader<Failure: Error> {
    private let bytes: UnsafeRawBufferPointer
    private let subject: String
    private let failure: (String) -> Failure
    private var offset = 0

    /// - Parameters:
    ///   - subject: what is read, as the errors name it: "the content channel".
    ///   - failure: makes the error of a sentence.
    public init(_ bytes: UnsafeRawBufferPointer, of subject: String, failure: @escaping (String) -> Failure) {
        self.bytes = bytes
        self.subject = subject
        self.failure = failure
    }

    /// The next numbers.
    ///
    /// - Throws: where there are not so many left.
    public mutating func values<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) throws(Failure) -> [Element] {
        // Compared before it is multiplied, so that a damaged count can neither overflow nor allocate.
        guard count >= 0, count <= (bytes.count - offset) / MemoryLayout<Element>.stride else {
            throw failure("\(subject) is cut short. Restore the file, or train again.")
        }
        let part = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count * MemoryLayout<Element>.stride])
        offset += part.count
        return [Element](unsafeUninitializedCapacity: count) { buffer, filled in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(from: part)
            filled = count
        }
    }

    /// The next numbers, none of which may be infinite or no number.
    public mutating func finite(_ count: Int) throws(Failure) -> [Float] {
        try checked(try values(Float.self, count))
    }

    /// The next numbers, which were written as their upper 16 bits.
    public mutating func halves(_ count: Int) throws(Failure) -> [Float] {
        try checked(try values(UInt16.self, count).map { Float(bitPattern: UInt32($0) << 16) })
    }

    /// - Throws: where bytes are left.
    public func end() throws(Failure) {
        guard offset == bytes.count else { throw failure("\(subject) is longer than it says. Restore the file, or train again.") }
    }

    private func checked(_ numbers: [Float]) throws(Failure) -> [Float] {
        guard numbers.allSatisfy(\.isFinite) else { throw failure("\(subject) holds values that are not finite. Train again.") }
        return numbers
    }
}

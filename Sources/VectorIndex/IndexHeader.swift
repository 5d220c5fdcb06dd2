/// The first bytes of an index file. All numbers are little-endian and have eight bytes, but for the version.
///
/// After the header come the parts of the body, one after another, and nothing else.
struct IndexHeader {
    static let magic: UInt64 = 0x0049_5848_5352_4624  // "$FRSHXI\0"
    static let version: UInt32 = 2
    static let numberCount = 5 + 2 * ProbePlan.maxSteps
    static let partCount = 6
    static let byteCount = 12 + 8 * (6 + numberCount + partCount + 1)

    enum Kind: Int64 {
        case flat = 0
        case graph = 1
        case lists = 2
    }

    var kind: Kind
    /// The version of the model whose items these are; 0 where there is none.
    var modelVersion: Int64
    var count: Int64
    var dimension: Int64
    /// The fingerprint of the vectors, which are not in the file.
    var vectors: UInt64
    /// The recall that was measured, as the bits of a `Double`; that of a NaN where none was.
    var recall: UInt64
    /// What the kind needs besides: see ``ItemIndex/save(to:modelVersion:)``.
    var numbers: [Int64]
    /// Bytes of each part of the body.
    var parts: [Int64]
    /// Over the header's other bytes and the body.
    var checksum: UInt64 = 0

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        append(Self.magic)
        append(Self.version)
        append(kind.rawValue)
        append(modelVersion)
        append(count)
        append(dimension)
        append(vectors)
        append(recall)
        for number in numbers { append(number) }
        for part in parts { append(part) }
        append(checksum)
        return bytes
    }

    /// The checksum that the header and `parts` should have.
    func checksum(of parts: [UnsafeRawBufferPointer]) -> UInt64 {
        var hash = WordHash()
        bytes.withUnsafeBytes { hash.combine(UnsafeRawBufferPointer(rebasing: $0[..<(Self.byteCount - 8)])) }
        for part in parts { hash.combine(part) }
        return hash.value
    }

    /// Reads the header of a file and finds the parts of its body. Everything but the checksum is bounded by the file's size.
    static func read(
        _ bytes: UnsafeRawBufferPointer, _ path: String
    ) throws(VectorIndexError) -> (IndexHeader, [UnsafeRawBufferPointer]) {
        func number<Number: FixedWidthInteger>(_ offset: Int, _: Number.Type) -> Number {
            Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
        }
        guard bytes.count >= 12, number(0, UInt64.self) == magic else {
            throw VectorIndexError(.notAnIndex, "\(path) is not an index file.")
        }
        guard number(8, UInt32.self) == version else {
            throw VectorIndexError(
                .otherVersion,
                "\(path) has format version \(number(8, UInt32.self)); this program reads \(version). Build the index again.")
        }
        guard bytes.count >= byteCount else { throw damaged(path, "the header is cut short") }
        guard let kind = Kind(rawValue: number(12, Int64.self)) else { throw damaged(path, "its kind is unknown") }
        let field = { (place: Int) in number(12 + 8 * place, Int64.self) }
        let header = IndexHeader(
            kind: kind, modelVersion: field(1), count: field(2), dimension: field(3),
            vectors: UInt64(bitPattern: field(4)), recall: UInt64(bitPattern: field(5)),
            numbers: (0..<numberCount).map { field(6 + $0) }, parts: (0..<partCount).map { field(6 + numberCount + $0) },
            checksum: UInt64(bitPattern: field(6 + numberCount + partCount)))
        var parts: [UnsafeRawBufferPointer] = []
        var offset = byteCount
        for size in header.parts {
            guard size >= 0, size <= bytes.count - offset else { throw damaged(path, "it is cut short") }
            parts.append(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(size)]))
            offset += Int(size)
        }
        guard offset == bytes.count else { throw damaged(path, "it has \(bytes.count) bytes and should have \(offset)") }
        guard header.checksum(of: parts) == header.checksum else { throw damaged(path, "its checksum is wrong") }
        return (header, parts)
    }

    static func damaged(_ path: String, _ what: String) -> VectorIndexError {
        VectorIndexError(.damaged, "\(path): \(what). Delete the file; the index is built again from the model.")
    }
}

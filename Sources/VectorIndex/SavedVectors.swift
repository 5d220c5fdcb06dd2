/// Item vectors as a file: ids and vectors by row, as they were at a version of the catalogue.
///
/// Beside the index of the same rows (``ItemIndex/save(to:modelVersion:)``) it lets a server start without encoding and indexing
/// a large catalogue: what changed after ``catalogueVersion`` is all that it must encode.
///
/// Layout, little-endian: magic, checksum over all that follows, format version, version of the model, version of the catalogue,
/// count, dimension, bytes of the ids, lineage of the catalogue (64 bits each); the vectors; of each id the length (32 bits) and UTF-8.
public struct SavedVectors: Sendable, Equatable {
    private static let magic: UInt64 = 0x0056_5848_5352_4624  // "$FRSHXV\0"
    private static let version: Int64 = 2
    private static let headerBytes = 9 * 8

    /// The items' ids, in the order of the vectors.
    public var itemIDs: [String]
    /// `[itemIDs.count, dimension]`, row-major.
    public var vectors: [Float]
    /// The length of each vector.
    public var dimension: Int
    /// What items changed later is not in the vectors.
    public var catalogueVersion: Int64
    /// The history that the version belongs to: a restored database may have the same version of another one.
    public var catalogueLineage: Int64

    /// Makes a table.
    public init(itemIDs: [String], vectors: [Float], dimension: Int, catalogueVersion: Int64, catalogueLineage: Int64 = 0) {
        precondition(
            vectors.count == itemIDs.count * dimension,
            "\(vectors.count) floats are not \(itemIDs.count) vectors of dimension \(dimension)")
        self.itemIDs = itemIDs
        self.vectors = vectors
        self.dimension = dimension
        self.catalogueVersion = catalogueVersion
        self.catalogueLineage = catalogueLineage
    }

    /// Whether there is a file to load.
    public static func exists(_ path: String) -> Bool { WholeFile.exists(path) }

    /// Writes the file, so that it is there whole or not at all.
    ///
    /// - Parameter modelVersion: of the model that made the vectors; ``load(path:modelVersion:dimension:)`` asks for it.
    public func save(to path: String, modelVersion: Int64) throws(VectorIndexError) {
        var ids: [UInt8] = []
        for id in itemIDs {
            withUnsafeBytes(of: UInt32(clamping: id.utf8.count).littleEndian) { ids.append(contentsOf: $0) }
            ids.append(contentsOf: id.utf8)
        }
        let numbers = [
            Self.version, modelVersion, catalogueVersion, Int64(itemIDs.count), Int64(dimension), Int64(ids.count), catalogueLineage,
        ]
        try Self.withBytes(numbers, vectors, ids) { (numbers, vectors, ids) throws(VectorIndexError) in
            var hash = WordHash()
            for part in [numbers, vectors, ids] { hash.combine(part) }
            var header: [UInt8] = []
            for word in [Self.magic, hash.value] { withUnsafeBytes(of: word.littleEndian) { header.append(contentsOf: $0) } }
            try WholeFile.write(header, [numbers, vectors, ids], to: path)
        }
    }

    /// Reads what ``save(to:modelVersion:)`` wrote. A file that is cut short, changed, of another format or of another model is refused.
    public static func load(path: String, modelVersion: Int64, dimension: Int) throws(VectorIndexError) -> SavedVectors {
        return try WholeFile.read(path).read { (bytes) throws(VectorIndexError) in
            func word(_ place: Int) -> Int64 {
                Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * place, as: Int64.self))
            }
            guard bytes.count >= headerBytes, UInt64(bitPattern: word(0)) == magic else {
                throw VectorIndexError(.notAnIndex, "\(path) holds no item vectors. They are computed again.")
            }
            guard word(2) == version else {
                throw VectorIndexError(
                    .otherVersion, "\(path) has format version \(word(2)); this program reads \(version). The vectors are computed again.")
            }
            guard word(3) == modelVersion, word(6) == Int64(dimension) else {
                throw VectorIndexError(
                    .otherModel, "\(path) has vectors of model version \(word(3)), not of \(modelVersion). They are computed again.")
            }
            let count = word(5), idBytes = word(7), body = Int64(bytes.count - headerBytes)
            guard count >= 0, idBytes >= 0, dimension > 0, count <= body / Int64(4 * dimension),
                idBytes == body - count * Int64(4 * dimension)
            else { throw damaged(path, "its size does not fit") }
            let vectorBytes = Int(count) * 4 * dimension
            let parts = [
                bytes[16..<headerBytes], bytes[headerBytes..<headerBytes + vectorBytes], bytes[(headerBytes + vectorBytes)...],
            ].map { UnsafeRawBufferPointer(rebasing: $0) }
            var hash = WordHash()
            for part in parts { hash.combine(part) }
            guard Int64(bitPattern: hash.value) == word(1) else { throw damaged(path, "its checksum is wrong") }
            let vectors = [Float](unsafeUninitializedCapacity: Int(count) * dimension) { buffer, filled in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: parts[1])
                filled = buffer.count
            }
            return SavedVectors(
                itemIDs: try ids(parts[2], Int(count), path), vectors: vectors, dimension: dimension, catalogueVersion: word(4),
                catalogueLineage: word(8))
        }
    }

    private static func ids(_ bytes: UnsafeRawBufferPointer, _ count: Int, _ path: String) throws(VectorIndexError) -> [String] {
        var ids: [String] = []
        ids.reserveCapacity(count)
        var offset = 0
        for _ in 0..<count {
            guard bytes.count - offset >= 4 else { throw damaged(path, "its ids are cut short") }
            let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            offset += 4
            guard length <= bytes.count - offset else { throw damaged(path, "its ids are cut short") }
            ids.append(String(decoding: bytes[offset..<offset + length], as: UTF8.self))
            offset += length
        }
        return ids
    }

    private static func damaged(_ path: String, _ what: String) -> VectorIndexError {
        VectorIndexError(.damaged, "\(path): \(what). The vectors are computed again from the model.")
    }

    private static func withBytes(
        _ numbers: [Int64], _ vectors: [Float], _ ids: [UInt8],
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(VectorIndexError) -> Void
    ) throws(VectorIndexError) {
        let result = numbers.withUnsafeBytes { numbers in
            vectors.withUnsafeBytes { vectors in
                ids.withUnsafeBytes { ids in
                    do throws(VectorIndexError) {
                        try body(numbers, vectors, ids)
                        return VectorIndexError?.none
                    } catch {
                        return error
                    }
                }
            }
        }
        if let result { throw result }
    }
}

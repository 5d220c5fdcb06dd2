/// Item ids in the order of their rows: for each its length as a variable-length integer (seven bits a byte, the lowest
/// first) and its UTF-8.
enum ItemIDFile {
    /// Ids are bounded on their way in; a longer one cannot be ours.
    static let maxIDBytes = 65_536

    static func bytes(_ ids: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for id in ids {
            var length = id.utf8.count
            while length >= 128 {
                bytes.append(UInt8(length & 127 | 128))
                length >>= 7
            }
            bytes.append(UInt8(length))
            bytes.append(contentsOf: id.utf8)
        }
        return bytes
    }

    static func read(_ bytes: UnsafeRawBufferPointer, count: Int, path: String) throws(ArtifactError) -> [String] {
        let damaged = ArtifactError(.damaged, path: path, "the item ids cannot be read. Restore the file, or train again.")
        // Each id takes at least one byte, so a wrong count cannot ask for much memory.
        guard count >= 0, count <= bytes.count else { throw damaged }
        var ids: [String] = []
        ids.reserveCapacity(count)
        var offset = 0
        while offset < bytes.count {
            var length = 0
            var shift = 0
            while true {
                guard offset < bytes.count, shift <= 21 else { throw damaged }
                let byte = bytes[offset]
                offset += 1
                length |= Int(byte & 127) << shift
                if byte < 128 { break }
                shift += 7
            }
            guard length <= maxIDBytes, length <= bytes.count - offset,
                let id = String(validating: bytes[offset..<offset + length], as: UTF8.self)
            else { throw damaged }
            ids.append(id)
            offset += length
        }
        guard ids.count == count else { throw damaged }
        return ids
    }
}

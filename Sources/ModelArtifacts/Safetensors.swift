import Foundation
import TwoTower

/// The safetensors layout: eight bytes with the size of a JSON header, the header, the tensors one after the other.
///
/// Only little-endian 32-bit floats (`F32`) are written and read. Files open in Python with `safetensors.numpy.load_file`.
enum Safetensors {
    /// A larger header is refused before it is parsed.
    static let maxHeaderBytes = 16 << 20

    private struct Entry: Codable {
        var dtype: String
        var shape: [Int]
        var dataOffsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case dataOffsets = "data_offsets"
        }
    }

    static func write(_ tensors: [NamedTensor], to file: inout DurableFile, path: String) throws(ArtifactError) {
        var entries: [String: Entry] = [:]
        var offset = 0
        for tensor in tensors {
            let end = offset + tensor.values.count * 4
            guard entries.updateValue(
                Entry(dtype: "F32", shape: tensor.shape, dataOffsets: [offset, end]), forKey: tensor.name) == nil
            else {
                throw ArtifactError(.unusable, path: path, "two tensors are named \(tensor.name).")
            }
            offset = end
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard var header = (try? encoder.encode(entries)).map({ [UInt8]($0) }), header.count <= maxHeaderBytes else {
            throw ArtifactError(.unusable, path: path, "the header of \(tensors.count) tensors cannot be written.")
        }
        // Spaces, so that the floats start at a multiple of eight bytes.
        header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
        try file.append([UInt64(header.count).littleEndian])
        try file.append(header)
        for tensor in tensors { try file.append(tensor.values) }
    }

    /// The tensors, in the order of their data. Every offset is checked against the file and the shape.
    static func read(_ bytes: UnsafeRawBufferPointer, path: String) throws(ArtifactError) -> [NamedTensor] {
        func damaged(_ what: String) -> ArtifactError {
            ArtifactError(.damaged, path: path, "\(what). Restore the file, or train again.")
        }
        guard bytes.count >= 8 else { throw damaged("its header is cut short") }
        let size = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard size <= UInt64(maxHeaderBytes), Int(size) <= bytes.count - 8 else {
            throw damaged("its header of \(size) bytes is larger than the file or than \(maxHeaderBytes) bytes")
        }
        let header = Data(bytes[8..<8 + Int(size)])
        guard let entries = try? JSONDecoder().decode([String: Entry].self, from: header) else {
            throw damaged("its header is not that of tensors")
        }
        let data = UnsafeRawBufferPointer(rebasing: bytes[(8 + Int(size))...])
        var tensors: [NamedTensor] = []
        var expected = 0
        // By start and end, so that an empty tensor comes before the one that starts at the same place.
        let inOrder = entries.sorted { left, right in
            left.value.dataOffsets.lexicographicallyPrecedes(right.value.dataOffsets)
        }
        for (name, entry) in inOrder {
            guard entry.dtype == "F32", entry.dataOffsets.count == 2, entry.dataOffsets[0] == expected,
                entry.dataOffsets[1] >= expected, entry.dataOffsets[1] <= data.count,
                let count = elements(entry.shape), entry.dataOffsets[1] - expected == count * 4
            else { throw damaged("tensor \(name) does not fit its place") }
            let values = [Float](unsafeUninitializedCapacity: count) { values, filled in
                if count > 0 {
                    UnsafeMutableRawBufferPointer(values).copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: data[expected..<expected + count * 4]))
                }
                filled = count
            }
            tensors.append(NamedTensor(name: name, shape: entry.shape, values: values))
            expected = entry.dataOffsets[1]
        }
        guard expected == data.count else { throw damaged("\(data.count - expected) bytes belong to no tensor") }
        return tensors
    }

    /// The product of a shape, or nil where it is negative or absurd.
    private static func elements(_ shape: [Int]) -> Int? {
        var count = 1
        for side in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: side)
            guard side >= 0, !overflow, product <= 1 << 40 else { return nil }
            count = product
        }
        return count
    }
}

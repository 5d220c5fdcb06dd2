import Foundation
import TowerModel

/// The safetensors layout: eight bytes with the size of a JSON header, the header, the tensors one after the other.
///
/// Little-endian 32-bit floats (`F32`) are written and read; a tensor in 8 bits is one of whole numbers (`I8`) and one of the scales of its
/// rows, NAME.scale (`BF16`), which are read as floats. Files open in Python with `safetensors.torch.load_file`.
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

    private static let scaleEnding = ".scale"

    /// - Parameter int8: names of tensors that are written in 8 bits.
    static func write(
        _ tensors: [NamedTensor], int8: Set<String> = [], to file: inout DurableFile, path: String
    ) throws(ArtifactError) {
        var entries: [String: Entry] = [:]
        var offset = 0
        func enter(_ name: String, _ dtype: String, _ shape: [Int], bytes: Int) throws(ArtifactError) {
            guard entries.updateValue(Entry(dtype: dtype, shape: shape, dataOffsets: [offset, offset + bytes]), forKey: name) == nil else {
                throw ArtifactError(.unusable, path: path, "two tensors are named \(name).")
            }
            offset += bytes
        }
        // Floats first, so that they start at multiples of four bytes.
        let floats = tensors.filter { !int8.contains($0.name) || $0.values.isEmpty },
            rounded = tensors.filter { int8.contains($0.name) && !$0.values.isEmpty }
        for tensor in floats { try enter(tensor.name, "F32", tensor.shape, bytes: tensor.values.count * 4) }
        for tensor in rounded {
            let rows = tensor.shape.first ?? 0
            try enter(tensor.name + scaleEnding, "BF16", [rows, 1], bytes: 2 * rows)
            try enter(tensor.name, "I8", tensor.shape, bytes: tensor.values.count)
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
        for tensor in floats { try file.append(tensor.values) }
        for tensor in rounded {
            let rows = Int8Rows(tensor.values, rows: tensor.shape.first ?? 0)
            // A scale is a bfloat16 already.
            try file.append(rows.scales.map { UInt16($0.bitPattern >> 16).littleEndian })
            try file.append(rows.codes)
        }
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
        var tensors: [NamedTensor] = [], scales: [String: [Float]] = [:]
        var expected = 0
        // By start and end, so that an empty tensor comes before the one that starts at the same place.
        let inOrder = entries.sorted { left, right in
            left.value.dataOffsets.lexicographicallyPrecedes(right.value.dataOffsets)
        }
        for (name, entry) in inOrder {
            guard let width = ["F32": 4, "BF16": 2, "I8": 1][entry.dtype], entry.dataOffsets.count == 2, entry.dataOffsets[0] == expected,
                entry.dataOffsets[1] >= expected, entry.dataOffsets[1] <= data.count,
                let count = elements(entry.shape), entry.dataOffsets[1] - expected == count * width
            else { throw damaged("tensor \(name) does not fit its place") }
            let place = UnsafeRawBufferPointer(rebasing: data[expected..<entry.dataOffsets[1]])
            expected = entry.dataOffsets[1]
            if entry.dtype == "BF16" {
                // The scales come before the tensor that they belong to.
                scales[name] = (0..<count).map {
                    Float(bitPattern: UInt32(UInt16(littleEndian: place.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))) << 16)
                }
                continue
            }
            if entry.dtype == "I8" {
                guard let own = scales.removeValue(forKey: name + scaleEnding), own.count == entry.shape.first else {
                    throw damaged("tensor \(name) has not one scale a row")
                }
                tensors.append(
                    NamedTensor(
                        name: name, shape: entry.shape, values: Int8Rows(codes: place.map { Int8(bitPattern: $0) }, scales: own).values))
                continue
            }
            let values = [Float](unsafeUninitializedCapacity: count) { values, filled in
                if count > 0 {
                    UnsafeMutableRawBufferPointer(values).copyMemory(
                        from: place)
                }
                filled = count
            }
            tensors.append(NamedTensor(name: name, shape: entry.shape, values: values))
        }
        guard expected == data.count else { throw damaged("\(data.count - expected) bytes belong to no tensor") }
        if let name = scales.keys.min() { throw damaged("\(name) is the scale of no tensor") }
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

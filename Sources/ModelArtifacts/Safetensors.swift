import Foundation
import Tensors

/// The safetensors layout: eight bytes with the size of a JSON header, the header, the tensors one after the other.
///
/// Little-endian numbers of 8 to 64 bits are written and read, and a few texts under `__metadata__`. Files open in Python with
/// `safetensors.torch.load_file`.
enum Safetensors {
    /// A larger header is refused before it is parsed.
    static let maxHeaderBytes = 16 << 20

    private static let metadataName = "__metadata__"

    private struct Entry: Codable {
        var dtype: String
        var shape: [Int]
        var dataOffsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case dataOffsets = "data_offsets"
        }
    }

    /// What a name of the header stands for.
    private enum Member: Codable {
        case tensor(Entry)
        case texts([String: String])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let entry = try? container.decode(Entry.self) {
                self = .tensor(entry)
            } else {
                self = .texts(try container.decode([String: String].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .tensor(let entry): try container.encode(entry)
            case .texts(let texts): try container.encode(texts)
            }
        }
    }

    /// Writes tensors, the widest numbers first so that each starts at a multiple of its size.
    static func write(_ part: PartTensors, to file: inout DurableFile, path: String) throws(ArtifactError) {
        var members: [String: Member] = [:]
        if !part.texts.isEmpty { members[metadataName] = .texts(part.texts) }
        var offset = 0
        let inOrder = part.tensors.enumerated().sorted { left, right in
            let widths = (left.element.values.width, right.element.values.width)
            return widths.0 != widths.1 ? widths.0 > widths.1 : left.offset < right.offset
        }.map(\.element)
        for tensor in inOrder {
            let end = offset + tensor.values.count * tensor.values.width
            let entry = Entry(dtype: tensor.values.kind, shape: tensor.shape, dataOffsets: [offset, end])
            guard members.updateValue(.tensor(entry), forKey: tensor.name) == nil else {
                throw ArtifactError(.unusable, path: path, "two tensors are named \(tensor.name).")
            }
            offset = end
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard var header = (try? encoder.encode(members)).map({ [UInt8]($0) }), header.count <= maxHeaderBytes else {
            throw ArtifactError(.unusable, path: path, "the header of \(part.tensors.count) tensors cannot be written.")
        }
        // Spaces, so that the numbers start at a multiple of eight bytes.
        header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
        try file.append([UInt64(header.count).littleEndian])
        try file.append(header)
        for tensor in inOrder {
            switch tensor.values {
            case .float32(let values): try file.append(values)
            case .bfloat16(let values): try file.append(values.map { UInt16($0.bitPattern >> 16).littleEndian })
            case .int8(let values): try file.append(values)
            case .uint8(let values): try file.append(values)
            case .int32(let values): try file.append(values)
            case .int64(let values): try file.append(values)
            case .uint64(let values): try file.append(values)
            }
        }
    }

    /// The tensors in the order of their data, and the texts. Every offset is checked against the file and the shape.
    static func read(_ bytes: UnsafeRawBufferPointer, path: String) throws(ArtifactError) -> PartTensors {
        func damaged(_ what: String) -> ArtifactError {
            ArtifactError(.damaged, path: path, "\(what). Restore the file, or train again.")
        }
        guard bytes.count >= 8 else { throw damaged("its header is cut short") }
        let size = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard size <= UInt64(maxHeaderBytes), Int(size) <= bytes.count - 8 else {
            throw damaged("its header of \(size) bytes is larger than the file or than \(maxHeaderBytes) bytes")
        }
        guard let members = try? JSONDecoder().decode([String: Member].self, from: Data(bytes[8..<8 + Int(size)])) else {
            throw damaged("its header is not that of tensors")
        }
        let data = UnsafeRawBufferPointer(rebasing: bytes[(8 + Int(size))...])
        var tensors: [PartTensors.Tensor] = [], texts: [String: String] = [:], entries: [(name: String, entry: Entry)] = []
        for (name, member) in members {
            switch member {
            case .tensor(let entry) where name != metadataName: entries.append((name, entry))
            case .texts(let found) where name == metadataName: texts = found
            default: throw damaged("its header is not that of tensors")
            }
        }
        // By start and end, so that an empty tensor comes before the one that starts at the same place.
        entries.sort {
            $0.entry.dataOffsets != $1.entry.dataOffsets
                ? $0.entry.dataOffsets.lexicographicallyPrecedes($1.entry.dataOffsets) : $0.name < $1.name
        }
        var expected = 0
        for (name, entry) in entries {
            guard let width = PartTensors.Values.width(of: entry.dtype), entry.dataOffsets.count == 2, entry.dataOffsets[0] == expected,
                entry.dataOffsets[1] >= expected, entry.dataOffsets[1] <= data.count,
                let count = elements(entry.shape), entry.dataOffsets[1] - expected == count * width
            else { throw damaged("tensor \(name) does not fit its place") }
            let place = UnsafeRawBufferPointer(rebasing: data[expected..<entry.dataOffsets[1]])
            expected = entry.dataOffsets[1]
            guard let values = PartTensors.Values(entry.dtype, place, count: count) else {
                throw damaged("tensor \(name) does not fit its place")
            }
            tensors.append(PartTensors.Tensor(name: name, shape: entry.shape, values: values))
        }
        guard expected == data.count else { throw damaged("\(data.count - expected) bytes belong to no tensor") }
        return PartTensors(tensors: tensors, texts: texts)
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

extension PartTensors.Values {
    /// Bytes of a number in a file, by its kind there; nil for a kind that this program does not know.
    fileprivate static func width(of kind: String) -> Int? {
        ["F32": 4, "BF16": 2, "I8": 1, "U8": 1, "I32": 4, "I64": 8, "U64": 8][kind]
    }

    /// The name of the kind in a file.
    fileprivate var kind: String {
        switch self {
        case .float32: "F32"
        case .bfloat16: "BF16"
        case .int8: "I8"
        case .uint8: "U8"
        case .int32: "I32"
        case .int64: "I64"
        case .uint64: "U64"
        }
    }

    fileprivate var width: Int { Self.width(of: kind) ?? 1 }

    /// Numbers of a kind from the bytes of a file; nil for a kind that this program does not know.
    fileprivate init?(_ kind: String, _ bytes: UnsafeRawBufferPointer, count: Int) {
        func copied<Element: BitwiseCopyable>(_ type: Element.Type) -> [Element] {
            [Element](unsafeUninitializedCapacity: count) { values, filled in
                if count > 0 { UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes) }
                filled = count
            }
        }
        #if !_endian(little)
            #error("model files are little-endian")
        #endif
        switch kind {
        case "F32": self = .float32(copied(Float.self))
        case "BF16": self = .bfloat16(copied(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) })
        case "I8": self = .int8(copied(Int8.self))
        case "U8": self = .uint8(copied(UInt8.self))
        case "I32": self = .int32(copied(Int32.self))
        case "I64": self = .int64(copied(Int64.self))
        case "U64": self = .uint64(copied(UInt64.self))
        default: return nil
        }
    }
}

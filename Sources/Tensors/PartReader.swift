/// Why tensors are no part of a model.
public struct PartFormatError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence: which part, what is wrong with it, and what to do.
    public var description: String

    /// An error with its sentence.
    public init(_ description: String) { self.description = description }
}

/// Takes a part of a model apart: each tensor by its name, with its kind and length checked.
///
/// What a file holds may be damaged under a right checksum, or written by another program: everything that is asked for is there as it was
/// asked for, or an error names it.
public struct PartReader {
    private let subject: String
    private let texts: [String: String]
    private var left: [String: PartTensors.Tensor]

    /// - Parameters:
    ///   - subject: what is read, as errors name it: "the ranking blend".
    ///   - version: of the layout; another one is refused.
    /// - Throws: where the part is of another version.
    public init(_ part: PartTensors, of subject: String, version: Int) throws(PartFormatError) {
        self.subject = subject
        texts = part.texts
        left = Dictionary(part.tensors.map { ($0.name, $0) }) { first, _ in first }
        let found = part.texts[PartTensors.versionName]
        guard found == "\(version)" else {
            throw PartFormatError("\(subject) is of version \(found ?? "none") and this program reads \(version). Train again.")
        }
    }

    /// Whether a tensor is there and was not read yet.
    public func has(_ name: String) -> Bool { left[name] != nil }

    /// The next error's sentence with its subject.
    public func failure(_ words: String) -> PartFormatError {
        PartFormatError("\(subject) \(words). Restore the file, or train again.")
    }

    /// A short text.
    public func text(_ name: String) throws(PartFormatError) -> String {
        guard let text = texts[name] else { throw failure("lacks its \(name)") }
        return text
    }

    /// Floats, none of which may be infinite or no number.
    ///
    /// - Parameters:
    ///   - count: how many there must be; nil for any number.
    ///   - columns: how long the rows of a table must be; nil for a list.
    public mutating func floats(_ name: String, count: Int? = nil, columns: Int? = nil) throws(PartFormatError) -> [Float] {
        let tensor = try taken(name, count, columns)
        guard case .float32(let values) = tensor.values else { throw otherKind(name) }
        return try finite(values, name)
    }

    /// Floats that were kept in 16 bits, none of which may be infinite or no number; a table.
    public mutating func halves(_ name: String, columns: Int, rows: Int? = nil) throws(PartFormatError) -> [Float] {
        let tensor = try taken(name, nil, columns)
        guard case .bfloat16(let values) = tensor.values else { throw otherKind(name) }
        guard rows ?? (tensor.shape.first ?? 0) == tensor.shape.first else {
            throw failure("has \(tensor.shape.first ?? 0) rows of \(name) and needs \(rows ?? 0)")
        }
        return try finite(values, name)
    }

    /// Whole numbers of 64 bits that lie in a range.
    public mutating func integers(_ name: String, count: Int? = nil, in range: ClosedRange<Int>) throws(PartFormatError) -> [Int] {
        guard case .int64(let values) = try taken(name, count, nil).values else { throw otherKind(name) }
        guard values.allSatisfy({ range.contains(Int($0)) }) else { throw failure("holds \(name) that cannot be") }
        return values.map { Int($0) }
    }

    /// A whole number of 64 bits.
    public mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(PartFormatError) -> Int {
        try integers(name, count: 1, in: range)[0]
    }

    /// Whole numbers of 32 bits that lie in a range.
    public mutating func int32(_ name: String, count: Int? = nil, in range: ClosedRange<Int>) throws(PartFormatError) -> [Int32] {
        guard case .int32(let values) = try taken(name, count, nil).values else { throw otherKind(name) }
        guard values.allSatisfy({ range.contains(Int($0)) }) else { throw failure("holds \(name) that cannot be") }
        return values
    }

    /// Hashes.
    public mutating func hashes(_ name: String, count: Int? = nil) throws(PartFormatError) -> [UInt64] {
        guard case .uint64(let values) = try taken(name, count, nil).values else { throw otherKind(name) }
        return values
    }

    /// Yes or no, a byte each.
    public mutating func flags(_ name: String, count: Int) throws(PartFormatError) -> [Bool] {
        guard case .uint8(let values) = try taken(name, count, nil).values else { throw otherKind(name) }
        return values.map { $0 != 0 }
    }

    /// A list of texts; see ``PartTensors/add(_:list:)``.
    public mutating func list(_ name: String) throws(PartFormatError) -> [String] {
        guard case .uint8(let bytes) = try taken(name, nil, nil).values else { throw otherKind(name) }
        let ends = try integers(name + PartTensors.endsEnding, in: 0...bytes.count)
        var texts: [String] = [], start = 0
        texts.reserveCapacity(ends.count)
        for end in ends {
            guard end >= start, let text = String(validating: bytes[start..<end], as: UTF8.self) else {
                throw failure("holds \(name) that are no texts")
            }
            texts.append(text)
            start = end
        }
        guard start == bytes.count else { throw failure("holds more of \(name) than it says") }
        return texts
    }

    /// - Throws: where something was not read: it is of a program that knows more.
    public func end() throws(PartFormatError) {
        guard let name = left.keys.min() else { return }
        throw failure("holds \(name), which this program does not know")
    }

    private mutating func taken(_ name: String, _ count: Int?, _ columns: Int?) throws(PartFormatError) -> PartTensors.Tensor {
        guard let tensor = left.removeValue(forKey: name) else { throw failure("lacks its \(name)") }
        if let count, tensor.values.count != count { throw failure("has \(tensor.values.count) values of \(name) and needs \(count)") }
        if let columns {
            guard tensor.shape.count == 2, tensor.shape[1] == columns || tensor.values.count == 0 else {
                throw failure("has \(name) of shape \(tensor.shape) and needs rows of \(columns)")
            }
        } else {
            guard tensor.shape.count == 1 else { throw failure("has \(name) of shape \(tensor.shape) and needs a list") }
        }
        return tensor
    }

    private func otherKind(_ name: String) -> PartFormatError { failure("has \(name) in another kind of numbers") }

    private func finite(_ values: [Float], _ name: String) throws(PartFormatError) -> [Float] {
        guard values.allSatisfy(\.isFinite) else { throw failure("holds \(name) that are not finite") }
        return values
    }
}

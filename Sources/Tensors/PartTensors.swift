/// What a part of a model (its ranking blend, its heads, its content channel) is kept as: tensors of plain numbers and a few texts.
///
/// A part knows nothing of files, and what writes files knows nothing of parts. ``PartReader`` takes one apart again.
public struct PartTensors: Sendable, Equatable {
    /// Numbers of one kind.
    public enum Values: Sendable, Equatable {
        case float32([Float])
        /// Numbers of which the upper 16 bits are kept; see ``PartTensors/rounded(_:)``.
        case bfloat16([Float])
        case int8([Int8])
        case uint8([UInt8])
        case int32([Int32])
        case int64([Int64])
        case uint64([UInt64])

        /// How many there are.
        public var count: Int {
            switch self {
            case .float32(let values), .bfloat16(let values): values.count
            case .int8(let values): values.count
            case .uint8(let values): values.count
            case .int32(let values): values.count
            case .int64(let values): values.count
            case .uint64(let values): values.count
            }
        }
    }

    /// Numbers with a name and a shape, row-major.
    public struct Tensor: Sendable, Equatable {
        /// What readers ask for it by.
        public let name: String
        /// Rows and columns, or a length; their product is the number of values.
        public let shape: [Int]
        /// The numbers, row after row.
        public let values: Values

        /// Makes a tensor; the number of values is the product of `shape`.
        public init(name: String, shape: [Int], values: Values) {
            precondition(shape.reduce(1, *) == values.count, "tensor \(name): \(values.count) values cannot have the shape \(shape)")
            (self.name, self.shape, self.values) = (name, shape, values)
        }
    }

    /// In the order in which they were added; names are distinct.
    public private(set) var tensors: [Tensor] = []
    /// Short texts by name, such as the version of the part's layout.
    public var texts: [String: String] = [:]

    /// The text that says which layout a part is in.
    public static let versionName = "version"

    /// A part without anything.
    public init() {}

    /// A part from its tensors, as read from a file.
    ///
    /// - Precondition: their names are distinct.
    public init(tensors: [Tensor], texts: [String: String]) {
        precondition(Set(tensors.map(\.name)).count == tensors.count, "two tensors of a part have one name")
        (self.tensors, self.texts) = (tensors, texts)
    }

    /// A part in a version of its layout.
    public init(version: Int) { texts[Self.versionName] = "\(version)" }

    /// Adds a tensor.
    ///
    /// - Precondition: no other has its name.
    public mutating func add(_ tensor: Tensor) {
        precondition(!tensors.contains { $0.name == tensor.name }, "two tensors of a part are named \(tensor.name)")
        tensors.append(tensor)
    }

    /// Adds numbers.
    ///
    /// - Parameter columns: of a row-major table; nil for a plain list.
    public mutating func add(_ name: String, _ values: Values, columns: Int? = nil) {
        let shape = columns.map { $0 > 0 ? [values.count / $0, $0] : [0, 0] } ?? [values.count]
        add(Tensor(name: name, shape: shape, values: values))
    }

    /// Adds floats.
    public mutating func add(_ name: String, _ values: [Float], columns: Int? = nil) { add(name, .float32(values), columns: columns) }

    /// Adds floats of which the upper 16 bits are kept, rounded to nearest.
    public mutating func add(_ name: String, rounding values: [Float], columns: Int? = nil) {
        add(name, .bfloat16(Self.rounded(values)), columns: columns)
    }

    /// Adds whole numbers.
    public mutating func add(_ name: String, integers: [Int]) { add(name, .int64(integers.map { Int64($0) })) }

    /// Adds a list of texts of any number and length: their UTF-8 in one row, and where each ends.
    public mutating func add(_ name: String, list: [String]) {
        var bytes: [UInt8] = [], ends: [Int64] = []
        for text in list {
            bytes.append(contentsOf: text.utf8)
            ends.append(Int64(bytes.count))
        }
        add(name, .uint8(bytes))
        add(name + Self.endsEnding, .int64(ends))
    }

    static let endsEnding = ".ends"

    /// Adds all of another part, names and texts behind `prefix` and a dot.
    public mutating func add(_ part: PartTensors, under prefix: String) {
        for tensor in part.tensors { add(Tensor(name: "\(prefix).\(tensor.name)", shape: tensor.shape, values: tensor.values)) }
        for (name, text) in part.texts { texts["\(prefix).\(name)"] = text }
    }

    /// What ``add(_:under:)`` added.
    public func under(_ prefix: String) -> PartTensors {
        var part = PartTensors()
        let start = prefix + "."
        for tensor in tensors where tensor.name.hasPrefix(start) {
            part.add(Tensor(name: String(tensor.name.dropFirst(start.count)), shape: tensor.shape, values: tensor.values))
        }
        for (name, text) in texts where name.hasPrefix(start) { part.texts[String(name.dropFirst(start.count))] = text }
        return part
    }

    /// What is not under any of some prefixes.
    public func without(_ prefixes: [String]) -> PartTensors {
        var part = PartTensors()
        func isKept(_ name: String) -> Bool { !prefixes.contains { name.hasPrefix($0 + ".") } }
        for tensor in tensors where isKept(tensor.name) { part.add(tensor) }
        part.texts = texts.filter { isKept($0.key) }
        return part
    }

    /// The nearest numbers of which the lower 16 bits are zero, ties to even.
    public static func rounded(_ values: [Float]) -> [Float] {
        values.map { value in
            let bits = value.bitPattern
            return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
        }
    }
}

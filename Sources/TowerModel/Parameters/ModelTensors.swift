import ContentModel

/// A parameter with its name and shape, as model files hold it. Values are row-major.
public struct NamedTensor: Sendable, Equatable {
    /// Unique within a model or checkpoint.
    public var name: String
    /// Rows and columns.
    public var shape: [Int]
    /// Row-major.
    public var values: [Float]

    /// Makes a tensor; `values.count` is the product of `shape`.
    public init(name: String, shape: [Int], values: [Float]) {
        precondition(shape.reduce(1, *) == values.count, "tensor \(name): \(values.count) values cannot have the shape \(shape)")
        self.name = name
        self.shape = shape
        self.values = values
    }
}

/// Why tensors do not make a model or a checkpoint does not fit.
public struct ModelError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence: which tensor or setting, and what is wrong with it.
    public var description: String

    /// A refusal in a sentence.
    package init(_ description: String) { self.description = description }
}

/// Tensors looked up by name with their shapes checked.
package struct TensorReader {
    private let byName: [String: NamedTensor]

    /// Takes the tensors of a file.
    ///
    /// - Throws: where a name occurs twice.
    package init(_ tensors: [NamedTensor]) throws(ModelError) {
        var byName: [String: NamedTensor] = [:]
        for tensor in tensors {
            guard byName.updateValue(tensor, forKey: tensor.name) == nil else {
                throw ModelError("the tensor \(tensor.name) occurs twice")
            }
        }
        self.byName = byName
    }

    /// Rows of a two-dimensional tensor, or nil where it is absent.
    package func rows(of name: String) -> Int? { byName[name]?.shape.first }

    /// The values of a tensor of exactly this shape, all finite.
    package func values(_ name: String, rows: Int, columns: Int) throws(ModelError) -> [Float] {
        guard let tensor = byName[name] else {
            throw ModelError("the tensor \(name) is missing; the model was written by another version or is incomplete")
        }
        guard tensor.shape == [rows, columns] else {
            throw ModelError("the tensor \(name) has the shape \(tensor.shape) where the configuration needs [\(rows), \(columns)]")
        }
        guard tensor.values.count == rows * columns else {
            throw ModelError("the tensor \(name) has \(tensor.values.count) values for the shape \(tensor.shape)")
        }
        guard tensor.values.allSatisfy(\.isFinite) else {
            throw ModelError("the tensor \(name) holds values that are not finite")
        }
        return tensor.values
    }
}

extension TowerParameters {
    /// All parameters as tensors; names begin with `prefix`.
    package func tensors(prefix: String = "") -> [NamedTensor] {
        var result: [NamedTensor] = []
        for table in TableParameter.allCases {
            result.append(
                NamedTensor(
                    name: prefix + table.name, shape: [table.rows(in: shape), shape.dimension], values: self.table(table).values))
        }
        // Parameters that this shape does not have are neither written nor asked for.
        for parameter in DenseParameter.allCases where layout.length(parameter) > 0 {
            let size = parameter.size(in: shape)
            let values = UnsafeBufferPointer(start: dense.start + layout.offset(parameter), count: layout.length(parameter))
            result.append(NamedTensor(name: prefix + parameter.name, shape: [size.rows, size.columns], values: Array(values)))
        }
        return result
    }

    /// Reads all parameters; the shapes must be those of ``shape``.
    package func read(_ reader: TensorReader, prefix: String = "") throws(ModelError) {
        for table in TableParameter.allCases {
            let values = try reader.values(prefix + table.name, rows: table.rows(in: shape), columns: shape.dimension)
            let target = self.table(table).start
            values.withUnsafeBufferPointer { if let from = $0.baseAddress { target.update(from: from, count: $0.count) } }
        }
        for parameter in DenseParameter.allCases where layout.length(parameter) > 0 {
            let size = parameter.size(in: shape)
            let values = try reader.values(prefix + parameter.name, rows: size.rows, columns: size.columns)
            let target = dense.start + layout.offset(parameter)
            values.withUnsafeBufferPointer { if let from = $0.baseAddress { target.update(from: from, count: $0.count) } }
        }
    }
}

extension TowerParameters {
    /// Tells parameters from any others that differ in a bit: a sum over all words, each weighted by its place.
    package var checksum: UInt64 { Self.checksum([dense] + tables) }

    /// The same of what is not a table.
    package var denseChecksum: UInt64 { Self.checksum([dense]) }

    private static func checksum(_ buffers: [FloatBuffer]) -> UInt64 {
        buffers.reduce(UInt64(1)) { sum, buffer in
            var result = sum &* 0x9E37_79B9_7F4A_7C15, weight: UInt64 = 1
            for index in 0..<buffer.count {
                result &+= UInt64(buffer.start[index].bitPattern) &* weight
                weight &+= 2
            }
            return result
        }
    }
}

extension TowerShape {
    /// The shape that a configuration and the sizes of the data give.
    package init(_ configuration: TowerConfiguration, itemCount: Int, embedding: Int) {
        self.init(
            dimension: configuration.dimension, heads: configuration.users.heads, historyLength: configuration.historyLength,
            hidden: configuration.users.hidden, contentHidden: configuration.items.usesContent ? configuration.items.hidden : 0,
            tokenRows: configuration.items.usesContent ? configuration.items.textBuckets + configuration.items.tagBuckets : 0,
            userRows: configuration.users.buckets, itemCount: itemCount, embedding: configuration.items.usesContent ? embedding : 0,
            sequence: configuration.users.kind == .sequence ? SequenceShape(configuration) : nil,
            learnsTemperature: configuration.loss.learnedTemperature)
    }
}

extension ContentHasher {
    /// What the hasher learned, as tensors.
    package func tensors() -> [NamedTensor] {
        // Whole milliseconds do not fit a Float; days, seconds of the day and milliseconds do.
        let days = clock.quotient(floor: 86_400_000), rest = clock - days * 86_400_000
        return [
            NamedTensor(name: "content.frequency", shape: [bucketCount, 1], values: inverseFrequency),
            NamedTensor(name: "content.scale", shape: [2, 2], values: numberMean + numberScale),
            NamedTensor(name: "content.clock", shape: [1, 3], values: [Float(days), Float(rest / 1_000), Float(rest % 1_000)]),
        ]
    }

    /// A hasher that has learned nothing.
    ///
    /// - Parameter clock: milliseconds since 1970; ages of items are counted back from it.
    package init(_ items: TowerConfiguration.Items, clock: Int64) {
        self.init(textBuckets: items.textBuckets, tagBuckets: items.tagBuckets, textTokens: items.textTokens, clock: clock)
    }

    /// A hasher from its tensors.
    package init(_ configuration: TowerConfiguration, reader: TensorReader) throws(ModelError) {
        let time = try reader.values("content.clock", rows: 1, columns: 3)
        guard time.allSatisfy({ abs($0) < 1e7 }) else { throw ModelError("the tensor content.clock is no time: \(time)") }
        self.init(
            configuration.items, clock: Int64(time[0]) * 86_400_000 + Int64(time[1]) * 1_000 + Int64(time[2]))
        inverseFrequency = try reader.values("content.frequency", rows: bucketCount, columns: 1)
        let scale = try reader.values("content.scale", rows: 2, columns: 2)
        numberMean = Array(scale[0..<2])
        numberScale = Array(scale[2..<4])
    }
}

extension Int64 {
    /// Division that rounds down, so that times before 1970 keep a positive rest.
    fileprivate func quotient(floor divisor: Int64) -> Int64 {
        self / divisor - (self % divisor < 0 ? 1 : 0)
    }
}

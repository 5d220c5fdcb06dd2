import ContentModel
import Tensors

/// The sizes of a mean-pooled model.
package struct MeanShape: Sendable, Equatable {
    /// d: length of the rows and of the towers' output; a multiple of 16.
    package var dimension: Int
    /// Width of both hidden layers; a multiple of 16, above 0.
    package var hidden: Int
    /// N: history entries averaged.
    package var historyLength: Int
    /// Rows of the item table.
    package var itemCount: Int
    /// Rows of the user table, 0 where users have none.
    package var userCount: Int
    /// Rows of the token table, 0 where content is not used.
    package var tokenRows: Int
    /// Length of embeddings in the records, 0 where there are none.
    package var embedding: Int

    /// Length of the user tower's input: the user's row, where there is one, and the mean of the history.
    package var inputWidth: Int { userCount > 0 ? 2 * dimension : dimension }

    /// Components that served vectors have beside the towers' output; see ``MeanTowerModel``.
    static let servedExtra = 8

    package init(_ configuration: TowerConfiguration, itemCount: Int, userCount: Int, embedding: Int) {
        dimension = configuration.dimension
        hidden = configuration.hidden
        historyLength = configuration.historyLength
        self.itemCount = itemCount
        self.userCount = configuration.userIDs ? userCount : 0
        tokenRows = configuration.useContent ? configuration.textBuckets + configuration.tagBuckets : 0
        self.embedding = configuration.useContent ? embedding : 0
    }
}

/// The dense parameters of a mean-pooled model; they lie in one block.
package enum MeanDense: Int, CaseIterable {
    case userInputWeight, userInputBias, userOutputWeight, userOutputBias
    case itemInputWeight, itemInputBias, itemOutputWeight, itemOutputBias
    case contentNumbers, contentEmbedding

    /// The name in model files.
    package var name: String {
        switch self {
        case .userInputWeight: "mean.user.input.weight"
        case .userInputBias: "mean.user.input.bias"
        case .userOutputWeight: "mean.user.output.weight"
        case .userOutputBias: "mean.user.output.bias"
        case .itemInputWeight: "mean.item.input.weight"
        case .itemInputBias: "mean.item.input.bias"
        case .itemOutputWeight: "mean.item.output.weight"
        case .itemOutputBias: "mean.item.output.bias"
        case .contentNumbers: "mean.content.numbers"
        case .contentEmbedding: "mean.content.embedding"
        }
    }

    /// Rows (inputs) and columns (outputs).
    package func size(in shape: MeanShape) -> (rows: Int, columns: Int) {
        let d = shape.dimension, h = shape.hidden
        return switch self {
        case .userInputWeight: (shape.inputWidth, h)
        case .userInputBias, .itemInputBias: (1, h)
        case .userOutputWeight, .itemOutputWeight: (h, d)
        case .userOutputBias, .itemOutputBias: (1, d)
        case .itemInputWeight: (d, h)
        case .contentNumbers: (shape.tokenRows > 0 ? ContentFeatures.numberCount : 0, d)
        case .contentEmbedding: (shape.embedding, d)
        }
    }

    /// Inputs that an output of the layer sums over: decides how large the first values are.
    func fanIn(in shape: MeanShape) -> Int {
        switch self {
        case .userInputWeight, .userInputBias: shape.inputWidth
        case .itemInputWeight, .itemInputBias: shape.dimension
        case .userOutputWeight, .userOutputBias, .itemOutputWeight, .itemOutputBias: shape.hidden
        case .contentNumbers, .contentEmbedding: 1
        }
    }

    /// Whether weight decay applies.
    package var decays: Bool {
        switch self {
        case .userInputWeight, .userOutputWeight, .itemInputWeight, .itemOutputWeight, .contentEmbedding: true
        default: false
        }
    }

    /// The layers whose transpose the way back needs.
    package static let transposed: [MeanDense] = [.userInputWeight, .userOutputWeight, .itemInputWeight, .itemOutputWeight]
}

/// The embedding tables of a mean-pooled model.
package enum MeanTable: Int, CaseIterable {
    case items, users, tokens

    /// The name in model files.
    package var name: String {
        switch self {
        case .items: "mean.item.rows"
        case .users: "mean.user.rows"
        case .tokens: "mean.content.tokens"
        }
    }

    package func rows(in shape: MeanShape) -> Int {
        switch self {
        case .items: shape.itemCount
        case .users: shape.userCount
        case .tokens: shape.tokenRows
        }
    }
}

/// All parameters of a mean-pooled model under training, with the transposes of its layers.
package final class MeanParameters {
    package let shape: MeanShape
    /// The dense block.
    package let dense: FloatBuffer
    /// Indexed by ``MeanTable``; rows of d floats.
    package let tables: [FloatBuffer]
    private let transposes: FloatBuffer
    private let offsets: [Int]
    private let transposeOffsets: [Int]

    /// Zeros.
    package init(_ shape: MeanShape) {
        self.shape = shape
        var offsets: [Int] = [], next = 0
        for parameter in MeanDense.allCases {
            offsets.append(next)
            let size = parameter.size(in: shape)
            next += size.rows * size.columns
        }
        self.offsets = offsets + [next]
        dense = FloatBuffer(next)
        tables = MeanTable.allCases.map { FloatBuffer($0.rows(in: shape) * shape.dimension) }
        var transposeOffsets: [Int] = [], length = 0
        for parameter in MeanDense.transposed {
            transposeOffsets.append(length)
            let size = parameter.size(in: shape)
            length += size.rows * size.columns
        }
        self.transposeOffsets = transposeOffsets
        transposes = FloatBuffer(length)
    }

    package func table(_ table: MeanTable) -> FloatBuffer { tables[table.rawValue] }

    /// Where a parameter lies in the dense block.
    package func range(_ parameter: MeanDense) -> Range<Int> { offsets[parameter.rawValue]..<offsets[parameter.rawValue + 1] }

    package func start(_ parameter: MeanDense) -> UnsafeMutablePointer<Float> { dense.start + offsets[parameter.rawValue] }

    /// The transpose of one of ``MeanDense/transposed``, as of the last ``transpose(_:)``.
    package func transposed(_ parameter: MeanDense) -> UnsafePointer<Float> {
        UnsafePointer(transposes.start + transposeOffsets[MeanDense.transposed.firstIndex(of: parameter) ?? 0])
    }

    /// Brings the transpose of one of ``MeanDense/transposed`` up to date.
    package func transpose(_ parameter: MeanDense) {
        let size = parameter.size(in: shape)
        Kernels.transpose(
            rows: size.rows, columns: size.columns, start(parameter), stride: size.columns,
            into: UnsafeMutablePointer(mutating: transposed(parameter)), stride: size.rows)
    }

    package func transposeAll() {
        for parameter in MeanDense.transposed { transpose(parameter) }
    }

    package func copy(from other: MeanParameters) {
        dense.copy(from: other.dense)
        for (mine, theirs) in zip(tables, other.tables) { mine.copy(from: theirs) }
        transposeAll()
    }

    /// The start of training: rows of deviation 0.1, layers uniform within 1 / √inputs, tokens zero, so that a token that no
    /// training item had says nothing.
    package func initialize(seed: UInt64) {
        var random = SeededGenerator(seed: seed, stream: 0x6d65_616e)
        for table in [MeanTable.items, .users] {
            let buffer = self.table(table)
            for index in 0..<buffer.count { buffer.start[index] = 0.1 * random.normal() }
        }
        for parameter in MeanDense.allCases {
            let isContent = parameter == .contentNumbers || parameter == .contentEmbedding
            let bound = isContent ? 0.05 : 1 / Float(max(1, parameter.fanIn(in: shape))).squareRoot()
            for index in range(parameter) { dense.start[index] = random.uniform(in: -bound..<bound) }
        }
        transposeAll()
    }

    /// All parameters as tensors; names begin with `prefix`.
    package func tensors(prefix: String = "") -> [NamedTensor] {
        var result = MeanTable.allCases.map {
            NamedTensor(name: prefix + $0.name, shape: [$0.rows(in: shape), shape.dimension], values: table($0).values)
        }
        for parameter in MeanDense.allCases {
            let size = parameter.size(in: shape), range = range(parameter)
            result.append(
                NamedTensor(
                    name: prefix + parameter.name, shape: [size.rows, size.columns],
                    values: Array(UnsafeBufferPointer(start: dense.start + range.lowerBound, count: range.count))))
        }
        return result
    }

    /// Reads all parameters; the shapes must be those of ``shape``.
    package func read(_ reader: TensorReader, prefix: String = "") throws(ModelError) {
        func fill(_ target: UnsafeMutablePointer<Float>, _ values: [Float]) {
            values.withUnsafeBufferPointer { if let from = $0.baseAddress { target.update(from: from, count: $0.count) } }
        }
        for table in MeanTable.allCases {
            fill(
                self.table(table).start,
                try reader.values(prefix + table.name, rows: table.rows(in: shape), columns: shape.dimension))
        }
        for parameter in MeanDense.allCases {
            let size = parameter.size(in: shape)
            fill(start(parameter), try reader.values(prefix + parameter.name, rows: size.rows, columns: size.columns))
        }
        transposeAll()
    }
}

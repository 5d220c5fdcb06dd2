import ContentModel
import Tensors

/// The sizes of a model, from its configuration and its data.
package struct TowerShape: Sendable, Equatable {
    /// Types of interactions, impression included.
    package static let typeCount = 4
    /// Buckets of the time between a history entry and the newest one: powers of two of minutes.
    package static let gapCount = 24
    /// Buckets of the time since the newest history entry: powers of two of half hours.
    package static let idleCount = 20
    /// Stands for a user without a history.
    package static let noIdle = UInt8.max

    /// d: length of item and user vectors.
    package var dimension: Int
    /// K: pools of the history.
    package var heads: Int
    /// N: history entries seen.
    package var historyLength: Int
    /// H: the user tower's hidden layer.
    package var hidden: Int
    /// The item tower's hidden layer.
    package var contentHidden: Int
    /// Rows of the token table, 0 where content is not used.
    package var tokenRows: Int
    /// Rows of the user token table.
    package var userRows: Int
    /// Rows of the id table.
    package var itemCount: Int
    /// Length of embeddings in the records, 0 where there are none.
    package var embedding: Int
    /// The sequence tower's sizes, nil for another tower.
    package var sequence: SequenceShape?
    /// Whether the temperature is a parameter.
    var learnsTemperature = false

    /// Parts of the user network's input beside the attributes, each d floats: pools of the pooled tower; block output, newest
    /// item and moving means of the sequence tower.
    var inputParts: Int {
        guard let sequence else { return heads }
        return sequence.hasNetwork ? 2 + sequence.means : 0
    }
    /// Whether the user tower ends in the network.
    package var hasNetwork: Bool { sequence?.hasNetwork ?? true }

    /// Length of the user network's input: its parts and the attributes.
    package var inputWidth: Int { (inputParts + 1) * dimension }
    /// Length of the user tower's first product: hidden layer and direct path.
    package var innerWidth: Int { hidden + dimension }
}

/// The dense parameters; they lie in one block, so that one call reduces, measures or copies them all.
package enum DenseParameter: Int, CaseIterable {
    case contentNumbers, contentEmbedding, contentHiddenWeight, contentHiddenBias, contentOutputWeight, contentBias
    case attentionPositions, attentionTypes, attentionGaps, attentionEmpty, idle
    case userInputWeight, userInputBias, userOutputWeight
    case temperature
    case sequencePlaces, sequenceTypes, sequenceGaps, sequenceEmpty, sequenceDecays
    case blockNorm, blockInputWeight, blockInputBias, blockDistances, blockOutputWeight, blockOutputBias
    case feedNorm, feedInputWeight, feedInputBias, feedOutputWeight, feedOutputBias, sequenceNorm

    /// The name in model files.
    package var name: String {
        switch self {
        case .contentNumbers: "content.numbers"
        case .contentEmbedding: "content.embedding"
        case .contentHiddenWeight: "content.hidden.weight"
        case .contentHiddenBias: "content.hidden.bias"
        case .contentOutputWeight: "content.output.weight"
        case .contentBias: "content.bias"
        case .attentionPositions: "user.attention.positions"
        case .attentionTypes: "user.attention.types"
        case .attentionGaps: "user.attention.gaps"
        case .attentionEmpty: "user.attention.empty"
        case .idle: "user.idle"
        case .userInputWeight: "user.input.weight"
        case .userInputBias: "user.input.bias"
        case .userOutputWeight: "user.output.weight"
        case .temperature: "user.temperature"
        case .sequencePlaces: "user.sequence.places"
        case .sequenceTypes: "user.sequence.types"
        case .sequenceGaps: "user.sequence.gaps"
        case .sequenceEmpty: "user.sequence.empty"
        case .sequenceDecays: "user.sequence.decays"
        case .blockNorm: "user.block.norm"
        case .blockInputWeight: "user.block.input.weight"
        case .blockInputBias: "user.block.input.bias"
        case .blockDistances: "user.block.distances"
        case .blockOutputWeight: "user.block.output.weight"
        case .blockOutputBias: "user.block.output.bias"
        case .feedNorm: "user.block.feed.norm"
        case .feedInputWeight: "user.block.feed.input.weight"
        case .feedInputBias: "user.block.feed.input.bias"
        case .feedOutputWeight: "user.block.feed.output.weight"
        case .feedOutputBias: "user.block.feed.output.bias"
        case .sequenceNorm: "user.sequence.norm"
        }
    }

    /// Rows and columns.
    package func size(in shape: TowerShape) -> (rows: Int, columns: Int) {
        let d = shape.dimension, s = shape.sequence ?? .none, pools = shape.sequence == nil ? shape.heads : 0
        let blocks = s.blocks, fed = s.feedForward > 0 ? s.blocks : 0
        return switch self {
        case .contentNumbers: (ContentFeatures.numberCount, d)
        case .contentEmbedding: (shape.embedding, d)
        case .contentHiddenWeight: (d, shape.contentHidden)
        case .contentHiddenBias: (1, shape.contentHidden)
        case .contentOutputWeight: (shape.contentHidden, d)
        case .contentBias: (1, d)
        case .attentionPositions: (pools, shape.historyLength)
        case .attentionTypes: (pools, TowerShape.typeCount)
        case .attentionGaps: (pools, TowerShape.gapCount)
        case .attentionEmpty: (pools, 1)
        case .idle: (TowerShape.idleCount, d)
        case .userInputWeight: shape.hasNetwork ? (shape.inputWidth, shape.innerWidth) : (0, 0)
        case .userInputBias: shape.hasNetwork ? (1, shape.innerWidth) : (0, 0)
        case .userOutputWeight: shape.hasNetwork ? (shape.hidden, d) : (0, d)
        case .temperature: (shape.learnsTemperature ? 1 : 0, 1)
        case .sequencePlaces: (s.hasPlaces ? shape.historyLength : 0, d)
        case .sequenceTypes: (blocks > 0 ? TowerShape.typeCount : 0, d)
        case .sequenceGaps: (blocks > 0 ? TowerShape.gapCount : 0, d)
        case .sequenceEmpty: (blocks > 0 ? 1 : 0, d)
        case .sequenceDecays: (s.hasNetwork ? s.means : 0, 1)
        case .blockNorm: (2 * blocks, d)
        case .blockInputWeight: (blocks * d, s.projection(d))
        case .blockInputBias: (blocks, s.projection(d))
        case .blockDistances: (s.hasDistances ? blocks * s.heads : 0, shape.historyLength)
        case .blockOutputWeight: (blocks * d, d)
        case .blockOutputBias: (blocks, d)
        case .feedNorm: (2 * fed, d)
        case .feedInputWeight: (fed * d, s.feedForward)
        case .feedInputBias: (fed, s.feedForward)
        case .feedOutputWeight: (fed * s.feedForward, d)
        case .feedOutputBias: (fed, d)
        case .sequenceNorm: (blocks > 0 ? 2 : 0, d)
        }
    }

    /// Whether weight decay applies: to the weights of layers, not to biases and attention.
    package var decays: Bool {
        switch self {
        case .contentHiddenWeight, .contentOutputWeight, .userInputWeight, .userOutputWeight, .contentEmbedding,
            .blockInputWeight, .blockOutputWeight, .feedInputWeight, .feedOutputWeight: true
        default: false
        }
    }
}

/// Where each dense parameter lies in the block.
package struct DenseLayout: Sendable {
    /// The sizes that the layout is for.
    package let shape: TowerShape
    /// By ``DenseParameter``, where it begins.
    @usableFromInline package let offsets: [Int]
    /// Length of the block, padding included.
    package let count: Int

    /// The layout for a model of these sizes.
    package init(_ shape: TowerShape) {
        self.shape = shape
        var offsets: [Int] = [], next = 0
        for parameter in DenseParameter.allCases {
            offsets.append(next)
            let size = parameter.size(in: shape)
            // Whole cache lines, so that no two parameters share one.
            next += (size.rows * size.columns + 15) / 16 * 16
        }
        self.offsets = offsets
        count = next
    }

    /// Where a parameter begins in the block.
    @inlinable package func offset(_ parameter: DenseParameter) -> Int { offsets[parameter.rawValue] }

    /// Floats of a parameter.
    package func length(_ parameter: DenseParameter) -> Int {
        let size = parameter.size(in: shape)
        return size.rows * size.columns
    }
}

/// The embedding tables; training touches the rows that a batch used.
package enum TableParameter: Int, CaseIterable {
    case itemIDs, contentTokens, userTokens

    /// The name in model files.
    package var name: String {
        switch self {
        case .itemIDs: "item.ids"
        case .contentTokens: "content.tokens"
        case .userTokens: "user.tokens"
        }
    }

    /// Rows that a model of these sizes has.
    package func rows(in shape: TowerShape) -> Int {
        switch self {
        case .itemIDs: shape.itemCount
        case .contentTokens: shape.tokenRows
        case .userTokens: shape.userRows
        }
    }
}

/// Floats at a fixed address for the life of the object, 64-byte aligned. The trainer's working memory; one thread owns the
/// object, and parallel regions write disjoint parts of it.
package final class FloatBuffer {
    /// The first float.
    package let start: UnsafeMutablePointer<Float>
    /// Floats.
    package let count: Int

    /// Zeros.
    package init(_ count: Int) {
        self.count = count
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(16, count) * MemoryLayout<Float>.stride, alignment: 64)
        if count >= 1 << 20 { Kernels.preferLargePages(bytes, bytes: count * MemoryLayout<Float>.stride) }
        start = bytes.bindMemory(to: Float.self, capacity: max(16, count))
        start.update(repeating: 0, count: max(16, count))
    }

    /// A copy of values.
    package convenience init(_ values: [Float]) {
        self.init(values.count)
        values.withUnsafeBufferPointer { if let from = $0.baseAddress { start.update(from: from, count: values.count) } }
    }

    deinit { start.deallocate() }

    /// Sets all to zero.
    package func zero() { start.update(repeating: 0, count: count) }

    /// Takes over the values of a buffer of the same length.
    package func copy(from other: FloatBuffer) {
        precondition(other.count == count, "\(other.count) floats copied over \(count)")
        start.update(from: other.start, count: count)
    }

    /// A copy of the values.
    package var values: [Float] { Array(UnsafeBufferPointer(start: start, count: count)) }
}

/// All parameters of a model under training.
package final class TowerParameters {
    /// The sizes.
    package let shape: TowerShape
    /// Where each parameter lies in ``dense``.
    package let layout: DenseLayout
    /// The dense block.
    package let dense: FloatBuffer
    /// Indexed by ``TableParameter``; rows of ``TowerShape/dimension`` floats, those of ``shard``.
    package let tables: [FloatBuffer]
    /// Which rows of the tables are here.
    package let shard: RowShard
    /// By ``TableParameter`` where a step finds the rows that it reads of tables that lie on several ranks; nil where they are whole.
    package var fetched: [TableRows]?

    /// Zeros.
    package init(_ shape: TowerShape, shard: RowShard = .whole) {
        self.shape = shape
        self.shard = shard
        layout = DenseLayout(shape)
        dense = FloatBuffer(layout.count)
        tables = TableParameter.allCases.map { FloatBuffer(shard.count(of: $0.rows(in: shape)) * shape.dimension) }
    }

    /// The floats of a table.
    @inlinable package func table(_ table: TableParameter) -> FloatBuffer { tables[table.rawValue] }

    /// Takes over the values of parameters of the same sizes.
    package func copy(from other: TowerParameters) {
        dense.copy(from: other.dense)
        for (mine, theirs) in zip(tables, other.tables) { mine.copy(from: theirs) }
    }

    /// The start of training. Token rows begin at zero, so that a token which no training item had says nothing.
    package func initialize(seed: UInt64, temperature: Float) {
        var random = SeededGenerator(seed: seed, stream: 0x70617261)
        let ids = table(.itemIDs), d = shape.dimension
        // Every rank draws for all rows, so that how they are shared changes none.
        for row in 0..<shape.itemCount {
            let isHere = shard.owns(Int32(row)), start = ids.start + (isHere ? shard.place(of: row) * d : 0)
            for index in 0..<d {
                let value = 0.05 * random.normal()
                if isHere { start[index] = value }
            }
        }
        fill(.contentHiddenWeight, inputs: shape.dimension, gain: 1, &random)
        fill(.contentOutputWeight, inputs: shape.contentHidden, gain: 0.1, &random)
        fill(.contentNumbers, inputs: 1, gain: 0.01, &random)
        fill(.contentEmbedding, inputs: max(1, shape.embedding), gain: 0.3, &random)
        fill(.userInputWeight, inputs: shape.inputWidth, gain: 1.4, &random)
        fill(.userOutputWeight, inputs: max(1, shape.hidden), gain: 0.5, &random)
        if shape.learnsTemperature { dense.start[layout.offset(.temperature)] = -Kernels.log(temperature) }
        guard shape.sequence == nil else { return initializeSequence(&random) }
        // Heads begin with different memories: the first sees almost only the newest entry, the last all alike.
        let positions = dense.start + layout.offset(.attentionPositions), empty = dense.start + layout.offset(.attentionEmpty)
        for head in 0..<shape.heads {
            let slope = Self.firstSlope(head: head, of: shape.heads)
            for place in 0..<shape.historyLength { positions[head * shape.historyLength + place] = -slope * Float(place) }
            empty[head] = -2
        }
    }

    private static func firstSlope(head: Int, of heads: Int) -> Float {
        guard heads > 1, head < heads - 1 else { return 0 }
        var slope: Float = 1.5
        for _ in 0..<head { slope /= 4 }
        return slope
    }

    /// Draws a parameter from a normal distribution with a standard deviation of gain / √inputs.
    package func fill(_ parameter: DenseParameter, inputs: Int, gain: Float, _ random: inout SeededGenerator) {
        let start = dense.start + layout.offset(parameter)
        let deviation = gain / Float(max(1, inputs)).squareRoot()
        for index in 0..<layout.length(parameter) { start[index] = deviation * random.normal() }
    }
}

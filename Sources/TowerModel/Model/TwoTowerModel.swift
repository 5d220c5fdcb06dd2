import ContentModel
import Tensors

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A trained two-tower model: immutable, safe to use from any number of threads.
///
/// Item and user vectors have ``dimension`` components and are compared by their inner product. The last component of an item
/// vector is its popularity, that of a user vector is 1.
public struct TwoTowerModel: Sendable {
    /// The settings that the model was trained with.
    public private(set) var configuration: TowerConfiguration
    /// Trailing components of an item's vector that hold its popularity.
    public static let popularityComponents = 1
    /// Ids by trained row: the items that had interactions in training.
    public let itemIDs: [String]

    /// The sizes of the towers.
    package let shape: TowerShape
    /// Where each parameter lies in the dense block.
    package let layout: DenseLayout
    private let hasher: ContentHasher
    private let rows: [String: Int32]
    /// The dense block `[1, …]` and the tables `[rows, d]`.
    package let dense, userTokens: Matrix
    private let ids, tokens: Matrix
    /// ln of each trained item's share of the training events, `[items, 1]`.
    private let logPopularity: [Float]
    /// Which buckets of idle time training met.
    package let trainedIdle: [Bool]
    /// What changes the vectors of users of a domain; nil for none.
    public var domains: DomainAdapters? {
        didSet {
            precondition(
                domains?.dimension ?? dimension == dimension,
                "adapters of dimension \(domains?.dimension ?? 0) for a model of dimension \(dimension)")
        }
    }

    /// Length of item and user vectors.
    public var dimension: Int { shape.dimension }
    /// Newest history entries that ``encodeUser(_:attributes:now:)`` uses.
    public var historyLength: Int { shape.historyLength }

    /// The trained row of an item, `nil` where training did not know it.
    public func row(of itemID: String) -> Int32? { rows[itemID] }

    /// Vectors of items, `[contents.count, dimension]`, in the order given.
    ///
    /// - Parameters:
    ///   - rows: the trained row of each item, or `nil` to encode by content alone.
    ///   - threads: parts of the work; 1 leaves the pool alone.
    /// - Complexity: a few microseconds an item, and its text.
    public func encodeItems(_ contents: [ItemContent], rows: [Int32?], threads: Int = 1) -> Matrix {
        precondition(contents.count == rows.count, "one row per content: \(rows.count) rows, \(contents.count) contents")
        let d = dimension, h = shape.contentHidden
        let places = (0..<Int32(contents.count)).map { $0 }
        return Matrix(rows: contents.count, columns: d) { target in
            guard let vectors = target.baseAddress else { return }
            parallelFor(count: contents.count, threads: threads, minimumChunk: 16) { range, _ in
                for tile in tiles(of: range, limit: ItemTower.tileLimitItems) {
                    let content = ContentTable(
                        Array(contents[tile]), hasher: hasher, embedding: shape.embedding, useContent: configuration.items.usesContent)
                    let inputs = FloatBuffer(tile.count * d), hidden = FloatBuffer(tile.count * h)
                    let first = vectors + tile.lowerBound * d
                    dense.withUnsafePointer { dense in
                        tokens.withUnsafePointer { tokens in
                            places.withUnsafeBufferPointer { places in
                                ItemTower(layout: layout, dense: dense, tokens: TableRows(start: tokens, width: d)).forward(
                                    places, range: 0..<tile.count, content: content, inputs: inputs.start, hidden: hidden.start,
                                    vectors: first)
                            }
                        }
                    }
                    for (place, item) in tile.enumerated() { finish(first + place * d, row: rows[item]) }
                }
            }
        }
    }

    /// Adds the id row, scales, and folds the popularity dial into the last component.
    private func finish(_ vector: UnsafeMutablePointer<Float>, row: Int32?) {
        let d = dimension
        if let row {
            precondition(row >= 0 && Int(row) < shape.itemCount, "row \(row) of \(shape.itemCount) trained items")
            ids.withUnsafePointer { Kernels.apply(.add, vector, $0 + Int(row) * d, into: vector, count: d) }
        }
        if configuration.items.unitLength { Kernels.l2Normalise(vector, into: vector, count: d - 1, epsilon: 1e-6) }
        if configuration.served.popularityDial > 0 { vector[d - 1] -= dialled(row) }
    }

    /// The same model under another `train.popularity_dial`, which acts on the vectors of items alone: no training is needed for it.
    public func dialled(popularity dial: Float) -> TwoTowerModel {
        var model = self
        model.configuration.served.popularityDial = dial
        return model
    }

    /// What the popularity dial takes from an item's score.
    private func dialled(_ row: Int32?) -> Float {
        guard configuration.served.popularityDial > 0 else { return 0 }
        return configuration.served.popularityDial * ((row.map { logPopularity[Int($0)] } ?? rarest) - rarest)
    }

    /// The smallest popularity: that of new items.
    private var rarest: Float { logPopularity.min() ?? 0 }

    /// The vector of a user from the history and attribute tokens such as `age=25`.
    ///
    /// A user without either gets a vector too: that of a newcomer. `now` tells how long the user has been away: a user
    /// who returns after weeks wants other things than one in the middle of a visit. Where one of the tokens is a domain with an adapter,
    /// the vector is that domain's: see ``domains``.
    /// - Complexity: about 10 µs for 50 entries of length 64; one allocation, for the result.
    public func encodeUser(_ history: UserSequence, attributes: [String] = [], now: Int64) -> [Float] {
        adapted(encodeShared(history, attributes: attributes, now: now), to: attributes)
    }

    private func adapted(_ vector: [Float], to attributes: [String]) -> [Float] {
        guard let domains, let place = domains.place(for: attributes) else { return vector }
        var vector = vector
        domains.adapt(&vector, at: place)
        return vector
    }

    /// The vector of the base that all domains share.
    private func encodeShared(_ history: UserSequence, attributes: [String], now: Int64) -> [Float] {
        precondition(
            history.dimension == dimension, "a history of vectors of length \(history.dimension) for a model of length \(dimension)")
        let buckets = UserTokens.buckets(of: attributes, count: shape.userRows)
        return dense.withUnsafePointer { dense in
            userTokens.withUnsafePointer { table in
                UserTower(configuration, layout: layout, dense: dense).encode(
                    history, tokens: buckets[...], table: table, now: now, trainedIdle: trainedIdle)
            }
        }
    }

    /// The vector of a user from flat arrays, oldest first.
    ///
    /// - Parameters:
    ///   - vectors: `[types.count, dimension]`; only the newest ``historyLength`` entries are used.
    ///   - types: 1 click, 2 add to cart, 3 purchase; times: milliseconds since 1970.
    public func encodeUser(
        vectors: UnsafeBufferPointer<Float>, types: [UInt8], times: [Int64], attributes: [String] = [], now: Int64
    ) -> [Float] {
        adapted(encodeShared(vectors: vectors, types: types, times: times, attributes: attributes, now: now), to: attributes)
    }

    private func encodeShared(
        vectors: UnsafeBufferPointer<Float>, types: [UInt8], times: [Int64], attributes: [String], now: Int64
    ) -> [Float] {
        precondition(
            vectors.count == types.count * dimension && times.count == types.count,
            "\(vectors.count) floats, \(types.count) types and \(times.count) times are no history of vectors of length \(dimension)")
        let buckets = UserTokens.buckets(of: attributes, count: shape.userRows)
        let last = types.count - 1, known = UInt8(TowerShape.typeCount)
        return dense.withUnsafePointer { dense in
            userTokens.withUnsafePointer { table in
                UserTower(configuration, layout: layout, dense: dense).encode(
                    vectors: vectors, count: types.count, type: { types[last - $0] < known ? types[last - $0] : 1 },
                    time: { times[last - $0] }, row: { Int32(last - $0) }, tokens: buckets[...], table: table, now: now,
                    trainedIdle: trainedIdle)
            }
        }
    }

    /// Scores of every item for one user: the inner products with `items` `[n, dimension]`.
    public func scores(of user: [Float], items: Matrix, threads: Int = 1) -> [Float] {
        precondition(
            user.count == dimension && items.columns == dimension,
            "a user vector of length \(user.count) against items of shape \(items.shape)")
        return [Float](unsafeUninitializedCapacity: items.rows) { output, written in
            if let scores = output.baseAddress {
                items.withUnsafePointer { items_ in
                    user.withUnsafeBufferPointer { user in
                        guard let user = user.baseAddress else { return }
                        parallelFor(count: items.rows, threads: threads, minimumChunk: 4_096) { range, _ in
                            for item in range { scores[item] = Kernels.dot(user, items_ + item * dimension, count: dimension) }
                        }
                    }
                }
            }
            written = items.rows
        }
    }

    /// Everything that ``init(configuration:itemIDs:tensors:)`` needs, in a fixed order.
    public var tensors: [NamedTensor] {
        var result = [
            NamedTensor(name: TableParameter.itemIDs.name, shape: [ids.rows, dimension], values: ids.values),
            NamedTensor(name: TableParameter.contentTokens.name, shape: [tokens.rows, dimension], values: tokens.values),
            NamedTensor(name: TableParameter.userTokens.name, shape: [userTokens.rows, dimension], values: userTokens.values),
        ]
        let block = dense.values
        for parameter in DenseParameter.allCases where layout.length(parameter) > 0 {
            let size = parameter.size(in: shape), start = layout.offset(parameter)
            result.append(
                NamedTensor(
                    name: parameter.name, shape: [size.rows, size.columns], values: Array(block[start..<start + layout.length(parameter)])))
        }
        result.append(NamedTensor(name: "item.popularity", shape: [itemIDs.count, 1], values: logPopularity))
        result.append(NamedTensor(name: "user.idle.trained", shape: [1, trainedIdle.count], values: trainedIdle.map { $0 ? 1 : 0 }))
        return result + hasher.tensors()
    }

    /// A model from its parts, as read from files.
    ///
    /// - Throws: where a tensor is missing, has another shape than the configuration needs, or holds values that are not finite.
    public init(configuration: TowerConfiguration, itemIDs: [String], tensors: [NamedTensor]) throws(ModelError) {
        let reader = try TensorReader(tensors)
        guard Set(itemIDs).count == itemIDs.count else { throw ModelError("an item id occurs twice in the model") }
        let shape = TowerShape(
            configuration, itemCount: itemIDs.count, embedding: reader.rows(of: DenseParameter.contentEmbedding.name) ?? 0)
        let parameters = TowerParameters(shape)
        try parameters.read(reader)
        let popularity = try reader.values("item.popularity", rows: itemIDs.count, columns: 1)
        let idle = try reader.values("user.idle.trained", rows: 1, columns: TowerShape.idleCount)
        self.init(
            configuration: configuration, itemIDs: itemIDs, parameters: parameters,
            hasher: try ContentHasher(configuration, reader: reader), logPopularity: popularity,
            trainedIdle: idle.map { $0 != 0 })
    }

    /// A model from a training's parameters; `counts` are the training events by item row.
    package init(
        configuration: TowerConfiguration, itemIDs: [String], parameters: TowerParameters, hasher: ContentHasher, counts: [Int],
        trainedIdle: [Bool]
    ) {
        let total = Float(max(1, counts.reduce(0, +)))
        self.init(
            configuration: configuration, itemIDs: itemIDs, parameters: parameters, hasher: hasher,
            logPopularity: counts.map { log(Float(max(1, $0)) / total) }, trainedIdle: trainedIdle)
    }

    private init(
        configuration: TowerConfiguration, itemIDs: [String], parameters: TowerParameters, hasher: ContentHasher,
        logPopularity: [Float], trainedIdle: [Bool]
    ) {
        self.configuration = configuration
        self.itemIDs = itemIDs
        self.hasher = hasher
        self.logPopularity = logPopularity
        self.trainedIdle = trainedIdle
        shape = parameters.shape
        layout = parameters.layout
        func matrix(_ buffer: FloatBuffer, rows: Int, columns: Int) -> Matrix {
            Matrix(rows: rows, columns: columns) { if let to = $0.baseAddress { to.update(from: buffer.start, count: rows * columns) } }
        }
        dense = matrix(parameters.dense, rows: 1, columns: parameters.layout.count)
        let d = parameters.shape.dimension
        ids = matrix(parameters.table(.itemIDs), rows: parameters.shape.itemCount, columns: d)
        tokens = matrix(parameters.table(.contentTokens), rows: parameters.shape.tokenRows, columns: d)
        userTokens = matrix(parameters.table(.userTokens), rows: parameters.shape.userRows, columns: d)
        var rows: [String: Int32] = [:]
        for (row, id) in itemIDs.enumerated() { rows[id] = Int32(row) }
        self.rows = rows
    }
}

extension TwoTowerModel {
    /// Names of the tensors that files keep in 8 bits.
    public var int8Tensors: Set<String> {
        guard configuration.served.quantisation != .none else { return [] }
        return Set(TableParameter.allCases.map(\.name) + DenseParameter.allCases.filter(\.isQuantised).map(\.name))
    }
}

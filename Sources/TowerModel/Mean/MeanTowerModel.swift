import ContentModel
import Tensors

/// The mean-pooled towers of a trained model: immutable, safe to use from any number of threads.
///
/// A served vector has the towers' d components and ``MeanShape/servedExtra`` more. The user tower averages the rows of the items
/// in a history, not their vectors, so an item's vector says which row it has: in two components, scaled so small that no product
/// of vectors notices. The last component is the item's popularity, and 1 for users.
package struct MeanTowerModel: @unchecked Sendable {
    // Unchecked because of the class: these parameters are a copy of this value's own, and nothing changes them after init.
    private let parameters: MeanParameters
    private let slope: Float
    private let userRows: [UInt64: Int32]
    private let userKeys: [UInt64]

    /// Row numbers are multiplied with this: 2⁻⁶⁰. Two halves of 16 bits each stay below 2⁻⁴⁴.
    private static let mark: Float = 0x1p-60

    /// - Parameter userKeys: ``key(of:)`` of each user row; empty where users have none.
    package init(_ parameters: MeanParameters, temperature: Float, userKeys: [UInt64]) {
        let own = MeanParameters(parameters.shape)
        own.copy(from: parameters)
        self.parameters = own
        slope = 1 / temperature
        self.userKeys = userKeys
        var rows: [UInt64: Int32] = [:]
        for (row, key) in userKeys.enumerated() { rows[key] = Int32(row) }
        userRows = rows
    }

    /// Length of served vectors.
    package var dimension: Int { parameters.shape.dimension + MeanShape.servedExtra }
    package var historyLength: Int { parameters.shape.historyLength }
    package var embedding: Int { parameters.shape.embedding }

    /// What stands for a user's id in a model: a model file names nobody.
    package static func key(of userID: String) -> UInt64 { FeatureHash.hash(userID.utf8, field: .user) }

    /// The row of a user that training knew.
    package func row(ofUser id: String) -> Int32? { userRows[Self.key(of: id)] }

    /// Vectors of items into `vectors` `[content.count, dimension]`; `rows` are their trained rows, `bias` gives the last component.
    package func encodeItems(
        _ content: ContentTable, rows: ArraySlice<Int32?>, bias: (Int32?) -> Float, into vectors: UnsafeMutablePointer<Float>
    ) {
        let d = parameters.shape.dimension, n = content.count, network = MeanNetwork.item(parameters)
        let inputs = FloatBuffer(n * d), hidden = FloatBuffer(n * parameters.shape.hidden), out = FloatBuffer(n * d), lengths = FloatBuffer(n)
        for (place, row) in rows.enumerated() {
            let x = inputs.start + place * d
            if let row {
                precondition(row >= 0 && Int(row) < parameters.shape.itemCount, "row \(row) of \(parameters.shape.itemCount) trained items")
                x.update(from: parameters.table(.items).start + Int(row) * d, count: d)
            }
            MeanContent(parameters).add(content, item: place, into: x)
        }
        network.forward(count: n, inputs.start, hidden: hidden.start, into: out.start)
        Kernels.normaliseRows(rows: n, dimension: d, out.start, inverse: lengths.start, scale: 1, scaled: out.start)
        for (place, row) in rows.enumerated() {
            let vector = vectors + place * dimension
            vector.update(from: out.start + place * d, count: d)
            (vector + d).update(repeating: 0, count: MeanShape.servedExtra)
            if let row {
                vector[d] = Float((row & 0xffff) + 1) * Self.mark
                vector[d + 1] = Float(row >> 16) * Self.mark
            }
            vector[dimension - 1] = bias(row)
        }
    }

    /// The trained row that an item's vector carries, nil for items that training did not know.
    package func row(in vector: UnsafePointer<Float>) -> Int32? {
        let d = parameters.shape.dimension, low = vector[d] / Self.mark, high = vector[d + 1] / Self.mark
        guard low >= 1, low <= 65_536, high >= 0, high < 32_768 else { return nil }
        let row = Int32(high) << 16 + Int32(low) - 1
        return Int(row) < parameters.shape.itemCount ? row : nil
    }

    /// The vector of one user from `count` item vectors, of which `vector` gives the j-th newest, and a row of the user table.
    package func encodeUser(count: Int, vector: (Int) -> UnsafePointer<Float>, user: Int32?) -> [Float] {
        let shape = parameters.shape, d = shape.dimension
        var rows: [Int32] = []
        rows.reserveCapacity(min(count, shape.historyLength))
        for age in 0..<min(count, shape.historyLength) { if let row = row(in: vector(age)) { rows.append(row) } }
        // Oldest first, as in training: sums depend on their order.
        rows.reverse()
        return [Float](unsafeUninitializedCapacity: dimension) { output, written in
            withUnsafeTemporaryAllocation(byteCount: (shape.inputWidth + shape.hidden + 16) * 4, alignment: 64) { bytes in
                let x = bytes.bindMemory(to: Float.self)
                guard let x = x.baseAddress, let out = output.baseAddress else { return }
                x.update(repeating: 0, count: shape.inputWidth)
                if let user, shape.userCount > 0 {
                    x.update(from: parameters.table(.users).start + Int(user) * d, count: d)
                }
                rows.withUnsafeBufferPointer { rows in
                    guard let sequence = rows.baseAddress, rows.count > 0 else { return }
                    var start: Int32 = 0, end = Int32(rows.count)
                    Kernels.meansOfWindows(
                        parameters.table(.items).start, dimension: d, sequence: sequence, starts: &start, ends: &end, count: 1,
                        into: x + (shape.inputWidth - d), stride: d)
                }
                MeanNetwork.user(parameters).forward(count: 1, x, hidden: x + shape.inputWidth, into: out)
                Kernels.normaliseRows(
                    rows: 1, dimension: d, out, inverse: x + shape.inputWidth + shape.hidden, scale: slope, scaled: out)
                (out + d).update(repeating: 0, count: MeanShape.servedExtra)
                out[dimension - 1] = 1
            }
            written = dimension
        }
    }

    /// The parameters, and the keys of the users in pieces of 16 bits, which a Float holds exactly.
    package var tensors: [NamedTensor] {
        let pieces = userKeys.flatMap { key in (0..<4).map { Float(key >> (16 * UInt64($0)) & 0xffff) } }
        return parameters.tensors() + [NamedTensor(name: "mean.user.keys", shape: [userKeys.count, 4], values: pieces)]
    }

    /// Towers from their tensors.
    package init(_ configuration: TowerConfiguration, itemCount: Int, reader: TensorReader) throws(ModelError) {
        let keys = try Self.userKeys(reader)
        let parameters = MeanParameters(
            MeanShape(
                configuration, itemCount: itemCount, userCount: keys.count, embedding: reader.rows(of: MeanDense.contentEmbedding.name) ?? 0))
        try parameters.read(reader)
        self.init(parameters, temperature: configuration.temperature, userKeys: keys)
    }

    /// ``key(of:)`` of each user row, from a model's tensors.
    package static func userKeys(_ reader: TensorReader) throws(ModelError) -> [UInt64] {
        let users = reader.rows(of: MeanTable.users.name) ?? 0
        let pieces = try reader.values("mean.user.keys", rows: users, columns: 4)
        guard pieces.allSatisfy({ $0 >= 0 && $0 <= 65_535 }) else { throw ModelError("the tensor mean.user.keys holds no keys") }
        return (0..<users).map { row in (0..<4).reduce(0) { $0 | UInt64(pieces[row * 4 + $1]) << (16 * UInt64($1)) } }
    }
}

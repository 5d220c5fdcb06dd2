import ContentModel
import Tensors

/// The content of many items as one sparse matrix: item i has the tokens `starts[i]..<starts[i + 1]`.
package struct ContentTable: Sendable {
    /// Where the tokens of each item begin, and the end of the last.
    package var starts: [Int] = [0]
    /// Rows of the token table.
    package var buckets: [Int32] = []
    /// The weight of each token.
    package var weights: [Float] = []
    /// `[items, 4]`
    package var numbers: [Float] = []
    /// `[items, embedding]`, zeros where an item has none.
    var embeddings: [Float] = []
    /// Items of which nothing is known; their vectors come from the id alone.
    package var isEmpty: [Bool] = []

    /// Items.
    package var count: Int { isEmpty.count }

    /// Hashes contents; embeddings of another length than `embedding` are left out.
    package init(_ contents: [ItemContent], hasher: ContentHasher, embedding: Int, useContent: Bool) {
        for content in contents {
            let features = useContent ? hasher.features(of: content) : ContentFeatures()
            buckets += features.buckets
            weights += features.weights
            starts.append(buckets.count)
            numbers += features.numbers
            var hasEmbedding = false
            if embedding > 0 {
                // Unit length: senders' scales differ.
                if let vector = content.embedding, vector.count == embedding, vector.allSatisfy(\.isFinite) {
                    let length = vector.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
                    hasEmbedding = length > 0
                    embeddings += vector.map { length > 0 ? $0 / length : 0 }
                } else {
                    embeddings += [Float](repeating: 0, count: embedding)
                }
            }
            isEmpty.append(features.isEmpty && !hasEmbedding)
        }
    }
}

/// The content half of the item tower: v = x + W₂ relu(W₁x + b₁) + b, with x the weighted sum of token rows, numbers and the
/// projected embedding. The id row, where one is used, is added by the caller.
package struct ItemTower {
    /// Where the parameters lie in the block.
    package let layout: DenseLayout
    /// The dense block and the token table; valid for the life of the value.
    package let dense: UnsafePointer<Float>
    let tokens: TableRows

    /// A tower over parameters that the caller keeps.
    package init(layout: DenseLayout, dense: UnsafePointer<Float>, tokens: TableRows) {
        (self.layout, self.dense, self.tokens) = (layout, dense, tokens)
    }

    /// Items of one dense product: bounds the working memory.
    package static let tileLimitItems = 256

    /// Content vectors of items `rows[range]` into `vectors` at the same places.
    ///
    /// - Parameters:
    ///   - inputs: x `[rows.count, d]`; hidden: relu output `[rows.count, contentHidden]`: kept for the way back.
    ///   - vectors: `[rows.count, d]`, overwritten. Items without content get zeros.
    package func forward(
        _ rows: UnsafeBufferPointer<Int32>, range: Range<Int>, content: ContentTable, inputs: UnsafeMutablePointer<Float>,
        hidden: UnsafeMutablePointer<Float>, vectors: UnsafeMutablePointer<Float>
    ) {
        let shape = layout.shape, d = shape.dimension, h = shape.contentHidden
        let numbers = dense + layout.offset(.contentNumbers), embedding = dense + layout.offset(.contentEmbedding)
        let bias = dense + layout.offset(.contentBias)
        for place in range {
            let item = Int(rows[place]), x = inputs + place * d
            x.update(repeating: 0, count: d)
            if content.isEmpty[item] { continue }
            for index in content.starts[item]..<content.starts[item + 1] {
                Kernels.axpy(content.weights[index], tokens[content.buckets[index]], into: x, count: d)
            }
            for index in 0..<ContentFeatures.numberCount {
                let value = content.numbers[item * ContentFeatures.numberCount + index]
                if value != 0 { Kernels.axpy(value, numbers + index * d, into: x, count: d) }
            }
        }
        withEmbeddings(rows, range: range, content: content) { own in
            Kernels.multiply(
                rows: range.count, columns: d, inner: shape.embedding, own, stride: shape.embedding, embedding, stride: d, beta: 1,
                into: inputs + range.lowerBound * d, stride: d, threads: 1)
        }
        if h > 0 {
            let first = inputs + range.lowerBound * d, middle = hidden + range.lowerBound * h
            let weight = dense + layout.offset(.contentHiddenWeight), offset = dense + layout.offset(.contentHiddenBias)
            for row in 0..<range.count { (middle + row * h).update(from: offset, count: h) }
            Kernels.multiply(
                rows: range.count, columns: h, inner: d, first, stride: d, weight, stride: h, beta: 1, into: middle, stride: h,
                threads: 1)
            Kernels.apply(.relu, middle, into: middle, count: range.count * h)
            Kernels.multiply(
                rows: range.count, columns: d, inner: h, middle, stride: h, dense + layout.offset(.contentOutputWeight),
                stride: d, into: vectors + range.lowerBound * d, stride: d, threads: 1)
        }
        for place in range {
            let v = vectors + place * d
            if content.isEmpty[Int(rows[place])] || h == 0 { v.update(repeating: 0, count: d) }
            if content.isEmpty[Int(rows[place])] { continue }
            Kernels.apply(.add, v, inputs + place * d, into: v, count: d)
            Kernels.apply(.add, v, bias, into: v, count: d)
        }
    }

    /// The way back: adds to the dense gradient and turns the gradient of the vectors into that of the inputs x.
    ///
    /// - Parameters:
    ///   - outer: gradient of the vectors `[rows.count, d]`; zero rows for items without content.
    ///   - inner: gradient of x `[rows.count, d]`, overwritten.
    ///   - scratch: `[rows.count, contentHidden]`, overwritten.
    ///   - gradient: the dense block's gradient, added to.
    package func backward(
        _ rows: UnsafeBufferPointer<Int32>, range: Range<Int>, content: ContentTable, inputs: UnsafePointer<Float>,
        hidden: UnsafePointer<Float>, outer: UnsafePointer<Float>, inner: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>
    ) {
        let shape = layout.shape, d = shape.dimension, h = shape.contentHidden, n = range.count
        let g = outer + range.lowerBound * d, dx = inner + range.lowerBound * d
        dx.update(from: g, count: n * d)
        let bias = gradient + layout.offset(.contentBias)
        for row in 0..<n { Kernels.axpy(1, g + row * d, into: bias, count: d) }
        if h > 0 {
            let middle = hidden + range.lowerBound * h, dh = scratch + range.lowerBound * h
            Kernels.multiply(
                rows: h, columns: d, inner: n, middle, stride: h, transposed: true, g, stride: d, beta: 1,
                into: gradient + layout.offset(.contentOutputWeight), stride: d, threads: 1)
            Kernels.multiply(
                rows: n, columns: h, inner: d, g, stride: d, transposed: false, dense + layout.offset(.contentOutputWeight), stride: d,
                transposed: true, into: dh, stride: h, threads: 1)
            for index in 0..<n * h where middle[index] <= 0 { dh[index] = 0 }
            Kernels.multiply(
                rows: d, columns: h, inner: n, inputs + range.lowerBound * d, stride: d, transposed: true, dh, stride: h,
                beta: 1, into: gradient + layout.offset(.contentHiddenWeight), stride: h, threads: 1)
            let offset = gradient + layout.offset(.contentHiddenBias)
            for row in 0..<n { Kernels.axpy(1, dh + row * h, into: offset, count: h) }
            Kernels.multiply(
                rows: n, columns: d, inner: h, dh, stride: h, transposed: false, dense + layout.offset(.contentHiddenWeight), stride: h,
                transposed: true, beta: 1, into: dx, stride: d, threads: 1)
        }
        let numbers = gradient + layout.offset(.contentNumbers), embedding = gradient + layout.offset(.contentEmbedding)
        for place in range {
            let item = Int(rows[place]), row = inner + place * d
            if content.isEmpty[item] { continue }
            for index in 0..<ContentFeatures.numberCount {
                let value = content.numbers[item * ContentFeatures.numberCount + index]
                if value != 0 { Kernels.axpy(value, row, into: numbers + index * d, count: d) }
            }
        }
        withEmbeddings(rows, range: range, content: content) { own in
            Kernels.multiply(
                rows: shape.embedding, columns: d, inner: n, own, stride: shape.embedding, transposed: true, dx, stride: d, beta: 1,
                into: embedding, stride: d, threads: 1)
        }
    }

    /// Hands over the embeddings of a tile's items, one after the other: `[range.count, embedding]`. Nothing happens without any.
    private func withEmbeddings(
        _ rows: UnsafeBufferPointer<Int32>, range: Range<Int>, content: ContentTable, _ body: (UnsafePointer<Float>) -> Void
    ) {
        let width = layout.shape.embedding
        guard width > 0, !range.isEmpty else { return }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count * width) { buffer in
            content.embeddings.withUnsafeBufferPointer { embeddings in
                guard let start = buffer.baseAddress, let all = embeddings.baseAddress else { return }
                for (index, place) in range.enumerated() {
                    (start + index * width).update(from: all + Int(rows[place]) * width, count: width)
                }
                body(start)
            }
        }
    }
}

/// Cuts a range into pieces of at most `limit`.
package func tiles(of range: Range<Int>, limit: Int) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: limit).map { $0..<min($0 + limit, range.upperBound) }
}

import ContentModel
import Tensors

/// What an item's content adds to its row: the weighted sum of its token rows, its numbers and its projected embedding.
package struct MeanContent {
    private let parameters: MeanParameters

    package init(_ parameters: MeanParameters) { self.parameters = parameters }

    /// Adds the content of an item to `x` (d floats).
    package func add(_ content: ContentTable, item: Int, into x: UnsafeMutablePointer<Float>) {
        let shape = parameters.shape, d = shape.dimension
        guard shape.tokenRows > 0, !content.isEmpty[item] else { return }
        let tokens = parameters.table(.tokens).start
        for index in content.starts[item]..<content.starts[item + 1] {
            Kernels.axpy(content.weights[index], tokens + Int(content.buckets[index]) * d, into: x, count: d)
        }
        forEachNumber(content, item: item) { value, offset in Kernels.axpy(value, parameters.dense.start + offset, into: x, count: d) }
    }

    /// Adds to the gradient of the dense block what the gradient of an item's input means for its numbers and its embedding.
    package func addGradient(
        _ content: ContentTable, item: Int, outer: UnsafePointer<Float>, into gradient: UnsafeMutablePointer<Float>
    ) {
        guard parameters.shape.tokenRows > 0, !content.isEmpty[item] else { return }
        forEachNumber(content, item: item) { value, offset in
            Kernels.axpy(value, outer, into: gradient + offset, count: parameters.shape.dimension)
        }
    }

    /// Calls `body` with each number that is not zero and where its row lies in the dense block.
    private func forEachNumber(_ content: ContentTable, item: Int, _ body: (Float, Int) -> Void) {
        let shape = parameters.shape, d = shape.dimension
        let numbers = parameters.range(.contentNumbers).lowerBound, embedding = parameters.range(.contentEmbedding).lowerBound
        for index in 0..<ContentFeatures.numberCount {
            let value = content.numbers[item * ContentFeatures.numberCount + index]
            if value != 0 { body(value, numbers + index * d) }
        }
        for index in 0..<shape.embedding {
            let value = content.embeddings[item * shape.embedding + index]
            if value != 0 { body(value, embedding + index * d) }
        }
    }
}

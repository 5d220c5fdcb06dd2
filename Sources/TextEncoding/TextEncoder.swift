import Tensors

/// The sizes of a BERT-type encoder.
public struct TextEncoderShape: Sendable, Equatable {
    /// Rows of the vocabulary.
    public var vocabulary: Int
    /// Length of a token's vector, and of a text's.
    public var width: Int
    /// Layers.
    public var layers: Int
    /// Attention heads; ``width`` is a multiple.
    public var heads: Int
    /// Length of the hidden layer of each feed-forward part.
    public var inner: Int
    /// Positions that have a vector: the longest text in tokens.
    public var positions: Int
    /// Added to the variance in layer norms.
    public var epsilon: Float

    /// Names all sizes.
    public init(vocabulary: Int, width: Int, layers: Int, heads: Int, inner: Int, positions: Int, epsilon: Float = 1e-12) {
        self.vocabulary = vocabulary
        self.width = width
        self.layers = layers
        self.heads = heads
        self.inner = inner
        self.positions = positions
        self.epsilon = epsilon
    }
}

/// How the vectors of a text's tokens become one.
public enum TextPooling: String, Sendable, CaseIterable {
    /// Their mean.
    case mean
    /// That of the first token.
    case first
}

/// Why weights do not make an encoder.
public struct TextEncoderError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence: what is wrong.
    public var description: String
}

/// A BERT-type text encoder (Devlin et al. 2019) as sentence-transformers models use it (Reimers and Gurevych 2019): token, position and
/// segment vectors, post-norm layers of self-attention and a feed-forward part, pooling, unit length.
///
/// Immutable: safe to use from any number of threads.
public struct TextEncoder: Sendable {
    /// Tokens that one pass holds at most: bounds the working memory.
    public static let maxTokensInPass = 4_096

    /// The sizes.
    public let shape: TextEncoderShape
    /// How token vectors become one.
    public let pooling: TextPooling
    /// Tokens that are looked at of each text.
    public let maxTokens: Int
    /// Splits text into tokens.
    public let tokenizer: WordPieceTokenizer

    let words, places: Matrix
    /// The vector of the first segment, and the norm of the sum.
    let segment: [Float]
    let norm: LayerNormWeights
    let layers: [TextEncoderLayer]

    /// Makes an encoder from named weights as BERT checkpoints name them, such as
    /// `encoder.layer.0.attention.self.query.weight` of `[width, width]`, with outputs in rows.
    ///
    /// - Parameter weight: the values of a tensor of this name and number of elements, nil where there is none.
    /// - Throws: where a tensor is missing or the sizes do not fit.
    public init(
        shape: TextEncoderShape, tokenizer: WordPieceTokenizer, pooling: TextPooling = .mean, maxTokens: Int,
        weight: (_ name: String, _ count: Int) -> [Float]?
    ) throws(TextEncoderError) {
        guard shape.heads > 0, shape.width > 0, shape.width % shape.heads == 0, shape.layers > 0, shape.positions > 2 else {
            throw TextEncoderError(
                description:
                    "an encoder of \(shape.layers) layers, width \(shape.width), \(shape.heads) heads and \(shape.positions) positions "
                        + "cannot be"
            )
        }
        func values(_ name: String, _ count: Int) throws(TextEncoderError) -> [Float] {
            guard let found = weight(name, count), found.count == count else {
                throw TextEncoderError(description: "the tensor \(name) of \(count) numbers is missing or has another size")
            }
            return found
        }
        func matrix(_ name: String, _ rows: Int, _ columns: Int) throws(TextEncoderError) -> Matrix {
            Matrix(rows: rows, columns: columns, values: try values(name, rows * columns))
        }
        func norm(_ name: String) throws(TextEncoderError) -> LayerNormWeights {
            LayerNormWeights(
                gain: try values(name + ".weight", shape.width), bias: try values(name + ".bias", shape.width), epsilon: shape.epsilon)
        }
        self.shape = shape
        self.tokenizer = tokenizer
        self.pooling = pooling
        self.maxTokens = min(max(3, maxTokens), shape.positions)
        words = try matrix("embeddings.word_embeddings.weight", shape.vocabulary, shape.width)
        places = try matrix("embeddings.position_embeddings.weight", shape.positions, shape.width)
        segment = Array(try values("embeddings.token_type_embeddings.weight", 2 * shape.width).prefix(shape.width))
        self.norm = try norm("embeddings.LayerNorm")
        var layers: [TextEncoderLayer] = []
        for number in 0..<shape.layers {
            let name = "encoder.layer.\(number)."
            func linear(_ part: String, _ outputs: Int, _ inputs: Int) throws(TextEncoderError) -> LinearWeights {
                LinearWeights(
                    weight: try matrix(name + part + ".weight", outputs, inputs), bias: try values(name + part + ".bias", outputs))
            }
            let w = shape.width
            layers.append(
                TextEncoderLayer(
                    query: try linear("attention.self.query", w, w), key: try linear("attention.self.key", w, w),
                    value: try linear("attention.self.value", w, w), output: try linear("attention.output.dense", w, w),
                    attentionNorm: try norm(name + "attention.output.LayerNorm"),
                    inner: try linear("intermediate.dense", shape.inner, w), outer: try linear("output.dense", w, shape.inner),
                    outputNorm: try norm(name + "output.LayerNorm")))
        }
        self.layers = layers
    }

    /// Unit-length vectors of texts, `[texts.count, width]`.
    ///
    /// - Parameters:
    ///   - threads: parts of the work; each takes texts of its own.
    ///   - precision: of the dense products.
    /// - Complexity: about 2 · layers · (4 width² + 2 width · inner) operations a token.
    public func encode(_ texts: [String], threads: Int = 1, precision: ProductPrecision = .float32) -> Matrix {
        let tokens = texts.map { tokenizer.rows(of: $0, limit: maxTokens) }
        return encode(tokens: tokens, threads: threads, precision: precision)
    }

    /// Unit-length vectors of texts given as vocabulary rows, `[tokens.count, width]`.
    public func encode(tokens: [[Int32]], threads: Int = 1, precision: ProductPrecision = .float32) -> Matrix {
        let width = shape.width
        return Matrix(rows: tokens.count, columns: width) { target in
            guard let vectors = target.baseAddress else { return }
            parallelFor(count: tokens.count, threads: threads, minimumChunk: 1) { range, _ in
                for pass in Self.passes(of: range, tokens) {
                    let states = TextEncoderPass(self, tokens: tokens[pass], precision: precision).run()
                    for (text, place) in pass.enumerated() { pool(states, text: text, into: vectors + place * width) }
                }
            }
        }
    }

    /// Cuts texts into runs of at most ``maxTokensInPass`` tokens, each of at least one text.
    private static func passes(of range: Range<Int>, _ tokens: [[Int32]]) -> [Range<Int>] {
        var passes: [Range<Int>] = [], start = range.lowerBound, held = 0
        for text in range {
            if text > start, held + tokens[text].count > maxTokensInPass {
                passes.append(start..<text)
                (start, held) = (text, 0)
            }
            held += tokens[text].count
        }
        if start < range.upperBound { passes.append(start..<range.upperBound) }
        return passes
    }

    private func pool(_ states: TextEncoderPass.States, text: Int, into vector: UnsafeMutablePointer<Float>) {
        let width = shape.width, rows = states.starts[text]..<states.starts[text + 1]
        vector.update(repeating: 0, count: width)
        states.values.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return }
            switch pooling {
            case .first: vector.update(from: values + rows.lowerBound * width, count: width)
            case .mean: for row in rows { Kernels.axpy(1, values + row * width, into: vector, count: width) }
            }
        }
        Kernels.l2Normalise(vector, into: vector, count: width, epsilon: 1e-12)
    }
}

import Gradients
import Tensors

/// What one category shows of some users and some of its items, as numbers: the material of an adaptation or of a judgement.
///
/// A user's question is which of the items they take. The logit of item i for user u is
///
///     head · parts(u, i) + ⟨user vector(u) ∘ scale + category vector, item vector(i)⟩
///
/// and the loss the cross-entropy of the softmax over the category's items. What is the same for all items of a category cannot be seen
/// by it: where the category as a whole stands is ``CategoryAdapter/offset``.
public struct CategoryQuestions: Sendable {
    /// `[users · items, part count]`, user by user.
    public var parts: Matrix
    /// `[users, rank]`
    public var users: Matrix
    /// `[items, rank]`
    public var items: Matrix
    /// `[users, items]`: each row the shares of the items that the user took; they sum to 1.
    public var answers: Matrix

    /// - Precondition: the shapes fit each other.
    public init(parts: Matrix, users: Matrix, items: Matrix, answers: Matrix) {
        precondition(
            parts.rows == users.rows * items.rows && users.columns == items.columns && answers.rows == users.rows
                && answers.columns == items.rows,
            "parts \(parts.shape), users \(users.shape), items \(items.shape), answers \(answers.shape)")
        self.parts = parts
        self.users = users
        self.items = items
        self.answers = answers
    }

    /// The logits under parameters as ``CategoryAdapter/parameters`` orders them, `[users, items]`.
    public func logits(_ parameters: [Variable]) -> Variable {
        let (head, scale, category) = (parameters[0], parameters[1], parameters[2])
        let byParts = Variable.product(.constant(parts), head, transposeB: true).reshaped(rows: users.rows, columns: items.rows)
        let adapted = Variable.constant(users) * scale + category
        return byParts + Variable.product(adapted, .constant(items), transposeB: true)
    }

    /// The mean over users of −Σ answers · ln softmax, `[1, 1]`.
    public func loss(_ parameters: [Variable]) -> Variable {
        let shares = logits(parameters).logSoftmaxRows() * Variable.constant(answers)
        return (-1 / Float(max(users.rows, 1))) * shares.sum()
    }
}

extension MetaTask {
    /// A category's support and query questions.
    public init(support: CategoryQuestions, query: CategoryQuestions) {
        self.init(supportLoss: { support.loss($0) }, queryLoss: { query.loss($0) })
    }
}

/// The parts of a logit that a category's head weighs; the raw value is the place of the weight.
public enum CategoryPart: Int, CaseIterable, Sendable {
    /// How near the item's content is to the user's history.
    case similarity
    /// How near it is to what everybody has.
    case background
    /// ln of the popularity that such content has.
    case popularity
    /// How near it is to the category's support items.
    case likeness

    /// How many there are.
    public static let count = allCases.count
}

/// What an adaptation learned of one category. A value that serving reads: the cost of an answer does not know how it came about
/// (LiMAML, Wang et al. 2024).
public struct CategoryAdapter: Sendable, Equatable {
    /// The weights of ``CategoryPart``s.
    public var head: [Float]
    /// `[rank]`
    public var scale, categoryVector: [Float]
    /// Added to every logit, so that the category's items as a whole stand where they stood before the adaptation.
    public var offset: Float

    /// An adapter of parameters in the order head, scale, category vector.
    public init(_ parameters: [Matrix], offset: Float = 0) {
        head = parameters[0].values
        scale = parameters[1].values
        categoryVector = parameters[2].values
        self.offset = offset
    }

    /// Head `[1, part count]`, scale and category vector `[1, rank]`: what adapts.
    public var parameters: [Matrix] { [Matrix(row: head), Matrix(row: scale), Matrix(row: categoryVector)] }

    /// Where meta-learning begins: what content says, and the user's vector as it is.
    public static func start(rank: Int) -> CategoryAdapter {
        CategoryAdapter([
            Matrix(row: CategoryPart.allCases.map { $0 == .popularity ? 1 : 0 }), Matrix(rows: 1, columns: rank, repeating: 1),
            Matrix(rows: 1, columns: rank),
        ])
    }

    /// What a user's vector becomes: ∘ scale + category vector, `[rank]`.
    public func adapted(_ user: [Float]) -> [Float] {
        scale.indices.map { (user.isEmpty ? 0 : user[$0] * scale[$0]) + categoryVector[$0] }
    }

    /// The logit of an item whose parts are given, for a user vector that ``adapted(_:)`` gave.
    @inlinable
    public func logit(parts: UnsafePointer<Float>, adapted user: [Float], item: [Float]) -> Float {
        var sum = offset
        for place in 0..<head.count { sum += head[place] * parts[place] }
        for place in 0..<min(user.count, item.count) { sum += user[place] * item[place] }
        return sum
    }

    /// Whether the numbers are all finite.
    public var isFinite: Bool { (head + scale + categoryVector + [offset]).allSatisfy(\.isFinite) }
}

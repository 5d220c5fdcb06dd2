import Tensors
import TowerModel

/// What a batch came to.
struct BatchResult {
    /// Examples of the batch, of all ranks.
    var examples: Int
    /// Weighted mean loss over them; this rank's share of it.
    var loss: Double
}

/// The gradient of the mean loss of a step's examples.
struct StepGradients {
    /// Of the dense block.
    var dense: FloatBuffer
    /// Item row of each place below, and whether all items in their order are there.
    var items: [Int32]
    var coversCatalogue: Bool
    /// Of the id rows `[items, d]`, where ``usesID`` says that they took part.
    var ids: FloatBuffer
    var usesID: [Bool]
    /// Of the content inputs `[items, d]`.
    var content: FloatBuffer
    /// User row of each row below, −1 for none.
    var users: [Int32]
    /// Of the attribute sums `[users, d]`.
    var attributes: FloatBuffer
}

/// Squared lengths of a step's gradients before they were brought together; nil where they are those of the rows at hand.
struct GradientSquares {
    var ids: Float?
    /// Of the attribute gradients before they were added up by token.
    var attributes: Float?
}

/// Replaces a buffer by a larger one where it has too little room; what it held is lost then.
func grow(_ buffer: inout FloatBuffer, to count: Int) {
    if buffer.count < count { buffer = FloatBuffer(count + count / 8) }
}

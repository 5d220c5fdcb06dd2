/// Where the parameters of a ``CandidateNetwork`` lie in one row of numbers:
/// `[goals, width]` of the linear part, then of each hidden layer `[inputs, units]` and its biases `[units]`, then `[goals, units]` of the
/// output. The output has no bias: a constant changes no order.
package struct NetworkLayout: Sendable, Equatable {
    /// A hidden layer.
    package struct Layer: Sendable, Equatable {
        /// Numbers that go in.
        package let inputs: Int
        /// Numbers that come out.
        package let units: Int
        /// Where its `[inputs, units]` begin.
        package let weights: Int
        /// Where its biases begin.
        package var biases: Int { weights + inputs * units }
    }

    /// Signals of a candidate.
    package let width: Int
    /// Scores of a candidate.
    package let goals: Int
    /// The hidden layers.
    package let layers: [Layer]
    /// Where the output's `[goals, units]` begin; nothing is there without hidden layers.
    package let output: Int
    /// How many parameters there are.
    package let count: Int

    /// Lays out a network of these sizes.
    package init(width: Int, hidden: [Int], goals: Int) {
        (self.width, self.goals) = (width, goals)
        var layers: [Layer] = [], end = goals * width, inputs = width
        for units in hidden {
            layers.append(Layer(inputs: inputs, units: units, weights: end))
            end += (inputs + 1) * units
            inputs = units
        }
        self.layers = layers
        output = end
        count = end + (layers.isEmpty ? 0 : goals * inputs)
    }

    /// Units of the last hidden layer, 0 without any.
    package var lastUnits: Int { layers.last?.units ?? 0 }
    /// Units of all hidden layers.
    package var units: Int { layers.reduce(0) { $0 + $1.units } }
}

import Tensors

/// What orders candidates: a linear part and, beside it, a small network with ReLU on scaled signals; one score a goal.
///
/// Without hidden layers it is a linear model.
public struct CandidateNetwork: Sendable, Equatable {
    /// The hidden units that a network has where nothing else is said.
    public static let defaultHidden = [32, 16]
    /// Hidden units come in groups of this many: what a processor's vectors hold.
    public static let unitGroup = 16
    /// Candidates that go through at once: their rows stay in the first two caches.
    private static let tileCandidates = 64
    static let maxLayers = 8, maxUnits = 1_024, maxWidth = 4_096, maxGoals = 16

    /// What signals go through first.
    public let scaling: SignalScaling
    /// Units of each hidden layer, multiples of ``unitGroup``; empty for a linear model.
    public let hidden: [Int]
    /// Scores of a candidate.
    public let goals: Int
    /// The linear part `[goals, width]`, the hidden layers and the output, one behind the other.
    public let parameters: [Float]
    /// Where its parameters lie.
    package let layout: NetworkLayout

    /// Makes a network.
    ///
    /// - Parameters:
    ///   - hidden: up to 8 multiples of ``unitGroup``, up to 1,024.
    ///   - parameters: as many as ``parameterCount(width:hidden:goals:)`` says.
    public init(scaling: SignalScaling, hidden: [Int], goals: Int, parameters: [Float]) {
        precondition(Self.areSizesPossible(width: scaling.width, hidden: hidden, goals: goals), "\(hidden) units for \(goals) goals")
        layout = NetworkLayout(width: scaling.width, hidden: hidden, goals: goals)
        precondition(parameters.count == layout.count, "\(parameters.count) parameters where there must be \(layout.count)")
        (self.scaling, self.hidden, self.goals, self.parameters) = (scaling, hidden, goals, parameters)
    }

    /// How many parameters a network has.
    public static func parameterCount(width: Int, hidden: [Int], goals: Int) -> Int {
        NetworkLayout(width: width, hidden: hidden, goals: goals).count
    }

    static func areSizesPossible(width: Int, hidden: [Int], goals: Int) -> Bool {
        (1...maxWidth).contains(width) && (1...maxGoals).contains(goals) && hidden.count <= maxLayers
            && hidden.allSatisfy { $0.isMultiple(of: unitGroup) && (unitGroup...maxUnits).contains($0) }
    }

    /// Signals of a candidate.
    public var width: Int { layout.width }

    /// What each scaled signal counts in the linear part for a goal, `[width]`.
    public func linearWeights(goal: Int = 0) -> [Float] { Array(parameters[goal * width..<(goal + 1) * width]) }

    /// The scores of candidates, `[candidates, goals]`, row-major; finite whatever the signals hold.
    ///
    /// - Parameter signals: `[candidates, width]`, row-major.
    /// - Complexity: for 220 candidates with 45 signals and the default units some tens of microseconds.
    public func scores(_ signals: UnsafeBufferPointer<Float>, candidates: Int) -> [Float] {
        precondition(signals.count == candidates * width, "\(signals.count) signals of \(candidates) candidates with \(width) each")
        guard candidates > 0, let base = signals.baseAddress else { return [] }
        let tile = min(candidates, Self.tileCandidates)
        let pass = CandidatePass(layout, candidates: tile, isForwardOnly: true)
        return [Float](unsafeUninitializedCapacity: candidates * goals) { out, count in
            parameters.withUnsafeBufferPointer { parameters in
                guard let start = parameters.baseAddress else { return }
                for first in stride(from: 0, to: candidates, by: tile) {
                    let rows = min(tile, candidates - first)
                    scaling.apply(base + first * width, candidates: rows, into: pass.inputs)
                    pass.forward(candidates: rows, start)
                    for place in 0..<rows * goals {
                        out.initializeElement(at: first * goals + place, to: pass.scores[place].isFinite ? pass.scores[place] : 0)
                    }
                }
                count = candidates * goals
            }
        }
    }

    /// The scores of candidates computed the plain way, in double precision; see ``scores(_:candidates:)``.
    package func referenceScores(_ signals: [Float]) -> [Double] {
        stride(from: 0, to: signals.count, by: width).flatMap { row in
            let x = scaling.reference(Array(signals[row..<row + width]))
            var values = x
            for layer in layout.layers {
                values = (0..<layer.units).map { unit in
                    var sum = Double(parameters[layer.biases + unit])
                    for input in 0..<layer.inputs { sum += values[input] * Double(parameters[layer.weights + input * layer.units + unit]) }
                    return max(0, sum)
                }
            }
            return (0..<goals).map { goal in
                var score = 0.0
                for signal in 0..<width { score += x[signal] * Double(parameters[goal * width + signal]) }
                for unit in 0..<layout.lastUnits {
                    score += values[unit] * Double(parameters[layout.output + goal * layout.lastUnits + unit])
                }
                return score
            }
        }
    }
}

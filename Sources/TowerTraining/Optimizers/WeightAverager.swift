import Tensors
import TowerModel

/// A moving average of the parameters (Polyak and Juditsky 1992, in the exponential form): steps wander around a good place, their
/// mean is nearer to it.
final class WeightAverager {
    /// Steps between two additions: going through all tables costs more than many a step.
    static let interval = 16

    /// The averaged parameters.
    let average: TowerParameters
    private let decay: Float

    /// Begins with the parameters as they are. `decay` is the share of the average that a step keeps.
    init(_ parameters: TowerParameters, decay: Float) {
        self.decay = decay
        average = TowerParameters(parameters.shape, shard: parameters.shard)
        average.copy(from: parameters)
    }

    /// Adds the parameters after `step` steps where it is time to.
    func note(_ parameters: TowerParameters, step: Int) {
        guard step % Self.interval == 0 else { return }
        var kept: Float = 1
        for _ in 0..<Self.interval { kept *= decay }
        // The start is forgotten soon.
        let additions = Float(step / Self.interval)
        kept = min(kept, (1 + additions) / (10 + additions))
        blend(parameters.dense, into: average.dense, kept: kept)
        for (from, to) in zip(parameters.tables, average.tables) { blend(from, into: to, kept: kept) }
    }

    /// State for a checkpoint; names begin with `average.`.
    func tensors() -> [NamedTensor] { average.tensors(prefix: "average.") }

    /// Reads the state of ``tensors()``.
    func read(_ reader: TensorReader) throws(ModelError) { try average.read(reader, prefix: "average.") }

    private func blend(_ from: FloatBuffer, into to: FloatBuffer, kept: Float) {
        parallelFor(count: to.count, minimumChunk: 1 << 16) { range, _ in
            let (a, b) = (from.start + range.lowerBound, to.start + range.lowerBound)
            Kernels.scale(kept, b, into: b, count: range.count)
            Kernels.axpy(1 - kept, a, into: b, count: range.count)
        }
    }
}

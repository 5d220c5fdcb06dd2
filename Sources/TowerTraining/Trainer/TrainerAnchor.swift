import Bytes
import TowerModel

extension Trainer {
    /// Estimates how much this training's examples depend on each parameter as it stands, from the first epoch's batches. Nothing is
    /// learned. Small batches and no dropout give the best estimate for the same work.
    ///
    /// - Parameter batches: at most.
    /// - Throws: where a rank of a training in several processes is lost.
    public func importance(batches: Int) throws(RankError) -> ParameterImportance {
        let result = ParameterImportance(squares: TowerParameters(parameters.shape))
        var found = 0
        _ = pass.begin(epoch: 0, skipping: 0)
        while found < batches, let batch = try pass.runNext(key: SplitMix64Mixing.mixed(configuration.seed &+ UInt64(found))) {
            let gradients = pass.gradients
            result.add(gradients, examples: batch.examples, tokens: contentTokens(gradients), userTokens: userTokens)
            found += 1
        }
        result.scale(1 / Float(max(1, found)))
        return result
    }

    /// Keeps the parameters near where they stand now, each by its importance.
    ///
    /// - Parameters:
    ///   - importance: of a training over the same items.
    ///   - strength: 1 / examples of the mean loss that the old data outweigh: with the old examples' number over the new ones', the
    ///     pull is that of a Gaussian around the old optimum.
    public func anchor(_ importance: ParameterImportance, strength: Float) {
        precondition(importance.squares.shape == parameters.shape, "an importance of other items than this training's")
        optimizer.anchor = WeightAnchor(parameters, importance: importance, strength: strength)
    }
}

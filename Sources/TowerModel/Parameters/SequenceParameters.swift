import Tensors

/// The sizes of the sequence tower.
package struct SequenceShape: Sendable, Equatable {
    /// What the blocks are made of.
    package var kind: BlockKind
    /// Blocks, one after the other.
    package var blocks: Int
    /// Attention heads of a block; they divide the dimension.
    package var heads: Int
    /// Width of the feed-forward layer, 0 for none.
    package var feedForward: Int
    /// Whether attention has a bias for each distance.
    package var hasDistances: Bool
    /// Whether each place of the window has a vector.
    package var hasPlaces: Bool
    /// Whether the user's vector comes from the network.
    package var hasNetwork: Bool
    /// Moving means that the network sees.
    package var means: Int

    /// Of a tower that is none.
    package static let none = SequenceShape(
        kind: .attention, blocks: 0, heads: 1, feedForward: 0, hasDistances: false, hasPlaces: false, hasNetwork: false, means: 0)

    /// Width of a block's first product: query, key and value, with a gate before them in the HSTU form.
    package func projection(_ dimension: Int) -> Int { (kind == .hstu ? 4 : 3) * dimension }
}

extension SequenceShape {
    /// The sizes that a configuration gives.
    package init(_ configuration: TowerConfiguration) {
        let tower = configuration.sequence, hasNetwork = tower.head == .network
        self.init(
            kind: tower.block, blocks: tower.blocks, heads: tower.attentionHeads, feedForward: tower.feedForward,
            hasDistances: tower.distanceBias, hasPlaces: tower.places, hasNetwork: hasNetwork, means: hasNetwork ? tower.historyMeans : 0)
    }
}

extension TowerParameters {
    /// The start of a sequence tower: blocks that add little to what they are given, and means with different memories.
    func initializeSequence(_ random: inout SeededGenerator) {
        guard let sequence = shape.sequence else { return }
        let d = shape.dimension
        fill(.sequencePlaces, inputs: 1, gain: 0.05, &random)
        fill(.blockInputWeight, inputs: d, gain: 0.8, &random)
        fill(.blockOutputWeight, inputs: d, gain: 0.6, &random)
        fill(.feedInputWeight, inputs: d, gain: 1, &random)
        fill(.feedOutputWeight, inputs: max(1, sequence.feedForward), gain: 0.6, &random)
        for block in 0..<sequence.blocks {
            fillOnes(.blockNorm, row: 2 * block)
            if sequence.feedForward > 0 { fillOnes(.feedNorm, row: 2 * block) }
        }
        fillOnes(.sequenceNorm, row: 0)
        if sequence.hasDistances {
            // The last head begins without a preference; the others look at the newest entries first. Distances fall from left to right.
            let bias = dense.start + layout.offset(.blockDistances), limit = shape.historyLength
            for row in 0..<sequence.blocks * sequence.heads where sequence.heads == 1 || row % sequence.heads < sequence.heads - 1 {
                for distance in 0..<limit { bias[row * limit + limit - 1 - distance] = -0.5 * Kernels.log(Float(1 + distance)) }
            }
        }
        // σ of these: memories of about two, seven and thirty entries, and on.
        let decays = dense.start + layout.offset(.sequenceDecays)
        for mean in 0..<sequence.means { decays[mean] = 0.4 + 1.5 * Float(mean) }
    }

    private func fillOnes(_ parameter: DenseParameter, row: Int) {
        let start = dense.start + layout.offset(parameter) + row * shape.dimension
        for index in 0..<shape.dimension { start[index] = 1 }
    }
}

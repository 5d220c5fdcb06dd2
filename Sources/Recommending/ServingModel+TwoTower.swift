import Interactions
import TwoTower

extension ServingModel {
    /// The serving part of a two-tower model.
    ///
    /// Its scores are logits already, and the last component of an item's vector is its popularity. A user without any known
    /// item and without attributes has no vector: what is popular now suits them better than the model's average.
    public init(_ model: TwoTowerModel, version: Int) {
        self.init(
            version: version, dimension: model.dimension, historyLimitItems: model.historyLength, temperature: 1,
            biasComponents: 1
        ) { input, now in
            let attributes = input.attributes.map { JSONText.tokens(ofObject: $0) } ?? []
            guard !input.rows.isEmpty || !attributes.isEmpty else { return nil }
            return input.vectors.withUnsafeBufferPointer { vectors in
                model.encodeUser(
                    vectors: vectors, types: input.types.map(\.rawValue), times: input.times.map(\.milliseconds),
                    attributes: attributes, now: now.milliseconds)
            }
        }
    }
}

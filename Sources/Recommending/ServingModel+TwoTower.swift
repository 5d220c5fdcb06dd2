import TowerModel

extension ServingModel {
    /// The serving part of a two-tower model.
    ///
    /// Its scores are logits already, and the last component of an item's vector is its popularity. A user without any known
    /// item, and without an attribute or context that training met, has no vector: what is popular now suits them better than the
    /// model's average.
    public init(_ model: TwoTowerModel, version: Int) {
        let knows: @Sendable (String) -> Bool = { token in
            // Tokens that were not learned have rows of zeros: they change no bit.
            let none = UnsafeBufferPointer<Float>(start: nil, count: 0)
            return model.encodeUser(vectors: none, types: [], times: [], attributes: [token], now: 0)
                != model.encodeUser(vectors: none, types: [], times: [], attributes: [], now: 0)
        }
        self.init(
            version: version, dimension: model.dimension, historyLimitItems: model.historyLength, temperature: 1,
            biasComponents: TwoTowerModel.popularityComponents, knowsAttribute: knows
        ) { input, now in
            let attributes = input.attributeTokens
            guard !input.rows.isEmpty || attributes.contains(where: knows) else { return nil }
            return input.vectors.withUnsafeBufferPointer { vectors in
                model.encodeUser(
                    vectors: vectors, types: input.types.map(\.rawValue), times: input.times.map(\.milliseconds),
                    attributes: attributes, now: now.milliseconds)
            }
        }
    }
}

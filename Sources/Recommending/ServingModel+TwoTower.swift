import Interactions
import TwoTower

extension ServingModel {
    /// The serving part of a two-tower model.
    ///
    /// Its scores are logits already, and the last component of an item's vector is its popularity. A user without any known
    /// item, attributes and context has no vector: what is popular now suits them better than the model's average.
    public init(_ model: TwoTowerModel, version: Int) {
        self.init(
            version: version, dimension: model.dimension, historyLimitItems: model.historyLength, temperature: 1,
            biasComponents: 1
        ) { input, now in
            var attributes = input.attributes.map { JSONText.tokens(ofObject: $0) } ?? []
            for (name, value) in input.context.sorted(by: { $0.key < $1.key }) { attributes.append("\(name)=\(value)") }
            guard !input.rows.isEmpty || !attributes.isEmpty else { return nil }
            return input.vectors.withUnsafeBufferPointer { vectors in
                model.encodeUser(
                    vectors: vectors, types: input.types.map(\.rawValue), times: input.times.map(\.milliseconds),
                    attributes: attributes, now: now.milliseconds)
            }
        }
    }
}

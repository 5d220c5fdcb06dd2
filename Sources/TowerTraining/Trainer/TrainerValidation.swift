import Evaluation
import Tensors
import TowerModel

extension Trainer {
    /// No event of the set is an example, so that the parameters would stay as they were drawn.
    static func noExamples(_ set: TrainingSet, _ configuration: TowerConfiguration) -> ConfigurationError {
        let weights = ["click_weight", "add_to_cart_weight", "purchase_weight", "recency_half_life_days"]
            .map { "train.\($0) \(configuration.value(of: $0) ?? "")" }
        return ConfigurationError(
            key: "click_weight",
            description:
                "none of \(set.eventCount) interactions is an example, so nothing would be learned: \(weights.joined(separator: ", ")) "
                + "(or objectives.*) leave each of them without weight; give a weight to a type that occurs")
    }

    /// Ranks each held-out interaction among all items but those that the user had before.
    func validate() -> MetricsReport {
        let d = parameters.shape.dimension, n = set.itemCount, served = self.served
        let pass = ItemPass(served, content: content, configuration: configuration)
        pass.forward((0..<Int32(n)).map { $0 }, key: 0, rate: 0)
        let vectors = UnsafePointer(pass.vectors.start)
        let slices = ItemSlices(counts: set.eventsPerItem(), itemIDs: set.itemIDs)
        var metrics = RankingMetrics(cutoffs: [10, 100], catalogueSize: n, slices: slices)
        var ranked = [[Int32]](repeating: [], count: plan.heldOut.count)
        let tower = UserTower(configuration, layout: served.layout, dense: served.dense.start)
        let table = UnsafePointer(served.table(.userTokens).start)
        let idle = trainedIdle
        ranked.withUnsafeMutableBufferPointer { ranked in
            parallelFor(count: plan.heldOut.count, threads: configuration.threads) { range, _ in
                var scores = [Float](repeating: 0, count: n)
                for index in range {
                    let (user, event) = plan.heldOut[index]
                    let before = set.userStarts[Int(user)]..<event
                    let sequence = UserSequence(
                        before, items: set.items, types: set.types, times: set.times,
                        vectors: UnsafeBufferPointer(start: vectors, count: n * d), dimension: d, limit: configuration.historyLength)
                    let tokens = userTokens.buckets[userTokens.range(of: user)]
                    let vector = tower.encode(
                        sequence, tokens: tokens, table: table, now: set.times[event],
                        trainedIdle: idle)
                    vector.withUnsafeBufferPointer { u in
                        guard let u = u.baseAddress else { return }
                        for item in 0..<n { scores[item] = Kernels.dot(u, vectors + item * d, count: d) }
                    }
                    var had = Set(before.map { set.items[$0] })
                    had.remove(set.items[event])
                    ranked[index] = topRows(100, of: scores) { had.contains($0) }
                }
            }
        }
        for (list, held) in zip(ranked, plan.heldOut) { metrics.add(ranked: list, relevant: [set.items[held.event]]) }
        return metrics.report()
    }
}

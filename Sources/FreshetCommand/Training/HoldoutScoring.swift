import Evaluation
import Interactions
import Tensors
import TwoTower

/// Ranks the whole catalogue for each question of a holdout, by a model or by a rival, under the same rules.
struct HoldoutScoring {
    let log: TrainingLog
    let holdout: Holdout
    /// Types of interactions whose items are left out of the answers.
    let excludes: Set<UInt8>
    let threads: Int

    /// Metrics with the per-user values that the gate compares.
    struct Outcome {
        var report: MetricsReport
        var perUser: [Double]
    }

    private static let listLength = 100

    /// What the model answers. Items that it never trained on are encoded from their content.
    func score(_ model: TwoTowerModel) -> Outcome {
        let vectors = model.encodeItems(log.contents, rows: log.itemIDs.map { model.row(of: $0) }, threads: threads)
        return collect { question in
            var sequence = UserSequence(dimension: model.dimension, limit: model.historyLength)
            vectors.withUnsafeBufferPointer { values in
                for row in question.known.suffix(model.historyLength) {
                    let start = Int(log.items[row]) * model.dimension
                    sequence.append(
                        vector: UnsafeBufferPointer(rebasing: values[start..<start + model.dimension]), type: log.types[row],
                        time: log.times[row])
                }
            }
            let user = model.encodeUser(sequence, attributes: log.attributes[question.user], now: question.time)
            return model.scores(of: user, items: vectors, threads: threads)
        }
    }

    /// What counting answers: the most popular items of the training part.
    func scorePopularity() -> Outcome {
        let items = log.items.indices.filter { holdout.isTraining[$0] }.map { log.items[$0] }
        let rival = PopularityRival(items: items, itemCount: log.itemIDs.count)
        return collect { _ in rival.scores }
    }

    /// The same, weighted by age; the half-life is a tenth of the time that the log spans.
    func scoreRecentPopularity() -> Outcome {
        let rows = log.items.indices.filter { holdout.isTraining[$0] }
        let times = rows.map { log.times[$0] }
        let newest = times.max() ?? 0
        let span = newest - (times.min() ?? 0)
        let rival = RecentPopularityRival(
            items: rows.map { log.items[$0] }, times: times, itemCount: log.itemIDs.count, now: newest,
            halfLifeMilliseconds: max(3_600_000, span / 10))
        return collect { _ in rival.scores }
    }

    private func collect(_ scores: (Holdout.Question) -> [Float]) -> Outcome {
        var counts = [Int](repeating: 0, count: log.itemIDs.count)
        for row in log.items.indices where holdout.isTraining[row] { counts[Int(log.items[row])] += 1 }
        var metrics = RankingMetrics(
            catalogueSize: log.itemIDs.count, slices: ItemSlices(counts: counts, itemIDs: log.itemIDs))
        for question in holdout.questions {
            var excluded = Set<Int32>()
            for row in question.known where excludes.contains(log.types[row]) { excluded.insert(log.items[row]) }
            let ranked = topRows(
                Self.listLength, of: scores(question), excluding: { excluded.contains($0) || log.isHidden[Int($0)] })
            metrics.add(ranked: ranked, relevant: question.truth)
        }
        return Outcome(report: metrics.report(), perUser: metrics.perUserNDCG)
    }
}

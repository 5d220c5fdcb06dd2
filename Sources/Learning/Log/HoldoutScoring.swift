import Evaluation
import Interactions
import Recommending
import Tensors
import TowerModel
import TowerTraining
import TrainingFiles

/// What a model's two towers make of the items and of a question's user.
package struct HoldoutVectors {
    /// What is learned from and asked.
    package let log: TrainingLog
    /// Whose vectors they are.
    package let model: TwoTowerModel
    /// `[items, dimension]`, in rows of the log.
    package let items: Matrix
    /// Threads to compute with.
    package let threads: Int

    /// All of it.
    package init(log: TrainingLog, model: TwoTowerModel, items: Matrix, threads: Int) {
        self.log = log
        self.model = model
        self.items = items
        self.threads = threads
    }

    /// The vector of a question's user.
    package func user(_ question: Holdout.Question) -> [Float] {
        user(question.user, known: question.known, now: question.time)
    }

    /// The vector of a user of whom some rows are known.
    package func user(_ user: Int, known rows: Range<Int>, now: Int64) -> [Float] {
        let sequence = items.withUnsafeBufferPointer {
            UserSequence(
                rows, items: log.items, types: log.types, times: log.times, vectors: $0, dimension: model.dimension,
                limit: model.historyLength)
        }
        return model.encodeUser(sequence, attributes: log.attributes[user], now: now)
    }

    /// The inner products with all items.
    package func scores(of user: [Float]) -> [Float] { model.scores(of: user, items: items, threads: threads) }
}

extension TrainingLog {
    /// Whether what was done in a row keeps its item out of later answers.
    package func keepsOut(_ row: Int, by rule: ExclusionRule) -> Bool {
        rule.keepsOut(1 << types[row]) { contents[Int(items[row])].categories.last }
    }
}

/// Ranks the whole catalogue for each question of a holdout, by a model or by a rival, under the same rules.
package struct HoldoutScoring {
    /// What is learned from and asked.
    package let log: TrainingLog
    /// The questions.
    package let holdout: Holdout
    /// What keeps an item out of the answers.
    package let excludes: ExclusionRule
    /// Threads to compute with.
    package let threads: Int

    /// All of it.
    package init(log: TrainingLog, holdout: Holdout, excludes: ExclusionRule, threads: Int) {
        self.log = log
        self.holdout = holdout
        self.excludes = excludes
        self.threads = threads
    }

    /// Metrics with the per-user values that the gate compares.
    package struct Outcome {
        /// Means over the questions.
        package var report: MetricsReport
        /// NDCG@10 of each question, in their order.
        package var perUser: [Double]

        /// All of it.
        package init(report: MetricsReport, perUser: [Double]) {
            self.report = report
            self.perUser = perUser
        }
    }

    private static let listLength = 100

    /// What the model answers. Items that it never trained on are encoded from their content.
    package func score(_ model: TwoTowerModel) -> Outcome {
        let towers = towers(model)
        return collect { towers($0) }
    }

    /// The inner products of a model's towers for a question, one an item.
    package func towers(_ model: TwoTowerModel) -> (Holdout.Question) -> [Float] {
        let vectors = vectors(model)
        return { vectors.scores(of: vectors.user($0)) }
    }

    /// The vectors of a model's towers.
    package func vectors(_ model: TwoTowerModel) -> HoldoutVectors {
        HoldoutVectors(
            log: log, model: model, items: model.encodeItems(log.contents, rows: log.itemIDs.map { model.row(of: $0) }, threads: threads),
            threads: threads)
    }

    /// Items that may not be an answer to a question.
    package func excluded(_ question: Holdout.Question) -> Set<Int32> {
        var excluded = Set<Int32>()
        for row in question.known where log.keepsOut(row, by: excludes) { excluded.insert(log.items[row]) }
        return excluded
    }

    /// What counting answers: the most popular items of the training part.
    package func scorePopularity() -> Outcome {
        let rival = PopularityRival(counts: trainingCounts())
        return collect { _ in rival.scores }
    }

    /// Interactions to learn from, by item row.
    package func trainingCounts() -> [Int] {
        var counts = [Int](repeating: 0, count: log.itemIDs.count)
        log.items.withUnsafeBufferPointer { items in
            for user in log.userIDs.indices { for row in holdout.trainingRows(of: user, in: log) { counts[Int(items[row])] += 1 } }
        }
        return counts
    }

    /// The same questions under another rule.
    package func under(_ rule: ExclusionRule) -> HoldoutScoring {
        HoldoutScoring(log: log, holdout: holdout, excludes: rule, threads: threads)
    }

    /// Asks every question for a score of each item, and keeps what is found.
    package func collect(_ scores: (Holdout.Question) -> [Float]) -> Outcome {
        collect { count, question in best(count, of: scores(question), for: question) }
    }

    /// The best rows that may be shown for a question.
    package func best(_ count: Int, of scores: [Float], for question: Holdout.Question) -> [Int32] {
        let excluded = excluded(question)
        return topRows(count, of: scores, excluding: { excluded.contains($0) || log.isHidden[Int($0)] })
    }

    /// Asks every question for a list of so many rows, best first, and keeps what is found.
    package func collect(lists: (Int, Holdout.Question) -> [Int32]) -> Outcome {
        let counts = trainingCounts()
        var metrics = RankingMetrics(catalogueSize: log.itemIDs.count, slices: ItemSlices(counts: counts, itemIDs: log.itemIDs))
        var shown = ListConcentration.Counter(itemCount: log.itemIDs.count)
        for question in holdout.questions {
            let list = lists(Self.listLength, question)
            metrics.add(ranked: list, relevant: question.truth)
            let had = Set(question.known.lazy.map { log.items[$0] })
            let kinds = Set(had.lazy.compactMap { log.contents[Int($0)].categories.last })
            shown.add(list, had: had.contains, isNew: { counts[Int($0)] == 0 }) { row in
                log.contents[Int(row)].categories.last.map(kinds.contains) ?? false
            }
        }
        var report = metrics.report()
        report.concentration = shown.report(itemIDs: log.itemIDs)
        return Outcome(report: report, perUser: metrics.perUserNDCG)
    }
}

import Evaluation
import Recommending
import TrainingFiles

/// The rivals that a model is compared with, on the same questions, each within a bound of work, each with the settings that suit the data.
extension HoldoutScoring {
    /// One rival and what it achieved.
    package struct JudgedRival {
        /// Who it is.
        package var contestant: EvaluationRecord.Contestant
        /// The settings that did best, in words; empty where there is nothing to set.
        package var settings: String
        /// What it achieved.
        package var outcome: Outcome

        /// All of it.
        package init(contestant: EvaluationRecord.Contestant, settings: String = "", outcome: Outcome) {
            self.contestant = contestant
            self.settings = settings
            self.outcome = outcome
        }
    }

    /// Interactions that Markov, EASE and neighbours learn from, about: of more, every k-th user's.
    package static let rivalEventsLimit = 1_000_000
    /// Items that EASE models while a training waits: its cost grows with their cube.
    package static let trainingEASEItemsLimit = 4_000
    /// Questions that the settings of a rival are chosen by, at most.
    private static let choiceQuestionsLimit = 800

    /// Every rival, popularity first, buying again among them whatever the rules say: somebody who counts shows what people take.
    ///
    /// Settings are chosen as a blend's weights are: those that are best for one half of the users answer the other half, so that no rival
    /// is praised for what it was fitted to. Whether it keeps out what the rules do is one of them.
    package func scoreRivals(easeItemsLimit: Int = EASERival.itemsLimit) -> [JudgedRival] {
        rivalData.families(easeItemsLimit: easeItemsLimit).map(judged)
    }

    /// The two that give everybody the same list: popularity, and what is popular of late.
    package func scorePopularRivals() -> [JudgedRival] { rivalData.popular.map(judged) }

    /// The best NDCG@10 that counting alone reaches under each of some rules, on a part of the questions.
    package func bestCounted(under rules: [ExclusionRule]) -> [Double] {
        let asked = sampled(Self.choiceQuestionsLimit)
        var best = [Double](repeating: 0, count: rules.count)
        for setting in rivalData.counting.flatMap(\.settings) {
            let rival = setting.learn()
            for (place, values) in asked.values(under: rules, { rival.scores(question($0)) }).enumerated() where !values.isEmpty {
                best[place] = max(best[place], values.reduce(0, +) / Double(values.count))
            }
        }
        return best
    }

    /// NDCG@10 of each question under each of some rules, all of one ranking.
    private func values(under rules: [ExclusionRule], _ rank: (Holdout.Question) -> [Float]) -> [[Double]] {
        var metrics = rules.map { _ in RankingMetrics(cutoffs: [10], catalogueSize: log.itemIDs.count) }
        let scorings = rules.map(under)
        for question in holdout.questions {
            let scores = rank(question)
            for (place, scoring) in scorings.enumerated() {
                metrics[place].add(ranked: scoring.best(10, of: scores, for: question), relevant: question.truth)
            }
        }
        return metrics.map(\.perUserNDCG)
    }

    /// One way of a family to answer.
    private struct RivalChoice {
        var setting = 0
        var rule: ExclusionRule = []
        var score = -1.0
    }

    /// A rival under its settings.
    private func judged(_ family: RivalFamily) -> JudgedRival {
        func rank(_ rival: any Rival) -> (Holdout.Question) -> [Float] { { rival.scores(self.question($0)) } }
        let rules: [ExclusionRule] = excludes.isEmpty ? [[]] : [excludes, []]
        guard family.settings.count > 1 || rules.count > 1 else {
            let rival = family.settings[0].learn()
            return JudgedRival(contestant: family.contestant, settings: family.settings[0].words, outcome: collect(rank(rival)))
        }
        let sample = sampled(Self.choiceQuestionsLimit)
        // Best for those of even and odd rows, and for all of them. What is learned is not kept: some of it is large.
        var best = [RivalChoice](repeating: RivalChoice(), count: 3)
        for (place, setting) in family.settings.enumerated() {
            let rival = setting.learn()
            for (rule, values) in zip(rules, sample.values(under: rules, rank(rival))) {
                for group in 0...2 {
                    let own = zip(sample.holdout.questions, values).filter { group == 2 || $0.0.user % 2 == group }.map(\.1)
                    let score = own.isEmpty ? 0 : own.reduce(0, +) / Double(own.count)
                    if score > best[group].score { best[group] = RivalChoice(setting: place, rule: rule, score: score) }
                }
            }
        }
        let halves = [best[1], best[0]], even = family.settings[halves[0].setting].learn()
        let rivals = [even, halves[0].setting == halves[1].setting ? even : family.settings[halves[1].setting].learn()]
        let left = best[2].rule == excludes ? "" : RivalComparison.nothingLeftOut
        let words = [family.settings[best[2].setting].words, left].filter { !$0.isEmpty }
        return JudgedRival(
            contestant: family.contestant, settings: words.joined(separator: ", "),
            outcome: collect { count, asked in
                under(halves[asked.user % 2].rule).best(count, of: rivals[asked.user % 2].scores(question(asked)), for: asked)
            })
    }

    /// The same scoring with so many of its questions at most, spread over all.
    package func sampled(_ limit: Int) -> HoldoutScoring {
        guard holdout.questions.count > limit else { return self }
        var fewer = holdout
        let step = Double(holdout.questions.count) / Double(limit)
        fewer.questions = (0..<limit).map { holdout.questions[Int(Double($0) * step)] }
        return HoldoutScoring(log: log, holdout: fewer, excludes: excludes, threads: threads)
    }

    private func question(_ question: Holdout.Question) -> RivalQuestion {
        RivalQuestion(
            history: question.known.map { log.items[$0] }, times: question.known.map { log.times[$0] }, now: question.time)
    }

    private var rivalData: RivalData {
        let rows = log.userIDs.indices.map { holdout.trainingRows(of: $0, in: log) }.filter { !$0.isEmpty }
        return RivalData(
            itemCount: log.itemIDs.count, counts: trainingCounts(), sequences: boundedSequences(rows),
            oldest: rows.lazy.map { log.times[$0.lowerBound] }.min() ?? 0, newest: rows.lazy.map { log.times[$0.upperBound - 1] }.max() ?? 0
        ) { add in
            for own in rows { for row in own { add(log.items[row], log.times[row]) } }
        }
    }

    /// What may be learned of each user, for as many users as the bound allows.
    private func boundedSequences(_ rows: [Range<Int>]) -> [[Int32]] {
        let total = rows.reduce(0) { $0 + $1.count }
        let step = max(1, (total + Self.rivalEventsLimit - 1) / Self.rivalEventsLimit)
        return stride(from: 0, to: rows.count, by: step).map { place in rows[place].map { log.items[$0] } }
    }
}

extension EvaluationRecord {
    /// Takes up what rivals achieved, and under which settings.
    package mutating func add(_ rivals: [HoldoutScoring.JudgedRival]) {
        for rival in rivals {
            self[rival.contestant] = rival.outcome.record
            guard !rival.settings.isEmpty else { continue }
            rivalSettings = (rivalSettings ?? [:]).merging([rival.contestant.rawValue: rival.settings]) { $1 }
        }
    }
}

extension HoldoutScoring.Outcome {
    /// What the registry and `--json` have of it, with the 95 % interval of NDCG@10 over users.
    package var record: MetricsRecord { MetricsRecord(report, perUser: perUser) }
}

import Evaluation
import Interactions
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

    /// Every rival, popularity first. Buying again is one where the rules let things be shown again.
    ///
    /// Settings are chosen as a blend's weights are: those that are best for one half of the users answer the other half, so that no rival
    /// is praised for what it was fitted to.
    package func scoreRivals(easeItemsLimit: Int = EASERival.itemsLimit) -> [JudgedRival] {
        let repeats = !excludes.isSuperset(of: InteractionType.acts.map(\.rawValue))
        return rivalData.families(repeats: repeats, easeItemsLimit: easeItemsLimit).map(judged)
    }

    /// The two that give everybody the same list: popularity, and what is popular of late.
    package func scorePopularRivals() -> [JudgedRival] { rivalData.popular.map(judged) }

    /// A rival under its settings.
    private func judged(_ family: RivalFamily) -> JudgedRival {
        func rank(_ rival: any Rival) -> (Holdout.Question) -> [Float] { { rival.scores(self.question($0)) } }
        guard family.settings.count > 1 else {
            let rival = family.settings[0].learn()
            return JudgedRival(contestant: family.contestant, settings: family.settings[0].words, outcome: collect(rank(rival)))
        }
        let sample = sampled(Self.choiceQuestionsLimit)
        // Best for those of even and odd rows, and for all of them. What is learned is not kept: some of it is large.
        var best = [(score: Double, setting: Int)](repeating: (-1, 0), count: 3)
        for (place, setting) in family.settings.enumerated() {
            let values = sample.collect(rank(setting.learn())).perUser
            for group in 0...2 {
                let own = zip(sample.holdout.questions, values).filter { group == 2 || $0.0.user % 2 == group }.map(\.1)
                let score = own.isEmpty ? 0 : own.reduce(0, +) / Double(own.count)
                if score > best[group].score { best[group] = (score, place) }
            }
        }
        let settings = [best[1].setting, best[0].setting], even = family.settings[settings[0]].learn()
        let halves = [even, settings[0] == settings[1] ? even : family.settings[settings[1]].learn()]
        return JudgedRival(
            contestant: family.contestant, settings: family.settings[best[2].setting].words,
            outcome: collect { halves[$0.user % 2].scores(question($0)) })
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

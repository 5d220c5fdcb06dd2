import CandidateRanking
import Evaluation
import Tensors
import TrainingFiles

/// Makes a rival a ranker that serves: of the forms that it can have (``CounterForm``) the one that answers the held-out questions best,
/// chosen as rivals' settings are, for each half of the users on the other.
package struct CounterTraining {
    /// Questions that the form is chosen by, at most.
    private static let questionsLimit = 800
    /// What a deviation of the ranking that was there before counts beside one of the user's times: it tells equal counts apart.
    private static let interestWeight: Float = 1e-6

    /// How tables are counted, and candidates found.
    package let training: RankerTraining

    /// With the training of rankers.
    package init(_ training: RankerTraining) { self.training = training }

    /// A counter as a ranker.
    package struct Fit {
        /// How it counts, in words.
        package var words: String
        /// Its weights, those of each half of the users, and what was counted.
        package var ranker: RankerTraining.Fit
    }

    /// Chooses.
    ///
    /// - Parameters:
    ///   - rival: which counter.
    ///   - tables: what was counted before the questions; nil counts.
    ///   - interest: what tells equal counts apart, one score a row of the log.
    /// - Returns: nil where the rival has no form, or nobody is asked.
    package func fit(
        _ rival: EvaluationRecord.Contestant, _ scoring: HoldoutScoring, tables: CandidateTables? = nil,
        interest: (Holdout.Question) -> [Float]
    ) -> Fit? {
        let rules = training.rules(scoring), forms = CounterForm.forms(of: rival, usesTimes: rules.usesTimes)
        let asked = training.spread(scoring.holdout.questions, Self.questionsLimit)
        guard !forms.isEmpty, !asked.isEmpty else { return nil }
        let tables = tables ?? training.tables(of: scoring)
        let asking = RankerQuestions(
            log: training.log, historyLimitEvents: training.historyLimitEvents, excludes: scoring.excludes)
        let all = CounterForm.network(forms, for: tables)
        let answered = asked.map { question in
            let interest = interest(question), (user, rows) = training.pool(question, interest, asking, tables)
            return RankerMixing.Answered(
                rows: rows, interests: rows.map { interest[Int($0)] }, outputs: all.outputs(rows, user: user), relevant: question.truth,
                values: [], half: question.user % 2)
        }
        let deviation = RankerMixing.deviation(answered.flatMap(\.interests)), tie = deviation > 0 ? Self.interestWeight / deviation : 0
        func mix(_ form: Int) -> RankerMixing.Mix {
            RankerMixing.Mix(interest: tie, goals: forms.indices.map { $0 == form ? 1 : 0 })
        }
        let found = forms.indices.map { form in RankerMixing.measure(answered) { RankerMixing.scores($0, mix(form)) }.ndcg }
        func best(_ uses: (RankerMixing.Answered) -> Bool) -> Int {
            let places = answered.indices.filter { uses(answered[$0]) }
            var chosen = 0, most = -1.0
            for form in forms.indices {
                let sum = places.reduce(0) { $0 + found[form][$1] }
                if sum > most { (chosen, most) = (form, sum) }
            }
            return chosen
        }
        // A logit, so that what new items are given, and what items cost, means the same beside it.
        func weights(_ form: Int, _ uses: (RankerMixing.Answered) -> Bool) -> RankerWeights {
            let scale = RankerMixing.scale(answered.filter(uses), mix(form))
            return RankerWeights(
                network: CounterForm.network([forms[form]], for: tables), interest: scale * tie, goals: [scale],
                horizonDays: rules.horizonDays, usesTimes: rules.usesTimes)
        }
        let chosen = best { _ in true }, halves = [0, 1].map { half in weights(best { $0.half != half }) { $0.half != half } }
        return Fit(
            words: forms[chosen].words,
            ranker: RankerTraining.Fit(
                weights: weights(chosen) { _ in true }, halves: halves, mixing: RankerMixing([], goals: 1, valueShare: 0), tables: tables,
                questions: answered.count, borders: 1, isNetwork: false))
    }
}

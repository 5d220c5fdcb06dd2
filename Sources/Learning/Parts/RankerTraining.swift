import CandidateRanking
import Evaluation
import Interactions
import Recommending
import Tensors
import TowerModel
import TrainingFiles

/// Learns to order candidates by what counting knows of them: a network over counters, on questions at several past borders.
///
/// At each border everything is counted anew from what lies before it, so that what is learned is how counters of the past say what comes
/// next, wherever the border lies. One border alone gives a third of what several do. What is judged is cross-fitted as the blend is: the
/// questions of the judged border count for the other half of the users only, and so does how much the network counts beside the towers.
package struct RankerTraining {
    /// Borders beside the judged one, questions of a border that make it count, and candidates learned from, at most.
    private static let bordersLimit = 7, leastQuestions = 200, candidatesLimit = 600_000
    /// Questions of one border alone: those whose answers are no candidates teach nothing and take no memory.
    private static let questionsLimit = 30_000
    /// Questions below which a linear model is learned: a network would learn the questions.
    private static let leastNetworkQuestions = 2_000
    /// Networks whose mean is taken, each with a seed of its own: what one learns differs by chance as much as a good signal is worth.
    private static let networks: UInt64 = 3
    /// Questions below which nothing is learned at all.
    private static let leastQuestionsAtAll = 50
    /// Questions that decide how much the network counts, and candidates of each that come from the ranking so far.
    private static let mixQuestionsLimit = 2_000, interestCandidates = 150
    /// Lengths of history that have a mix of their own.
    private static let historyLimitsEvents = [2, 10]
    /// Items that EASE models at older borders: its cost grows with their cube.
    private static let olderEASEItemsLimit = 3_000

    /// What is learned from.
    package let log: TrainingLog
    /// How it is learned.
    package let settings: RankerSettings
    /// Interactions of a user that serving reads.
    package let historyLimitEvents: Int
    /// Threads to compute with.
    package let threads: Int
    private let levels: [(group: [Int32], count: Int)]
    private let tokens: ItemTokens
    private let hasValues: Bool

    /// All of it.
    package init(log: TrainingLog, settings: RankerSettings, historyLimitEvents: Int, threads: Int) {
        (self.log, self.settings) = (log, settings)
        (self.historyLimitEvents, self.threads) = (historyLimitEvents, threads)
        levels = ItemLevels.levels(log.contents)
        tokens = ItemTokens(log.contents.map(ItemLevels.tokens))
        hasValues = Self.hasValues(log)
    }

    /// Networks with how much they count, and those of each half of the users.
    package struct Fit {
        /// Learned from all questions.
        package var weights: RankerWeights
        /// Those for users of even and odd rows, learned from the others.
        package var halves: [RankerWeights]
        /// What was compared.
        package var mixing: RankerMixing
        /// The same for users of whom little is known, by length of history.
        package var newcomers: [RankerMixing.Newcomers] = []
        /// What was counted before the judged border, in rows of the log.
        package var tables: CandidateTables
        /// Questions that were learned from, and borders.
        package var questions: Int, borders: Int
        /// Whether it is a network, or a linear model.
        package var isNetwork: Bool

        /// The share of the ranking without it in the final score, in deviations.
        package var rankingShare: Double { Double(mixing.share) }
        /// What was paid has an output of its own.
        package var hasValues: Bool { weights.goals.count > 1 }
    }

    /// Learns.
    ///
    /// - Parameter interest: what the ranking so far gives for a question, one score a row: judged by halves, like all that follows.
    /// - Returns: nil where nothing is wanted, or too little is asked.
    package func fit(_ scoring: HoldoutScoring, interest: (Holdout.Question) -> [Float]) -> Fit? {
        guard settings.isWanted, scoring.holdout.questions.count >= Self.leastQuestionsAtAll else { return nil }
        let asking = RankerQuestions(log: log, historyLimitEvents: historyLimitEvents, excludes: scoring.excludes)
        let ends = scoring.holdout.trainingEnds, newest = log.newestTime
        let horizon = horizon(scoring), rules = rules(scoring), tables = tables(of: scoring)
        let returning = horizon == nil ? asking.questions(after: ends) : asking.questions(at: tables.end, until: newest)
        // Where most people come once, who comes back teaches little of whom lists are for. Elsewhere questions about newcomers would cost
        // those who come back: three questions in ten of a shop with many regulars cost 1 % of their NDCG@10.
        let areNewcomersMost = horizon != nil && asking.newcomers(at: tables.end, until: newest, told: [1]).count > returning.count
        func withNewcomers(
            _ returning: [RankerQuestions.Question], at border: Int64, until end: Int64
        ) -> [RankerQuestions.Question] {
            returning + (areNewcomersMost ? asking.newcomers(at: border, until: end, told: NewcomerBlend.toldEvents) : [])
        }
        let judged = withNewcomers(returning, at: tables.end, until: newest)
        var lists = CandidateLists(width: CandidateSignal.count, goals: hasValues ? 2 : 1)
        var random = SeededGenerator(seed: settings.seed, stream: 0x5241_4E4B)
        let older = horizon.map { horizon in
            olderBorders(tables.end, horizon: horizon) { withNewcomers(asking.questions(at: $0, until: $1), at: $0, until: $1) }
        } ?? []
        let perBorder = Self.candidatesLimit / (Self.bordersLimit + 1) / RankerQuestions.candidatesExpected
        asking.add(
            spread(judged, older.isEmpty ? Self.questionsLimit : perBorder), tables: tables, hasValues: hasValues,
            candidatesLimit: Self.candidatesLimit, random: &random, to: &lists)
        let judgedCount = lists.count
        var olderRules = rules
        olderRules.links.easeItemsLimit = min(settings.easeItemsLimit, Self.olderEASEItemsLimit)
        for border in older {
            let past = log.userIDs.indices.map { log.userStarts[$0]..<log.firstRow(of: $0, after: border.time) }
            let counted = self.tables(past, rules: olderRules, end: border.time)
            asking.add(
                spread(border.questions, perBorder), tables: counted, hasValues: hasValues, candidatesLimit: Self.candidatesLimit,
                random: &random, to: &lists)
        }
        guard lists.count >= Self.leastQuestionsAtAll else { return nil }
        let isNetwork = lists.count >= Self.leastNetworkQuestions
        let groups = lists.groups
        func learned(_ uses: (Int) -> Bool) -> CandidateNetwork {
            var fit = CandidateFit()
            // Of the worthless candidates most were left out before.
            fit.droppedShare = 0.2
            let linear = fit.linear(on: lists, uses: uses, threads: threads)
            guard isNetwork else { return linear }
            return .mean(
                of: (0..<Self.networks).map {
                    fit.network(on: lists, from: linear, seed: settings.seed &+ $0, uses: uses, threads: threads)
                })
        }
        // What the other half of the users did before the judged border is nobody's answer to what is judged.
        let halves = [0, 1].map { half in learned { $0 >= judgedCount || groups[$0] != half } }
        let mixing = RankerMixing(
            spread(scoring.holdout.questions, Self.mixQuestionsLimit).map { question in
                answered(question, asking, tables, halves[question.user % 2], interest(question))
            }, goals: lists.gains.count, valueShare: settings.valueShare)
        guard let mix = mixing.mix else { return nil }
        let short = shortHistories(scoring, mixing) { answered($0, asking, tables, halves[$0.user % 2], interest($0)) }
        func weights(
            _ network: CandidateNetwork, _ mix: RankerMixing.Mix, _ own: (RankerMixing.Newcomers) -> RankerMixing.Mix
        ) -> RankerWeights {
            var weights = RankerWeights(
                network: network, interest: mix.interest, goals: mix.goals, horizonDays: rules.horizonDays, usesTimes: rules.usesTimes)
            weights.newcomers = short.filter(\.isKept).map {
                RankerWeights.Newcomer(historyLimitEvents: $0.historyLimitEvents, interest: own($0).interest, goals: own($0).goals)
            }
            return weights
        }
        return Fit(
            weights: weights(learned { _ in true }, mix.all) { $0.mix.all },
            halves: [0, 1].map { half in weights(halves[half], mix.halves[half]) { $0.mix.halves[half] } }, mixing: mixing,
            newcomers: short, tables: tables, questions: lists.count, borders: older.count + 1, isNetwork: isNetwork)
    }

    /// Mixes for users of whom little is known: on questions about whoever is new in the holdout, and about those of its users who had
    /// done as little.
    private func shortHistories(
        _ scoring: HoldoutScoring, _ mixing: RankerMixing, answered: (Holdout.Question) -> RankerMixing.Answered
    ) -> [RankerMixing.Newcomers] {
        let questions = (scoring.newcomerQuestions ?? []) + scoring.holdout.questions
        var shortest = 1
        return Self.historyLimitsEvents.compactMap { limit in
            let own = questions.filter { shortest...limit ~= $0.known.count }
            shortest = limit + 1
            return mixing.newcomers(spread(own, Self.mixQuestionsLimit).map(answered), historyLimitEvents: limit)
        }
    }

    private func horizon(_ scoring: HoldoutScoring) -> Int64? { scoring.holdout.border.map { max(1, log.newestTime - $0) } }

    /// How tables are counted for the questions of a holdout.
    func rules(_ scoring: HoldoutScoring) -> CandidateTables.Rules {
        // Where each user's last interaction is held out, times are taken to tell an order alone.
        let horizon = horizon(scoring)
        return CandidateTables.Rules(
            horizonDays: Self.days(horizon), links: LinkTables.Bounds(easeItemsLimit: settings.easeItemsLimit), usesTimes: horizon != nil)
    }

    /// What is counted before the questions of a holdout, in rows of the log.
    func tables(of scoring: HoldoutScoring) -> CandidateTables {
        tables(log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) }, rules: rules(scoring))
    }

    /// Whether what was paid is known often enough to be a goal of its own.
    private static func hasValues(_ log: TrainingLog) -> Bool {
        var purchases = 0, paid = 0
        for row in log.items.indices where log.types[row] == InteractionType.purchase.rawValue {
            purchases += 1
            if log.amounts[row] > 0 { paid += 1 }
        }
        return paid >= 1_000 && 2 * paid >= purchases
    }

    /// The ranker to publish with a model: tables counted from `rows`, in the model's own rows.
    package func ranker(_ weights: RankerWeights, for model: TwoTowerModel, rows: [Range<Int>]) -> CandidateRanker {
        let rules = CandidateTables.Rules(
            horizonDays: weights.horizonDays, links: LinkTables.Bounds(easeItemsLimit: settings.easeItemsLimit),
            usesTimes: weights.usesTimes)
        let tables = tables(rows, rules: rules)
        return CandidateRanker(weights: weights.counting(tables), tables: tables)
            .renumbered(log.itemIDs.map { model.row(of: $0) ?? -1 }, itemCount: model.itemIDs.count)
    }

    private func tables(_ rows: [Range<Int>], rules: CandidateTables.Rules, end: Int64? = nil) -> CandidateTables {
        log.items.withUnsafeBufferPointer { items in
            log.times.withUnsafeBufferPointer { times in
                log.amounts.withUnsafeBufferPointer { amounts in
                    CandidateTables(
                        CountedEvents(users: rows, items: items, times: times, amounts: amounts, itemCount: log.itemIDs.count),
                        end: end, levels: levels, tokens: tokens, rules: rules)
                }
            }
        }
    }

    private static func days(_ horizon: Int64?) -> Float { Float(Double(horizon ?? 28 * 86_400_000) / 86_400_000) }

    /// Borders before the judged one whose answers lie before it too, newest first.
    private func olderBorders(
        _ judged: Int64, horizon: Int64, asked: (_ border: Int64, _ end: Int64) -> [RankerQuestions.Question]
    ) -> [(time: Int64, questions: [RankerQuestions.Question])] {
        var borders: [(time: Int64, questions: [RankerQuestions.Question])] = []
        for place in 0..<Self.bordersLimit {
            let time = judged - horizon - Int64(place) * max(1, horizon / 2)
            let questions = asked(time, time + horizon)
            guard questions.count >= Self.leastQuestions else { break }
            borders.append((time, questions))
        }
        return borders
    }

    /// The scores of a question's candidates by the network and by the ranking so far.
    private func answered(
        _ question: Holdout.Question, _ asking: RankerQuestions, _ tables: CandidateTables, _ network: CandidateNetwork, _ interest: [Float]
    ) -> RankerMixing.Answered {
        let (user, rows) = pool(question, interest, asking, tables)
        return RankerMixing.Answered(
            rows: rows, interests: rows.map { interest[Int($0)] }, outputs: network.outputs(rows, user: user), relevant: question.truth,
            values: hasValues ? HeldOutcomes(question, log: log).gains(of: question.truth) : [], half: question.user % 2)
    }

    /// Rows that would be ranked: the candidates of counting, and the best of the ranking so far.
    func pool(
        _ question: Holdout.Question, _ interest: [Float], _ asking: RankerQuestions, _ tables: CandidateTables
    ) -> (user: CandidateSignals, rows: [Int32]) {
        let asked = RankerQuestions.Question(user: question.user, known: question.known, later: 0..<0, now: question.time)
        let user = asking.signals(asked, tables: tables), admits = asking.admits(asked)
        var rows = user.candidates(where: admits)
        let taken = Set(rows)
        rows += topRows(Self.interestCandidates, of: interest) { !admits($0) }.filter { !taken.contains($0) }
        return (user, rows)
    }

    /// So many of them at most, spread over all.
    func spread<Element>(_ all: [Element], _ limit: Int) -> [Element] {
        guard all.count > limit else { return all }
        let step = Double(all.count) / Double(limit)
        return (0..<limit).map { all[Int(Double($0) * step)] }
    }

    /// The final scores of all rows for a question: those of candidates, and below them the rest as the ranking so far has it.
    package func scores(
        _ question: Holdout.Question, interest: [Float], weights: RankerWeights, tables: CandidateTables, excludes: ExclusionRule
    ) -> [Float] {
        let asking = RankerQuestions(log: log, historyLimitEvents: historyLimitEvents, excludes: excludes)
        let (user, rows) = pool(question, interest, asking, tables)
        let outputs = weights.network.outputs(rows, user: user)
        let zero = weights.scores([Float](repeating: 0, count: rows.count), outputs: outputs, historyEvents: user.historyEvents)
        let least = zero.min() ?? 0, weight = weights.interest(historyEvents: user.historyEvents)
        var scores = interest.map { weight * $0 + least }
        for (place, row) in rows.enumerated() { scores[Int(row)] = zero[place] + weight * interest[Int(row)] }
        return scores
    }
}

extension LearningSettings {
    /// The ranker's training on a log.
    package func rankerTraining(_ log: TrainingLog, threads: Int = Threads.current) -> RankerTraining {
        RankerTraining(log: log, settings: ranker, historyLimitEvents: blend.historyLimitEvents, threads: threads)
    }
}

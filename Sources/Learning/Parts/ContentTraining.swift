import ContentModel
import Evaluation
import Foundation
import Recommending
import Tensors
import TowerModel
import TrainingFiles

/// Learns the content channel, by which items that the model never trained on are scored, and fits its weights on what training
/// held out: a fifth of the items, the newest where dates tell, is withheld from the learning, as if it were to arrive later, and
/// found again. See ``WithheldItems``.
package struct ContentTraining {
    /// Questions that weights are fitted on at most.
    private static let questionsLimit = 3_000
    /// Withheld items that a question looks at, beside its answers.
    private static let sampleItems = 200
    /// A catalogue of more items is not given a channel: its vectors would take more memory than the towers'.
    package static let catalogueLimitItems = 300_000

    /// What is learned from.
    package let log: TrainingLog
    /// How it is learned.
    package let settings: ContentSettings

    /// All of it.
    package init(log: TrainingLog, settings: ContentSettings) {
        self.log = log
        self.settings = settings
    }

    /// Whether there is a channel: `content.channel` wants one, the catalogue is not too large, and something is known of its items.
    package var isWanted: Bool {
        settings.isWanted && log.itemIDs.count <= Self.catalogueLimitItems
            && log.contents.contains { $0 != ItemContent() }
    }

    /// Learns from each user's rows.
    ///
    /// - Parameter withheld: by item whether it is treated as new; empty for none.
    package func learning(_ rows: [Range<Int>], withheld: [Bool] = [], threads: Int = 1) -> ContentLearning {
        log.items.withUnsafeBufferPointer { items in
            ContentLearning(
                itemIDs: log.itemIDs, contents: log.contents, users: rows, events: items, clock: log.newestTime,
                rules: ContentRules(linkAttributes: settings.linkAttributes), withheld: withheld, threads: threads)
        }
    }

    /// What a judged model may learn of contents: nothing of what was held out.
    package func learning(of scoring: HoldoutScoring) -> ContentLearning {
        learning(log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) }, threads: scoring.threads)
    }

    /// What was found.
    package struct Fitted {
        /// The weights.
        package var all: [Float]
        /// Those of the sparse parts and popularity without the dense space, fitted on the same questions.
        package var sparse: [Float]
        /// The constants of which ``all`` has the mean: that of new items of a time split; or, with the newest items withheld, where dates
        /// tell them, and with random ones.
        package var constants: [Float] = []
        /// What was learned of all that may be learned from; nil where the fit did without.
        package var learning: ContentLearning?
    }

    /// Items treated as new, and what is learned without them.
    private struct Fold {
        var withheld: [Bool]
        var learning: ContentLearning
        /// The rows that are treated as new and may be shown.
        var members: [Int]
        /// Whether they are new indeed, and what the users took of them is what was held out.
        var isLater = false
    }

    /// Items that were new at the border of a time split: what they are worth is seen in what was held out. Not all that nobody took is
    /// new; see ``UntakenItems``. Nil where there is no border, or too little was taken after it to tell.
    private func laterFold(scoring: HoldoutScoring) -> Fold? {
        guard scoring.holdout.border != nil else { return nil }
        let isNew = NewItemTraining(log: log, rows: log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) }).isNew
        let taken = scoring.holdout.questions.reduce(0) { sum, question in sum + question.truth.count { isNew[Int($0)] } }
        guard taken >= Self.leastTakenLater else { return nil }
        return Fold(
            withheld: isNew,
            learning: learning(of: scoring), members: isNew.indices.filter { isNew[$0] && !log.isHidden[$0] }, isLater: true)
    }

    private func fold(_ withheld: [Bool], counts: [Int], rows: [Range<Int>], threads: Int) -> Fold {
        Fold(
            withheld: withheld, learning: learning(rows, withheld: withheld, threads: threads),
            members: counts.indices.filter { counts[$0] > 0 && withheld[$0] && !log.isHidden[$0] })
    }

    /// The fold on which weights are fitted: the newest items where dates tell them, else a fifth at random.
    private func fittingFold(counts: [Int], rows: [Range<Int>], threads: Int) -> (fold: Fold, isNewest: Bool) {
        let newest = WithheldItems.newest(contents: log.contents, counts: counts)
        return (
            fold(newest ?? WithheldItems.atRandom(itemIDs: log.itemIDs), counts: counts, rows: rows, threads: threads), newest != nil
        )
    }

    /// Weights before anything was fitted.
    private static func prior(levelWeight: Float) -> [Float] {
        var prior = ContentChannel.defaultWeights
        for part in [ContentChannel.Part.tower, .constant] { prior[part.rawValue] = 0 }
        prior[ContentChannel.Part.level.rawValue] = levelWeight
        return prior
    }

    /// Weights beside towers that nothing judges and that rank alone: fitted as ``fitted(_:scoring:levelWeight:scores:)`` has it, on what
    /// users had. The constant is left to what new items come: see ``NewItemShare``.
    ///
    /// - Parameter rows: of each user, what is learned from.
    package func unjudged(_ rows: [Range<Int>], threads: Int) -> [Float] {
        let prior = Self.prior(levelWeight: 1), known = rows.filter { !$0.isEmpty }
        var counts = [Int](repeating: 0, count: log.itemIDs.count)
        for own in known { for row in own { counts[Int(log.items[row])] += 1 } }
        let fold = fittingFold(counts: counts, rows: rows, threads: threads).fold
        guard !known.isEmpty, !fold.members.isEmpty else { return prior }
        let asked = min(known.count, Self.questionsLimit)
        return fit(fold, known: (0..<asked).map { known[$0 * known.count / asked] }).weights(prior: prior)
    }

    /// Takes in what users had of a fold's items, to be found among all of them by the others.
    private func fit(_ fold: Fold, known questions: [Range<Int>]) -> ContentFit {
        var fit = ContentFit()
        for rows in questions {
            let known = rows.lazy.map { Int(log.items[$0]) }
            var taken = Set<Int>()
            for item in known where fold.withheld[item] { taken.insert(item) }
            guard !taken.isEmpty else { continue }
            let profile = fold.learning.profile(known.filter { !fold.withheld[$0] })
            let rest = fold.members.filter { !taken.contains($0) }
            func parts(_ row: Int) -> [Float] { self.parts(of: row, fold.learning, profile, level: 0, constant: 0) }
            fit.add(
                others: Self.nothing, otherAnswers: 0, answers: taken.sorted().flatMap(parts),
                rest: sample(rest).flatMap(parts), restCount: rest.count)
        }
        return fit
    }

    /// The weights.
    ///
    /// Those of content are fitted on what users took of the withheld items: the profile is made of the others, and what the user took of
    /// the withheld is to be found among all of them. The towers have learned these very interactions, so they have no say. The constant
    /// then gives new items, in lists beside others, the share that users' interactions with such items have: see ``constant``. Where
    /// enough was held out of items that were new by time, it is theirs; else the mean of what the newest items ask for, on which the
    /// weights are fitted where dates tell them, and what random ones do.
    ///
    /// - Parameters:
    ///   - model: trained without the held-out part.
    ///   - levelWeight: what the ranking multiplies the towers' inner product by.
    ///   - scores: what the ranking gives for a question, one score a row; what new items are compared with.
    package func fitted(
        _ model: TwoTowerModel, scoring: HoldoutScoring, levelWeight: Float = 1, scores: (Holdout.Question) -> [Float]
    ) -> Fitted {
        let counts = scoring.trainingCounts()
        let rows = log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) }
        let (first, isNewest) = fittingFold(counts: counts, rows: rows, threads: scoring.threads)
        let asked = scoring.holdout.questions
        let step = max(1, Double(asked.count) / Double(Self.questionsLimit))
        let questions = (0..<min(asked.count, Self.questionsLimit)).map { asked[Int(Double($0) * step)] }
        let prior = Self.prior(levelWeight: levelWeight)
        guard !questions.isEmpty, !first.members.isEmpty else { return Fitted(all: prior, sparse: prior) }

        let fit = fit(first, known: questions.map(\.known))
        var weights = fit.weights(prior: prior)
        let vectors = scoring.vectors(model)
        // What was taken of new items indeed says it best. Else the newest are what arrives is most like, and few of one time, and any
        // fifth is like the catalogue: neither alone is to be trusted.
        let later = laterFold(scoring: scoring)
        func atRandom() -> Fold {
            fold(WithheldItems.atRandom(itemIDs: log.itemIDs), counts: counts, rows: rows, threads: scoring.threads)
        }
        let folds = later.map { [$0] } ?? (isNewest ? [first, atRandom()] : [first])
        let constants = folds.map {
            constant(weights, fold: $0, questions: questions, vectors: vectors, scoring: scoring, counts: counts, scores: scores)
        }
        weights[ContentChannel.Part.constant.rawValue] = constants.reduce(0, +) / Float(constants.count)
        return Fitted(
            all: weights, sparse: fit.weights(prior: prior, leavingOut: [.affinity, .strength]), constants: constants,
            learning: later?.learning)
    }

    /// ln Σ e^score of no items at all.
    private static let nothing = -1e4

    private func parts(
        of row: Int, _ learning: ContentLearning, _ profile: ContentChannel.Profile?, level: Float, constant: Float
    ) -> [Float] {
        let width = ContentChannel.Part.count
        return [Float](unsafeUninitializedCapacity: width) { buffer, count in
            if let start = buffer.baseAddress {
                learning.channel.write(learning.items[row], profile: profile, tower: 0, level: level, into: start)
                start[ContentChannel.Part.constant.rawValue] = constant
            }
            count = width
        }
    }

    private func sample(_ rows: [Int]) -> [Int] {
        let stride = max(1, Double(rows.count) / Double(Self.sampleItems))
        return (0..<min(rows.count, Self.sampleItems)).map { rows[Int(Double($0) * stride)] }
    }

    /// The constant under which the withheld items get their share of lists of ``NewItemShare/listLength``.
    ///
    /// The share is that of the users' interactions with withheld items among all of theirs. In the lists stand all withheld items, those
    /// that the user took among them, since nobody has taken what is new; of the others only what the user does not have. What a list's
    /// last place asks for decides, not the sum of probabilities: content knows less of an item than interactions do, so its scores lie
    /// closer together and would fill fewer places than their share. Where content says too little, that share would cost hits; then it is
    /// the largest that keeps `content.share_cost_percent`: see ``FairShare``.
    private func constant(
        _ weights: [Float], fold: Fold, questions: [Holdout.Question], vectors: HoldoutVectors, scoring: HoldoutScoring,
        counts: [Int], scores: (Holdout.Question) -> [Float]
    ) -> Float {
        let withheld = fold.withheld, learning = fold.learning, members = fold.members
        guard !members.isEmpty else { return 0 }
        let level = mean(vectors.items, rows: counts.indices.filter { counts[$0] > 0 })
        var share = FairShare(length: NewItemShare.listLength)
        let limit = min(Self.shareQuestionsLimit, max(Self.leastShareQuestions, Self.shareScoresLimit / members.count))
        let questions = questions.count > limit ? (0..<limit).map { questions[$0 * questions.count / limit] } : questions
        for question in questions {
            let known = question.known.lazy.map { Int(log.items[$0]) }
            let truth = Set(question.truth)
            let taken = Set(fold.isLater ? question.truth.lazy.map { Int($0) }.filter { withheld[$0] } : known.filter { withheld[$0] })
            let excluded = scoring.excluded(question), fixed = scores(question)
            let own = zip(vectors.user(question), level).reduce(Float(0)) { $0 + $1.0 * $1.1 }
            let profile = learning.profile(known.filter { !withheld[$0] })
            let new = members.map { row in
                let parts = parts(of: row, learning, profile, level: own, constant: 0)
                return (score: zip(weights, parts).reduce(Float(0)) { $0 + $1.0 * $1.1 }, row: row)
            }.sorted { ($0.score, -$0.row) > ($1.score, -$1.row) }
            let others = topRows(NewItemShare.listLength, of: fixed) {
                withheld[Int($0)] || counts[Int($0)] == 0 || log.isHidden[Int($0)] || excluded.contains($0)
            }
            let fromKnown = others.map { (score: fixed[Int($0)], isHit: truth.contains($0)) }
            let fromNew = new.prefix(NewItemShare.listLength).map { (score: $0.score, isHit: taken.contains($0.row)) }
            let total = Double(max(1, fold.isLater ? truth.count : question.known.count))
            share.add(others: fromKnown, new: fromNew, wanted: Double(taken.count) / total, hitWorth: Double(truth.count) / total)
        }
        return share.constant(cost: settings.shareCost)
    }

    /// Questions that the share is measured on at most.
    private static let shareQuestionsLimit = 1_000, leastShareQuestions = 200
    /// Scores of new items that are computed for it at most, above ``leastShareQuestions``.
    private static let shareScoresLimit = 5_000_000
    /// Held-out interactions with items that nobody took before: fewer say nothing of their share.
    private static let leastTakenLater = 100

    private func mean(_ vectors: Matrix, rows: [Int]) -> [Float] {
        var sum = [Double](repeating: 0, count: vectors.columns)
        for row in rows { for (place, value) in vectors.row(row).enumerated() { sum[place] += Double(value) } }
        return sum.map { Float($0 / Double(max(1, rows.count))) }
    }
}

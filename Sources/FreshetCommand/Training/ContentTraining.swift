import Foundation
import Tensors
import TwoTower

/// Learns the content channel, by which items that the model never trained on are scored, and fits its weights on what training
/// held out: in each question a fifth of the items is treated as new.
struct ContentTraining {
    /// Questions that weights are fitted on at most.
    private static let questionsLimit = 3_000
    /// Items treated as new that a question looks at, beside its answers.
    private static let sampleItems = 200
    /// A catalogue of more items is not given a channel: its vectors would take more memory than the towers'.
    static let catalogueLimitItems = 300_000

    let log: TrainingLog
    let configuration: Configuration

    /// Whether there is a channel: `content.channel` wants one, the catalogue is not too large, and something is known of its items.
    var isWanted: Bool {
        configuration.text("content.channel") != "off" && log.itemIDs.count <= Self.catalogueLimitItems
            && log.contents.contains { $0 != ItemContent() }
    }

    /// Learns from each user's rows.
    func learning(_ rows: [Range<Int>]) -> ContentLearning {
        log.items.withUnsafeBufferPointer { items in
            ContentLearning(
                itemIDs: log.itemIDs, contents: log.contents, users: rows, events: items, clock: log.newestTime,
                rules: ContentRules(linkAttributes: configuration.list("content.links")))
        }
    }

    /// The weights.
    ///
    /// Likeness, background and popularity are fitted on what users took, with a fifth of the items treated as new: the profile is
    /// made of the others, and those of the fifth that the user took are to be found among all of the fifth. The towers have
    /// learned these very interactions, so they have no say. The constant then comes from the holdout: new items as a whole get the
    /// share of the probability that the fifth has of the answers.
    ///
    /// - Parameters:
    ///   - model: trained without the held-out part.
    ///   - levelWeight: what the ranking multiplies the towers' inner product by.
    ///   - scores: what the ranking gives for a question, one score a row; what new items are compared with.
    func weights(
        _ model: TwoTowerModel, scoring: HoldoutScoring, levelWeight: Float = 1, scores: (Holdout.Question) -> [Float]
    ) -> [Float] {
        let learning = learning(log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) })
        let counts = scoring.trainingCounts(), folds = log.itemIDs.map { ContentLearning.fold(of: $0) }
        let members = (0..<ContentLearning.folds).map { fold in
            counts.indices.filter { counts[$0] > 0 && folds[$0] == fold && !log.isHidden[$0] }
        }
        let asked = scoring.holdout.questions
        let step = max(1, Double(asked.count) / Double(Self.questionsLimit))
        let questions = (0..<min(asked.count, Self.questionsLimit)).map { asked[Int(Double($0) * step)] }
        var prior = ContentChannel.defaultWeights
        for part in [ContentChannel.Part.tower, .constant] { prior[part.rawValue] = 0 }
        prior[ContentChannel.Part.level.rawValue] = levelWeight
        guard !questions.isEmpty else { return prior }

        var fit = ContentFit()
        for (place, question) in questions.enumerated() {
            let fold = place % ContentLearning.folds
            var taken = Set<Int>()
            for row in question.known where folds[Int(log.items[row])] == fold { taken.insert(Int(log.items[row])) }
            guard !taken.isEmpty else { continue }
            let others = question.known.lazy.map { Int(log.items[$0]) }.filter { folds[$0] != fold }
            let profile = learning.channel.profile(others.map { learning.vectors[$0] })
            let rest = members[fold].filter { !taken.contains($0) }
            func parts(_ row: Int) -> [Float] { self.parts(of: row, learning, profile, level: 0, constant: 0) }
            fit.add(
                others: Self.nothing, otherAnswers: 0, answers: taken.sorted().flatMap(parts),
                rest: sample(rest).flatMap(parts), restCount: rest.count)
        }
        var weights = fit.weights(prior: prior)
        weights[ContentChannel.Part.constant.rawValue] = constant(
            weights, questions: questions, model: model, learning: learning, scoring: scoring, members: members, folds: folds, counts: counts,
            scores: scores)
        return weights
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

    /// The constant under which a fifth of the items, treated as new, gets its share of the probability.
    private func constant(
        _ weights: [Float], questions: [Holdout.Question], model: TwoTowerModel, learning: ContentLearning, scoring: HoldoutScoring,
        members: [[Int]], folds: [Int], counts: [Int], scores: (Holdout.Question) -> [Float]
    ) -> Float {
        let trained = model.encodeItems(log.contents, rows: log.itemIDs.map { model.row(of: $0) }, threads: scoring.threads)
        let level = mean(trained, rows: counts.indices.filter { counts[$0] > 0 })
        var odds: [Double] = [], wanted = 0.0
        for (place, question) in questions.enumerated() {
            let fold = place % ContentLearning.folds, excluded = scoring.excluded(question), fixed = scores(question)
            let own = zip(userVector(question, model: model, vectors: trained), level).reduce(Float(0)) { $0 + $1.0 * $1.1 }
            let profile = learning.channel.profile(question.known.lazy.map { learning.vectors[Int(log.items[$0])] })
            let answers = question.truth.filter { counts[Int($0)] > 0 }
            guard !answers.isEmpty else { continue }
            let rest = members[fold].filter { !excluded.contains(Int32($0)) }, drawn = sample(rest)
            guard !drawn.isEmpty else { continue }
            let new = drawn.map { row in
                zip(weights, parts(of: row, learning, profile, level: own, constant: 0)).reduce(Float(0)) { $0 + $1.0 * $1.1 }
            }
            let others = log.itemIDs.indices.filter {
                folds[$0] != fold && counts[$0] > 0 && !log.isHidden[$0] && !excluded.contains(Int32($0))
            }
            odds.append(Self.logSum(new) + Foundation.log(Double(rest.count) / Double(drawn.count)) - Self.logSum(others.map { fixed[$0] }))
            wanted += Double(answers.count { folds[Int($0)] == fold }) / Double(answers.count)
        }
        guard !odds.isEmpty else { return 0 }
        let share = min(0.99, max(0.001, wanted / Double(odds.count)))
        var (low, high) = (-30.0, 30.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            let got = odds.reduce(0.0) { $0 + 1 / (1 + exp(-$1 - middle)) } / Double(odds.count)
            if got < share { low = middle } else { high = middle }
        }
        return Float(low)
    }

    private func userVector(_ question: Holdout.Question, model: TwoTowerModel, vectors: Matrix) -> [Float] {
        var sequence = UserSequence(dimension: model.dimension, limit: model.historyLength)
        vectors.withUnsafeBufferPointer { values in
            for row in question.known.suffix(model.historyLength) {
                let start = Int(log.items[row]) * model.dimension
                sequence.append(
                    vector: UnsafeBufferPointer(rebasing: values[start..<start + model.dimension]), type: log.types[row], time: log.times[row])
            }
        }
        return model.encodeUser(sequence, attributes: log.attributes[question.user], now: question.time)
    }

    private func mean(_ vectors: Matrix, rows: [Int]) -> [Float] {
        var sum = [Double](repeating: 0, count: vectors.columns)
        for row in rows { for (place, value) in vectors.row(row).enumerated() { sum[place] += Double(value) } }
        return sum.map { Float($0 / Double(max(1, rows.count))) }
    }

    private static func logSum(_ scores: [Float]) -> Double {
        guard let top = scores.max() else { return -.infinity }
        return Double(top) + Foundation.log(scores.reduce(0.0) { $0 + exp(Double($1 - top)) })
    }
}

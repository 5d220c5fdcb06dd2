import ContentModel
import Evaluation
import Tensors
import TrainingFiles

/// Judges a model on what was held out of items that nobody took before, beside rivals that know nothing but the records
/// (``ContentCosine``), each with the settings that suit the data.
package struct NewItemJudging {
    /// New items that are ranked at most, those that most took.
    private static let itemsLimit = 5_000
    /// Questions that settings are chosen by, and those below which nothing is said.
    private static let choiceQuestionsLimit = 800, leastQuestions = 10
    private static let listLength = 100

    private let scoring: HoldoutScoring
    private let rows: [Int32]
    private let questions: [Holdout.Question]
    private let rivals: ContentCosine

    /// Who took which new items.
    ///
    /// - Parameter learning: of contents, from what may be learned from; asked where enough took new items. Nil where nothing is known.
    /// - Returns: nil where too few took new items of which something is known.
    package init?(_ scoring: HoldoutScoring, learning: () -> ContentLearning?) {
        self.scoring = scoring
        let log = scoring.log, counts = scoring.trainingCounts()
        var takes = [Int](repeating: 0, count: counts.count)
        for question in scoring.holdout.questions { for row in question.truth where counts[Int(row)] == 0 { takes[Int(row)] += 1 } }
        guard takes.reduce(0, +) >= Self.leastQuestions, let learning = learning() else { return nil }
        let met = takes.indices.filter { takes[$0] > 0 && !log.isHidden[$0] && !learning.items[$0].vector.isEmpty }
        let kept = met.sorted { (takes[$0], -$0) > (takes[$1], -$1) }.prefix(Self.itemsLimit).sorted()
        let isKept = Set(kept.map { Int32($0) })
        questions = scoring.holdout.questions.compactMap { question in
            var own = question
            own.truth = question.truth.filter(isKept.contains)
            return own.truth.isEmpty ? nil : own
        }
        guard questions.count >= Self.leastQuestions, kept.count > 1 else { return nil }
        rows = kept.map { Int32($0) }
        rivals = ContentCosine(learning, items: kept.map { learning.items[$0] })
    }

    /// What the model and its rivals answer.
    ///
    /// - Parameter served: the model as it serves.
    package func judged(_ served: ServedScoring, minimumQuestions: Int) -> NewItemsRecord {
        let among = served.among(rows.map { scoring.log.itemIDs[Int($0)] })
        let model = metrics { among.list(Self.listLength, $0) }
        var record = NewItemsRecord()
        (record.questions, record.items, record.model) = (questions.count, rows.count, MetricsRecord(model.report, perUser: model.perUser))
        let all = NewItemsRecord.ContentRival.allCases
        record.rivals = all.map { rival in
            let (words, found) = answered(rival)
            return NewItemsRecord.Row(
                rival, settings: words, metrics: MetricsRecord(found.report, perUser: found.perUser), model: model.perUser,
                other: found.perUser, rivals: all.count, minimumQuestions: minimumQuestions)
        }
        return record
    }

    /// A rival under the settings that are best for the other half of the users, and those best for all in words.
    private func answered(_ rival: NewItemsRecord.ContentRival) -> (words: String?, found: HoldoutScoring.Outcome) {
        let settings: [ContentCosine.Setting]
        switch rival {
        case .popularity:
            let popularity = rivals.popularity, list = ranked(popularity)
            return (nil, metrics { _ in list })
        case .contentCosine: settings = ContentCosine.plain
        case .popularCosine: settings = ContentCosine.weighed
        }
        let step = max(1, Double(questions.count) / Double(Self.choiceQuestionsLimit))
        let sample = (0..<min(questions.count, Self.choiceQuestionsLimit)).map { questions[Int(Double($0) * step)] }
        var sums = [[Double]](repeating: [0, 0, 0], count: settings.count)
        for question in sample {
            var cosines: [ContentCosine.Setting: [Float]] = [:]
            for (place, setting) in settings.enumerated() {
                let own = cosines[setting.profile] ?? rivals.cosines(history(question), setting)
                cosines[setting.profile] = own
                var one = RankingMetrics(cutoffs: [10], catalogueSize: 0)
                one.add(ranked: ranked(rivals.scores(own, setting), 10), relevant: question.truth)
                sums[place][question.user % 2] += one.perUserNDCG[0]
                sums[place][2] += one.perUserNDCG[0]
            }
        }
        func best(_ group: Int) -> ContentCosine.Setting {
            var best = 0
            for place in settings.indices where sums[place][group] > sums[best][group] { best = place }
            return settings[best]
        }
        let halves = [best(1), best(0)]
        return (
            best(2).words,
            metrics { question in
                let setting = halves[question.user % 2]
                return ranked(rivals.scores(rivals.cosines(history(question), setting), setting))
            }
        )
    }

    private func history(_ question: Holdout.Question) -> [Int] { question.known.map { Int(scoring.log.items[$0]) } }

    private func ranked(_ scores: [Float], _ count: Int = Self.listLength) -> [Int32] {
        topRows(count, of: scores).map { rows[Int($0)] }
    }

    private func metrics(_ list: (Holdout.Question) -> [Int32]) -> HoldoutScoring.Outcome {
        var metrics = RankingMetrics(cutoffs: [10, 20, 100], catalogueSize: rows.count)
        for question in questions { metrics.add(ranked: list(question), relevant: question.truth) }
        return HoldoutScoring.Outcome(report: metrics.report(), perUser: metrics.perUserNDCG)
    }
}

extension ContentCosine.Setting {
    /// For people.
    fileprivate var words: String {
        let history = newestItems == 0 ? "the whole history" : "the newest \(newestItems) items"
        let weight = popularity == 0 ? "" : ", popularity to the power \(decimal(Double(popularity), places: 2))"
        return "\(history), rarity to the power \(decimal(Double(rarityPower), places: 1))\(weight)"
    }
}

import Evaluation
import Interactions
import Recommending
import Tensors
import TowerModel
import TrainingFiles

/// What heads are fitted on: impressions with what came of them, or, where the log has too few, sampled candidates of held-out questions.
package struct HeadExamplesBuilder {
    /// Fewer clicked impressions than this teach less than sampled negatives do.
    private static let leastClicks = 200
    /// Slates of impressions, and questions, that are read at most.
    private static let slatesLimit = 5_000, questionsLimit = 3_000
    /// Candidates of a question that the ranking would show, and how many of them stand for what was not chosen.
    private static let candidates = 200, negatives = 20

    /// The questions.
    package let scoring: HoldoutScoring
    /// The ranking whose first places are examples.
    package let judged: JudgedRanking
    /// How the blend reads histories.
    package let training: BlendTraining
    /// What was counted for the heads.
    package let tables: HeadTables

    /// All of it.
    package init(scoring: HoldoutScoring, judged: JudgedRanking, training: BlendTraining, tables: HeadTables) {
        self.scoring = scoring
        self.judged = judged
        self.training = training
        self.tables = tables
    }

    /// Examples by half of the users, and whether they are impressions.
    package struct Built {
        /// What the heads are fitted on.
        package var examples = HeadExamples()
        /// Whether the examples are what was shown, instead of what would have been.
        package var fromImpressions = false
        /// Whether the log tells clicks from purchases, and what was paid.
        package var hasClicks = false, hasPurchases = false, hasValues = false
        /// Examples of items that their user rated low.
        package var declined = 0
    }

    private var log: TrainingLog { scoring.log }

    /// Impressions later than what was learned from; without enough of them sampled candidates.
    package func build() -> Built {
        var built = Built()
        let places = log.impressions.times.indices.filter { log.impressions.times[$0] >= scoring.holdout.border ?? .max }
        if places.count(where: log.impressions.isTaken) >= Self.leastClicks {
            built.fromImpressions = true
            addImpressions(places, to: &built)
        } else {
            addSampled(to: &built)
        }
        return built
    }

    private func addImpressions(_ places: [Int], to built: inout Built) {
        let shown = log.impressions
        var slates: [Range<Int>] = []
        for (index, place) in places.enumerated() {
            if let last = slates.last, shown.users[places[last.lowerBound]] == shown.users[place],
                shown.times[places[last.lowerBound]] == shown.times[place]
            {
                slates[slates.count - 1] = last.lowerBound..<index + 1
            } else {
                slates.append(index..<index + 1)
            }
        }
        let step = max(1, Double(slates.count) / Double(Self.slatesLimit))
        for index in 0..<min(slates.count, Self.slatesLimit) {
            let slate = slates[Int(Double(index) * step)].map { places[$0] }
            let user = Int(shown.users[slate[0]]), time = shown.times[slate[0]]
            // What happened at the same instant is not known before it.
            let known = log.userStarts[user]..<log.firstRow(of: user, after: time - 1)
            guard !known.isEmpty else { continue }
            let seen = HeadSight(Holdout.Question(user: user, known: known, truth: [], time: time), self)
            for place in slate {
                let isBought = shown.outcomes[place] & 4 != 0
                if shown.outcomes[place] == ImpressionColumns.declined { built.declined += 1 }
                add(
                    HeadExample(
                        click: shown.isTaken(place) ? 1 : 0, isBought: isBought,
                        value: isBought ? Float(shown.amounts[place]) / tables.meanAmountMinor : 0),
                    of: shown.items[place], seen, user: user, to: &built)
            }
        }
    }

    private func addSampled(to built: inout Built) {
        var random = SeededGenerator(seed: 1, stream: 0x4E45_4741)
        let declined = declinedItems()
        let questions = scoring.holdout.questions
        let step = max(1, Double(questions.count) / Double(Self.questionsLimit))
        for index in 0..<min(questions.count, Self.questionsLimit) {
            let question = questions[Int(Double(index) * step)]
            let outcomes = HeldOutcomes(question, log: log)
            let seen = HeadSight(question, self)
            let excluded = scoring.excluded(question)
            let rows = seen.best(Self.candidates, where: { !excluded.contains($0) && !log.isHidden[Int($0)] })
            var others = rows.filter { outcomes[$0] == nil }
            let shown = others.count
            random.shuffle(&others)
            others = Array(others.prefix(Self.negatives))
            for row in rows {
                guard let outcome = outcomes[row] else { continue }
                add(
                    HeadExample(
                        click: 1, isBought: outcome.isBought, value: Float(outcome.amountMinor) / tables.meanAmountMinor),
                    of: row, seen, user: question.user, to: &built)
            }
            // Each stands for the candidates that were not drawn.
            let weight = Float(shown) / Float(max(others.count, 1))
            // What the user declined counts as each of these, candidate or not: it is known, not drawn.
            let unwanted = (declined[Int32(question.user)] ?? []).filter { outcomes[$0] == nil && !others.contains($0) }
                .suffix(Self.negatives)
            built.declined += unwanted.count
            for row in others + unwanted {
                add(HeadExample(click: 0, isBought: false, weight: weight), of: row, seen, user: question.user, to: &built)
            }
        }
    }

    /// Items that users rated low after the border, oldest first, by user row.
    private func declinedItems() -> [Int32: [Int32]] {
        let shown = log.impressions
        var items: [Int32: [Int32]] = [:]
        let border = scoring.holdout.border ?? .min
        for place in shown.times.indices where shown.outcomes[place] == ImpressionColumns.declined && shown.times[place] >= border {
            items[shown.users[place], default: []].append(shown.items[place])
        }
        return items
    }

    private func add(_ example: HeadExample, of row: Int32, _ seen: HeadSight, user: Int, to built: inout Built) {
        built.examples.append(seen.features(of: row), example, group: user % 2)
        if example.click > 0, !example.isBought { built.hasClicks = true }
        if example.isBought { built.hasPurchases = true }
        if example.value > 0 { built.hasValues = true }
    }
}

/// A question as the heads see it: scores of all items, and features of any.
package struct HeadSight {
    /// The towers' scores, one an item.
    package let tower: [Float]
    /// The ranking so far.
    package let interest: [Float]
    private let user: HeadUser
    private let builder: HeadExamplesBuilder

    /// What is known of a question's user.
    package init(_ question: Holdout.Question, _ builder: HeadExamplesBuilder) {
        self.builder = builder
        let vectors = builder.judged.vectors, own = vectors.user(question)
        tower = vectors.scores(of: own)
        interest = builder.judged.scores(question, tower: tower)
        let asked = builder.training.question(question)
        user = HeadUser(
            builder.judged.signals(history: asked.history, times: asked.times, now: asked.now),
            purchases: builder.training.purchases(question),
            vectors: HeadVectors(
                user: own, newest: asked.history.last.map { vectors.items.row(Int($0)) },
                biasComponents: TwoTowerModel.popularityComponents),
            declared: builder.scoring.log.attributes[question.user], tables: builder.tables)
    }

    /// The rows that the ranking so far puts first.
    package func best(_ count: Int, where admits: (Int32) -> Bool) -> [Int32] { topRows(count, of: interest, excluding: { !admits($0) }) }

    /// ``HeadFeature/count`` numbers.
    package func features(of row: Int32) -> [Float] {
        [Float](unsafeUninitializedCapacity: HeadFeature.count) { buffer, filled in
            builder.judged.vectors.items.withUnsafeRow(Int(row)) { vector in
                user.write(
                    featuresOf: row, interest: interest[Int(row)], tower: tower[Int(row)], vector: vector.baseAddress,
                    priceMicros: builder.scoring.log.contents[Int(row)].priceMicros, ranking: builder.judged.tables, tables: builder.tables,
                    into: UnsafeMutableBufferPointer(rebasing: buffer[..<HeadFeature.count]))
            }
            filled = HeadFeature.count
        }
    }
}

/// What a user did with each item after a question was asked.
package struct HeldOutcomes {
    /// One item's.
    package struct Outcome {
        /// Whether the item was bought.
        package var isBought = false
        /// Paid in all, in minor units.
        package var amountMinor: Int64 = 0
    }

    private var outcomes: [Int32: Outcome] = [:]

    /// Reads what happened after the question.
    package init(_ question: Holdout.Question, log: TrainingLog) {
        for row in question.known.upperBound..<log.userStarts[question.user + 1] {
            var outcome = outcomes[log.items[row]] ?? Outcome()
            if log.types[row] == InteractionType.purchase.rawValue {
                outcome.isBought = true
                let (sum, isBeyond) = outcome.amountMinor.addingReportingOverflow(max(log.amounts[row], 0))
                outcome.amountMinor = isBeyond ? .max : sum
            }
            outcomes[log.items[row]] = outcome
        }
    }

    /// What happened with an item; nil for nothing.
    package subscript(_ row: Int32) -> Outcome? { outcomes[row] }

    /// The gain of each item: what was paid for it.
    package func gains(of rows: [Int32]) -> [Double] { rows.map { Double(outcomes[$0]?.amountMinor ?? 0) } }
}

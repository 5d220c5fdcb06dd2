import FuzzInputs
import Interactions
import Recommending
import Tensors
import Testing

/// People whose next item comes from a planted rule, with towers that know nothing, or everything.
private struct PlantedUsers {
    enum Rule { case repeats, follows, towers }

    static let items = 60
    var sequences = Sequences()
    var questions: [BlendQuestion] = []
    /// The towers' scores for each question.
    var towers: [[Float]] = []

    init(_ rule: Rule, users: Int, seed: UInt64) {
        var random = SeededRandom(state: seed)
        func any() -> Int32 { Int32.random(in: 0..<Int32(Self.items), using: &random) }
        for _ in 0..<users {
            let tower = (0..<Self.items).map { _ in Float.random(in: -2...2, using: &random) * 2 }
            let favourites = [any(), any()]
            var rows: [Int32] = []
            func next() -> Int32 {
                let isRandom = Int.random(in: 0..<4, using: &random) == 0
                switch rule {
                case .repeats: return isRandom ? any() : favourites.randomElement(using: &random) ?? 0
                case .follows: return isRandom ? any() : rows.last.map { ($0 * 7 + 1) % Int32(Self.items) } ?? any()
                case .towers: return Self.draw(tower, &random)
                }
            }
            for _ in 0..<8 { rows.append(next()) }
            sequences.add(rows)
            let answer = next()
            questions.append(
                BlendQuestion(history: rows, times: rows.indices.map { Int64($0) * 3_600_000 }, now: 9 * 3_600_000, answers: [answer]))
            towers.append(tower)
        }
    }

    /// A row with a chance in proportion to e^score.
    private static func draw(_ scores: [Float], _ random: inout SeededRandom) -> Int32 {
        let weights = scores.map { score in
            (0..<8).reduce(1.0) { value, _ in value * (1 + Double(score) / 8 + Double(score * score) / 128) }
        }
        var left = Double.random(in: 0..<weights.reduce(0, +), using: &random)
        for (row, weight) in weights.enumerated() {
            left -= weight
            if left < 0 { return Int32(row) }
        }
        return 0
    }

    var trainer: BlendTrainer { BlendTrainer(tables: sequences.tables(itemCount: Self.items), trending: []) }

    func fit(_ trainer: BlendTrainer) -> (weights: BlendWeights, questions: BlendQuestions) {
        var collected = BlendQuestions()
        for (question, tower) in zip(questions, towers) { trainer.add(question, tower: tower, where: { _ in true }, to: &collected) }
        return (BlendFit().weights(for: collected), collected)
    }

    /// The share of questions whose answer is among the three best.
    func hits(_ weights: BlendWeights, _ trainer: BlendTrainer) -> Double {
        let scoring = trainer.scoring(weights)
        var hits = 0
        for (question, tower) in zip(questions, towers) {
            let scores = scoring.scores(question, tower: tower)
            let answer = scores[Int(question.answers[0])]
            if scores.filter({ $0 > answer }).count < 3 { hits += 1 }
        }
        return Double(hits) / Double(questions.count)
    }
}

struct BlendTests {
    @Test func whatIsRepeatedIsFoundAgain() {
        let learned = PlantedUsers(.repeats, users: 300, seed: 1), fresh = PlantedUsers(.repeats, users: 200, seed: 2)
        let trainer = learned.trainer
        let weights = learned.fit(trainer).weights
        #expect(weights[.ownCount] > 0.5)
        #expect(weights[.tower] < 0.3)
        #expect(fresh.hits(weights, trainer) > 0.6)
        #expect(fresh.hits(BlendWeights.towersAlone, trainer) < 0.2)
    }

    @Test func whatFollowsIsFound() {
        let learned = PlantedUsers(.follows, users: 300, seed: 3), fresh = PlantedUsers(.follows, users: 200, seed: 4)
        let trainer = learned.trainer
        let weights = learned.fit(trainer).weights
        #expect(weights[.transition] > 0.5)
        // All questions come after the same pause, so that nothing is learned about pauses, and any other counts as that one.
        #expect(weights[.returningTransition] == 0)
        #expect(weights.shortestPause == weights.longestPause)
        #expect(fresh.hits(weights, trainer) > 0.6)
        #expect(fresh.hits(BlendWeights.towersAlone, trainer) < 0.2)
    }

    @Test func pausesChangeWhatCounts() {
        // Within a visit the next item follows the last one; after a pause everybody takes what is popular.
        var random = SeededRandom(state: 10)
        var sequences = Sequences()
        var questions: [BlendQuestion] = []
        for user in 0..<400 {
            var rows = [Int32.random(in: 0..<60, using: &random)]
            for _ in 0..<6 {
                rows.append(
                    Int.random(in: 0..<3, using: &random) == 0
                        ? Int32.random(in: 0..<3, using: &random) : (rows[rows.count - 1] * 7 + 1) % 60)
            }
            sequences.add(rows)
            let isBack = user % 2 == 0
            questions.append(
                BlendQuestion(
                    history: rows, times: rows.map { _ in 0 }, now: isBack ? 400 * 3_600_000 : 60_000,
                    answers: [isBack ? Int32.random(in: 0..<3, using: &random) : (rows[6] * 7 + 1) % 60]))
        }
        let trainer = BlendTrainer(tables: sequences.tables(itemCount: 60), trending: [])
        var collected = BlendQuestions()
        let tower = [Float](repeating: 0, count: 60)
        for question in questions { trainer.add(question, tower: tower, where: { _ in true }, to: &collected) }
        let weights = BlendFit().weights(for: collected)
        #expect(weights[.transition] > 0.5)
        #expect(weights[.returningTransition] < -0.5)
        #expect(weights[.returningRecentPopularity] > 0)
        #expect(weights.shortestPause < 0.1)
        #expect(weights.longestPause > 0.9)
    }

    @Test func whereOnlyTheTowersKnowTheyStayAlone() {
        let learned = PlantedUsers(.towers, users: 1_500, seed: 5), fresh = PlantedUsers(.towers, users: 400, seed: 6)
        let trainer = learned.trainer
        let weights = learned.fit(trainer).weights
        #expect(abs(weights[.tower] - 1) < 0.3)
        #expect(abs(weights[.transition]) < 0.35)
        // Popularities differ by a tenth here, and all events are of one day: only the sum of the two weights says anything.
        #expect(abs(weights[.popularity] + weights[.recentPopularity]) < 1)
        #expect(fresh.hits(weights, trainer) > fresh.hits(BlendWeights.towersAlone, trainer) - 0.04)
    }

    @Test func theSameQuestionsGiveTheSameWeightsAndFewLittleChange() {
        let users = PlantedUsers(.repeats, users: 80, seed: 7)
        let trainer = users.trainer
        let (weights, questions) = users.fit(trainer)
        #expect(BlendFit().weights(for: questions) == weights)
        #expect(BlendFit().weights(for: BlendQuestions()) == BlendWeights.towersAlone)
        #expect(BlendFit().weights(for: questions, uses: { _ in false }) == BlendWeights.towersAlone)
        // Pulled hard, the weights stay where they were.
        for (weight, prior) in zip(BlendFit(ridge: 1e9).weights(for: questions).values, BlendWeights.towersAlone.values) {
            #expect(abs(weight - prior) < 1e-3)
        }
    }

    @Test func aQuestionWithoutAnAnswerAmongItsCandidatesSaysNothing() {
        var questions = BlendQuestions()
        let features = [Float](repeating: 0, count: 2 * RankingFeature.count)
        questions.append(features: features, isAnswer: [false, false], pause: 0)
        questions.append(features: features, isAnswer: [true, true], pause: 0)
        #expect(questions.count == 0)
        questions.append(features: features, isAnswer: [true, false], pause: 0)
        #expect(questions.count == 1)
        #expect(BlendFit().weights(for: questions).values == BlendWeights.towersAlone.values)
    }

    @Test func ratesOfRepeatsLeanOnTheCategory() {
        var sequences = Sequences()
        // Milk is bought again and again, a lamp never; the new milk has one buyer so far.
        for _ in 0..<40 { sequences.add([0, 0, 0, 1]) }
        sequences.add([2])
        sequences.add([3])
        let tables = sequences.tables(itemCount: 4, categories: [["all", "milk"], ["all", "lamps"], ["all", "milk"], ["all", "lamps"]])
        #expect(tables.repeatRate[0] > 0.4)
        #expect(tables.repeatRate[1] < -0.8)
        #expect(tables.repeatRate[2] > 0.2)
        #expect(tables.repeatRate[3] < -0.5)
        #expect(sequences.tables(itemCount: 4).repeatRate[2] > sequences.tables(itemCount: 4).repeatRate[1])
    }

    @Test func aScoreIsTheInnerProductOfWeightsAndFeatures() throws {
        let users = PlantedUsers(.follows, users: 50, seed: 8)
        let tables = users.sequences.tables(itemCount: PlantedUsers.items)
        let weights = BlendWeights(RankingFeature.allCases.map { 0.3 + 0.2 * Float($0.rawValue) })
        let trending = [BlendTrainer.TrendingRow(row: 3, share: 1), BlendTrainer.TrendingRow(row: 9, share: 0.4)]
        let scoring = BlendTrainer(tables: tables, trending: trending).scoring(weights)
        for (question, tower) in zip(users.questions, users.towers).prefix(10) {
            let scores = scoring.scores(question, tower: tower)
            let user = UserSignals(history: question.history, times: question.times, now: question.now, transitions: tables.transitions)
            var features = [Float](repeating: .nan, count: RankingFeature.count)
            for row in 0..<Int32(PlantedUsers.items) {
                let trend: Float = row == 3 ? 4.615_120_5 : row == 9 ? 3.713_572 : 0
                features.withUnsafeMutableBufferPointer {
                    user.write(featuresOf: row, tower: tower[Int(row)], trend: trend, tables: tables, into: $0)
                }
                for feature in RankingFeature.allCases {
                    try #require(!features[feature.rawValue].isNaN, "UserSignals.write leaves \(feature) out")
                }
                #expect(
                    abs(dot(weights.values, features) - scores[Int(row)]) < 1e-3,
                    "what serving adds (BlendColumn, RankingBlend.bonuses) is not what training sees (UserSignals.write)")
            }
        }
    }

    @Test func aBlendIsReadAsItWasWritten() throws {
        let users = PlantedUsers(.repeats, users: 40, seed: 9)
        let trainer = users.trainer
        let blend = RankingBlend(weights: users.fit(trainer).weights, tables: trainer.tables)
        let part = blend.encoded()
        #expect(try RankingBlend(encoded: part) == blend)
        for damage in PartDamage.all(of: part) {
            #expect(throws: PartFormatError.self, "\(damage.what)") { try RankingBlend(encoded: damage.part) }
        }
    }
}

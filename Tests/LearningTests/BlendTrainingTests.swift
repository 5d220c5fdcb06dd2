import Learning
import Recommending
import Tensors
import Testing
import TrainingFiles

@Suite("Weights of the ranking blend are those of the signal that predicts")
struct BlendTrainingTests {
    private struct Found {
        var fit: BlendTraining.Fit
        var ndcg: Double
    }

    /// Fits and answers the same questions by each half's weights.
    private func found(_ log: TrainingLog, towers: (Holdout.Question) -> [Float]) throws -> Found {
        let scoring = try SmallSettings.scoring(log), training = BlendTraining(log: log, settings: SmallSettings.blend)
        let trainer = training.trainer(scoring.trainingRows)
        let fit = training.fit(scoring, trainer: trainer, towers: towers)
        let scorings = fit.halves.map { trainer.scoring($0) }
        let outcome = scoring.collect { scorings[$0.user % 2].scores(training.question($0), tower: towers($0)) }
        return Found(fit: fit, ndcg: outcome.report["NDCG@10"])
    }

    /// Scores that say nothing.
    private func noise(_ log: TrainingLog, _ question: Holdout.Question) -> [Float] {
        var random = SeededGenerator(seed: UInt64(question.user), stream: UInt64(question.known.upperBound))
        return log.itemIDs.map { _ in random.normal() }
    }

    /// Scores that know the answers.
    private func knowing(_ log: TrainingLog, _ question: Holdout.Question) -> [Float] {
        var scores = noise(log, question).map { $0 / 10 }
        for row in question.truth { scores[Int(row)] += 3 }
        return scores
    }

    @Test("where only what follows predicts, transitions count and towers that say nothing do not")
    func transitions() throws {
        let log = PlantedLog.chain()
        let found = try found(log) { noise(log, $0) }
        let weights = found.fit.weights
        #expect(weights[.transition] > 0.5 && abs(weights[.tower]) < 0.3, "\(weights.values)")
        #expect(found.ndcg > 0.8, "\(found.ndcg)")
    }

    @Test("where only the towers predict, they keep their weight")
    func towers() throws {
        let log = PlantedLog.log(users: 60, events: 10, items: 40) { _, _, random in random.next(below: 40) }
        let found = try found(log) { knowing(log, $0) }
        #expect(found.fit.weights[.tower] > 0.8 && found.ndcg > 0.95, "\(found.fit.weights.values) \(found.ndcg)")
    }

    @Test("where only popularity predicts, it counts")
    func popularity() throws {
        let log = PlantedLog.log(users: 80, events: 10, items: 40) { _, _, random in
            min(random.next(below: 40), random.next(below: 40), random.next(below: 40), random.next(below: 40))
        }
        let weights = try found(log) { noise(log, $0) }.fit.weights
        #expect(weights[.popularity] + weights[.recentPopularity] + weights[.trend] > 0.4, "\(weights.values)")
        #expect(abs(weights[.tower]) < 0.2, "\(weights.values)")
    }

    @Test("the same questions give the same weights")
    func repeatable() throws {
        let log = PlantedLog.chain(users: 30)
        let first = try found(log) { noise(log, $0) }.fit, again = try found(log) { noise(log, $0) }.fit
        #expect(first.weights == again.weights && first.halves == again.halves)
    }

    @Test("each half of the users is answered by what the other half gave")
    func halves() throws {
        // Even users take at random what their towers know, odd ones what follows.
        let log = PlantedLog.log(users: 80, events: 12, items: 40) { user, had, random in
            user % 2 == 1 ? had.last.map { ($0 + 1) % 40 } ?? random.next(below: 40) : random.next(below: 40)
        }
        let fit = try found(log) { $0.user % 2 == 0 ? knowing(log, $0) : noise(log, $0) }.fit
        #expect(fit.halves[0][.tower] < 0.4 && fit.halves[0][.transition] > 0.5, "for even users: \(fit.halves[0].values)")
        #expect(fit.halves[1][.tower] > 0.8, "for odd users: \(fit.halves[1].values)")
    }

    @Test("what was held out is asked all along, of whoever came new too, never without a history")
    func asked() throws {
        var events = (0..<20).flatMap { user in
            (0..<10).map { SmallLog.Event(user: PlantedLog.user(user), item: "i\(($0 * 7 + user) % 12)", time: PlantedLog.time(user, $0)) }
        }
        // One comes after the border, one takes nothing held out.
        events += (0..<6).map { SmallLog.Event(user: "x", item: "i\($0)", time: PlantedLog.time(30, 9) + Int64($0)) }
        events += (0..<4).map { SmallLog.Event(user: "y", item: "i\($0)", time: PlantedLog.time(0, $0)) }
        let log = SmallLog.of(events), scoring = try SmallSettings.scoring(log, SmallSettings.learning(.newest(share: 0.4)))
        let training = BlendTraining(log: log, settings: SmallSettings.blend)
        var asked: [Holdout.Question] = []
        _ = training.fit(scoring, trainer: training.trainer(scoring.trainingRows)) { question in
            asked.append(question)
            return log.itemIDs.map { _ in 0 }
        }
        let byUser = Dictionary(grouping: asked, by: \.user)
        // Of the sixth user four interactions are held out, of the first three.
        #expect(byUser.values.allSatisfy { $0.count <= 4 } && byUser[5]?.count == 4 && byUser[0]?.count == 3)
        for (user, questions) in byUser {
            for question in questions {
                #expect(question.known.lowerBound == log.userStarts[user] && !question.known.isEmpty && !question.truth.isEmpty)
                #expect(question.known.upperBound >= scoring.holdout.trainingEnds[user])
                #expect(question.time == log.times[question.known.upperBound])
            }
        }
        let new = try #require(log.userIDs.firstIndex(of: "x")), gone = try #require(log.userIDs.firstIndex(of: "y"))
        #expect(byUser[new]?.first?.known.count == 1 && byUser[gone] == nil)
    }

    @Test("a question knows as much of a history as serving reads, and what was bought in it")
    func question() {
        var events = SmallLog.clicks("a", at: [1, 2, 3, 4])
        events[2].type = .purchase
        events[2].amount = 500
        events[3].type = .purchase
        let log = SmallLog.of(events)
        var settings = SmallSettings.blend
        settings.historyLimitEvents = 2
        let training = BlendTraining(log: log, settings: settings)
        let asked = training.question(Holdout.Question(user: 0, known: 0..<4, truth: [1], time: 9))
        #expect(asked.history == [2, 3] && asked.times == [3, 4] && asked.now == 9 && asked.answers == [1])
        let bought = training.purchases(Holdout.Question(user: 0, known: 0..<4, truth: [1], time: 9))
        #expect(bought.map(\.row) == [2] && bought.map(\.amountMinor) == [500])
    }

    @Test("a blend that is published has the rows of its model")
    func renumbered() throws {
        let log = PlantedLog.chain(users: 20, events: 6, items: 30), scoring = try SmallSettings.scoring(log)
        let model = try SmallSettings.model(log, until: scoring.holdout.trainingEnds, [("epochs", "1")])
        let training = BlendTraining(log: log, settings: SmallSettings.blend)
        let blend = training.blend(.towersAlone, for: model, rows: scoring.trainingRows)
        let tables = training.trainer(scoring.trainingRows).tables
        #expect(blend.tables.itemCount == model.itemIDs.count && model.itemIDs.count < log.itemIDs.count)
        for (row, id) in log.itemIDs.enumerated() {
            if let own = model.row(of: id) { #expect(blend.tables.popularity[Int(own)] == tables.popularity[row]) }
        }
    }
}

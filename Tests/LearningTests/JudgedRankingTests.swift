import Learning
import Recommending
import Tensors
import Testing
import TrainingFiles

@Suite("A model is judged with the ranking that answers better")
struct JudgedRankingTests {
    /// Towers that hardly learned, on a log whose structure counting finds.
    private func judged(_ log: TrainingLog, isWanted: Bool = true) throws -> JudgedRanking {
        let scoring = try SmallSettings.scoring(log)
        let model = try SmallSettings.model(
            log, until: scoring.holdout.trainingEnds, [("epochs", "1"), ("learning_rate", "0.000001"), ("table_learning_rate", "0.000001")])
        var settings = SmallSettings.blend
        settings.isWanted = isWanted
        return JudgedRanking(model, scoring: scoring, training: BlendTraining(log: log, settings: settings))
    }

    @Test("a blend that answers better is used, and its figure is the one that is judged")
    func used() throws {
        let log = PlantedLog.chain(), judged = try judged(log), record = judged.record
        #expect(judged.fit != nil && judged.hasTables && record.blend == true)
        #expect(record.blended ?? 0 > (record.towersAlone ?? 1) + 0.3)
        #expect(judged.outcome.report["NDCG@10"] >= record.blended ?? 1)
        #expect(record.weights?.entries.map(\.name) == RankingFeature.allCases.map(\.name))
        // What is said of a question is what the other half's weights say.
        let scoring = try SmallSettings.scoring(log), question = scoring.holdout.questions[3]
        let training = BlendTraining(log: log, settings: SmallSettings.blend)
        let half = try #require(judged.fit?.halves[question.user % 2])
        let own = training.trainer(scoring.trainingRows).scoring(half).scores(
            training.question(question), tower: judged.towers(question))
        #expect(judged.scores(question) == own)
    }

    @Test("one that answers worse for people it did not see is left out")
    func worse() throws {
        // Later even users take what was popular and odd ones what was rare: each half misleads the other.
        let log = PlantedLog.log(users: 80, events: 10, items: 40) { user, had, random in
            guard had.count < 8 else { return (user % 2 == 0 ? 0 : 35) + random.next(below: 5) }
            return min(random.next(below: 40), random.next(below: 40), random.next(below: 40))
        }
        let judged = try judged(log), record = judged.record
        #expect(record.blend == false && record.blended ?? 1 < record.towersAlone ?? 0)
        #expect(judged.fit == nil && judged.hasTables && judged.outcome.report["NDCG@10"] == record.towersAlone)
        let question = try SmallSettings.scoring(log).holdout.questions[0]
        #expect(judged.scores(question) == judged.towers(question))
    }

    @Test("where no blend is wanted the towers rank alone, and nothing is counted")
    func unwanted() throws {
        let judged = try judged(PlantedLog.chain(users: 20), isWanted: false), record = judged.record
        #expect(judged.fit == nil && !judged.hasTables && record.blend == false && record.blended == nil && record.weights == nil)
        #expect(record.towersAlone == judged.outcome.report["NDCG@10"])
    }
}

@Suite("Users of whom little is known have weights of their own where these answer better")
struct NewcomerBlendTests {
    /// Forty known users and forty who come after the border; what newcomers take first is one of four items.
    private var log: TrainingLog {
        var random = SeededGenerator(seed: 4, stream: 1), events: [SmallLog.Event] = []
        for user in 0..<40 {
            for event in 0..<10 {
                events.append(
                    SmallLog.Event(
                        user: PlantedLog.user(user), item: PlantedLog.item(event == 0 ? random.next(below: 4) : random.next(below: 30)),
                        time: PlantedLog.time(user, event)))
            }
        }
        for user in 40..<80 {
            for event in 0..<6 {
                let item = event < 2 ? random.next(below: 4) : random.next(below: 30)
                events.append(
                    SmallLog.Event(user: PlantedLog.user(user), item: PlantedLog.item(item), time: PlantedLog.time(user, 10 + event)))
            }
        }
        return SmallLog.of(events, items: (0..<30).map(PlantedLog.item))
    }

    private func extended(
        _ log: TrainingLog, share: Double = 0.5, towers: (Holdout.Question) -> [Float]
    ) throws -> (fit: BlendTraining.Fit, rows: [NewcomerBlend.Row]) {
        let scoring = try SmallSettings.scoring(log, SmallSettings.learning(.newest(share: share)))
        let training = BlendTraining(log: log, settings: SmallSettings.blend)
        let alone = BlendTraining.Fit(weights: .towersAlone, halves: [.towersAlone, .towersAlone])
        return NewcomerBlend(scoring: scoring, training: training, trainer: training.trainer(scoring.trainingRows))
            .extended(alone, towers: towers)
    }

    @Test("where the towers mislead about whoever comes first, counting has the say")
    func kept() throws {
        let log = log
        let found = try extended(log) { question in
            log.itemIDs.indices.map { question.known.isEmpty && $0 < 4 ? -1 : 0 }
        }
        #expect(found.rows.map(\.historyLimitEvents) == NewcomerBlend.historyLimitsEvents)
        #expect(found.rows[0].isKept && found.rows[0].newcomers > found.rows[0].everybody + 0.1, "\(found.rows)")
        #expect(found.fit.weights.newcomers.first?.historyLimitEvents == 0)
        #expect(found.fit.halves.allSatisfy { $0.newcomers.count == found.fit.weights.newcomers.count })
    }

    @Test("where the towers know, nothing takes their place")
    func left() throws {
        let log = log
        let found = try extended(log) { question in
            log.itemIDs.indices.map { question.truth.contains(Int32($0)) ? 9 : 0 }
        }
        #expect(found.rows.allSatisfy { !$0.isKept && $0.everybody == 1 } && found.fit.weights.newcomers.isEmpty)
    }

    @Test("newcomers are asked about where there are enough, else known users as if they were")
    func asked() throws {
        let log = log
        var known = Set<Range<Int>>()
        _ = try extended(log) { question in
            known.insert(question.known)
            return log.itemIDs.map { _ in 0 }
        }
        #expect(known.allSatisfy { log.user(of: $0.lowerBound) >= 40 && $0.lowerBound == log.userStarts[log.user(of: $0.lowerBound)] })
        #expect(Set(known.map(\.count)) == [0, 1, 2, 5])
        // With a later border there are none; then the newest few of known histories are told.
        known = []
        _ = try extended(PlantedLog.chain(users: 30, events: 14), share: 0.1) { question in
            known.insert(question.known)
            return (0..<40).map { _ in 0 }
        }
        #expect(Set(known.map(\.count)) == [0, 1, 2, 5, 10])
        #expect(known.contains { $0.count == 2 && $0.lowerBound % 14 > 5 })
    }
}

import Evaluation
import Learning
import Recommending
import Testing
import TrainingFiles

@Suite("The best counter becomes a version")
struct CounterTests {
    /// Everybody takes three things of their own in turn.
    private static let staples = PlantedLog.log(users: 120, events: 16, items: 40) { user, had, random in
        random.next(below: 8) == 0 ? random.next(below: 40) : (user * 7 + had.count % 3 * 11) % 40
    }

    /// What a training of towers that learn nothing ends with.
    private static func trained(
        _ log: TrainingLog = staples, references: GateReferences = .none, _ change: (inout LearningSettings) -> Void = { _ in }
    ) throws -> (state: TrainingFolder.State, bundle: ModelBundle, counter: ModelBundle?) {
        var settings = SmallSettings.learning()
        settings.blend.isWanted = false
        settings.heads.isWanted = false
        change(&settings)
        let folder = try TestFolder()
        let towers = try SmallSettings.towers([("learning_rate", "0.000001"), ("table_learning_rate", "0.000001"), ("epochs", "1")])
        let stages = TrainingStages(
            settings: settings, folder: folder.folder, log: log, towers: towers, logger: .silent, stop: .init(), ranks: .alone, teacher: nil
        ) { _ in }
        var state = TrainingFolder.State(stage: .judged, settings: [:])
        let bundle = try stages.train(&state) { references }
        return (state, bundle, stages.counter)
    }

    @Test("one that beats the model serves where nothing does: it gives everybody their own, and is nearly the rival itself")
    func serves() throws {
        let (state, bundle, counter) = try Self.trained()
        #expect(state.passes == false && state.reasons?.last?.contains("becomes the version that serves") == true, "\(state.reasons ?? [])")
        #expect(state.record?.counter == nil && bundle.ranker == nil)
        let found = try #require(state.counter), record = try #require(found.record.counter)
        #expect(found.passes && found.reasons.count == 2 && found.reasons[0].hasPrefix("This version is a counter: buy it again ("))
        #expect(record.rival == "buy_again" && record.questions == 120 && record.settings?.hasPrefix("times they had it") == true)
        let served = try #require(record.served), rival = try #require(record.rivalNDCG), model = try #require(record.model)
        #expect(served > model + 0.3 && served > rival - 0.03 && (record.low ?? 0) > 0, "\(record)")
        #expect(found.record.model?["NDCG@10"] == served && state.record?.model?["NDCG@10"] == model)
        #expect(found.record.gate?.passes == true && found.record.buyAgain?["NDCG@10"] == rival && found.answers != nil)
        #expect((found.record.ranking?.carriers?["own"] ?? 0) > 0.1, "\(String(describing: found.record.ranking?.carriers))")
        // What is published: the same towers with the counter, of everything.
        let own = try #require(counter)
        try own.check()
        #expect(own.ranker?.weights.isCounter == true && own.blend == nil && own.heads == nil)
        #expect(own.model.itemIDs == bundle.model.itemIDs && (own.channel == nil) == (bundle.channel == nil))
        let settings = SmallSettings.learning(), scoring = try SmallSettings.scoring(Self.staples, settings)
        let lists = ServedScoring([own], scoring: scoring, settings: settings)
        for question in scoring.holdout.questions.prefix(40) {
            var times: [Int32: Int] = [:]
            for row in question.known { times[Self.staples.items[row], default: 0] += 1 }
            let most = times.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(2).map(\.key)
            #expect(Set(lists.list(4, question)).isSuperset(of: most), "user \(question.user)")
        }
        // Kept and read again, as files and a run that goes on do.
        let read = try ModelBundle(model: own.model, parts: own.parts, notes: own.notes)
        #expect(read.ranker == own.ranker)
        // What goes on from it keeps counting.
        let weights = PartWeights(read)
        let anew = BundleTraining(log: Self.staples, settings: settings).bundle(
            own.model, weights, rows: Self.staples.userIDs.indices.map { Self.staples.rows(of: $0) })
        #expect(anew.ranker?.weights == own.ranker?.weights)
    }

    @Test("the rule: none where it is off or nothing refuses; beside any model where it is always, but it does not serve over a good one")
    func rules() throws {
        let off = try Self.trained { $0.counter = .off }
        #expect(off.state.passes == false && off.state.counter == nil && off.counter == nil)
        let warned = try Self.trained {
            $0.gate.rivals = .warn
            $0.gate.margin = .share(50)
        }
        #expect(warned.state.passes == true && warned.state.counter == nil)
        let always = try Self.trained {
            $0.gate.rivals = .warn
            $0.gate.margin = .share(50)
            $0.counter = .always
        }
        #expect(always.state.passes == true && always.state.counter?.passes == false && always.counter != nil)
        #expect(always.state.counter?.record.counter?.rival == "buy_again")
        // Where each user's last interaction is held out no time counts, and it serves all the same.
        let last = try Self.trained { $0.holdout.cut = .leaveOneOut }
        #expect(last.state.counter?.passes == true && last.counter?.ranker?.weights.usesTimes == false)
        // Where what they do again is kept out, no counter that repeats can serve.
        let kept = try Self.trained { $0.holdout.excludes = .seen }
        #expect(kept.state.counter == nil || kept.state.counter?.record.counter?.rival != "buy_again")
    }

    @Test("a model in force goes where the counter is better by more than chance; a counter in force is renewed by one that is not worse")
    func replaced() throws {
        let first = try Self.trained(), counter = try #require(first.counter), newest = Self.staples.newestTime
        func reference(_ bundle: ModelBundle, _ record: EvaluationRecord?) -> GateReferences {
            GateReferences(
                promoted: .init(
                    version: 7, model: PromotedModel(bundle: bundle, version: 7, newestEvent: newest),
                    record: record ?? EvaluationRecord()))
        }
        let overModel = try Self.trained(references: reference(first.bundle, first.state.record))
        #expect(overModel.state.counter?.passes == true)
        #expect(overModel.state.counter?.reasons.last?.contains("better than version 7 by more than chance") == true)
        #expect(overModel.state.counter?.record.gate?.comparisons?.count == 1)
        // A model that is as good as the counter stays: it is not told that it is one.
        let asGood = try Self.trained(references: reference(counter, nil))
        let sentence = asGood.state.reasons?.last ?? ""
        #expect(asGood.state.counter == nil && sentence.contains("that one stays"), "\(sentence)")
        let renewed = try Self.trained(references: reference(counter, first.state.counter?.record)) { $0.gate.margin = .share(50) }
        #expect(renewed.state.counter?.passes == true, "\(renewed.state.reasons ?? [])")
        // Also where the model was refused for nothing but that counter, which grows old.
        let old = try Self.trained(references: reference(counter, first.state.counter?.record)) {
            $0.gate.rivals = .off
            $0.gate.margin = .share(0.5)
        }
        #expect(old.state.passes == false && old.state.counter?.passes == true, "\(old.state.reasons ?? [])")
        // Nothing to compare with: what serves stays.
        let unread = GateReferences(promoted: .init(version: 7, problem: "gone", record: EvaluationRecord()))
        let unknown = try Self.trained(references: unread)
        #expect(unknown.state.counter == nil && unknown.state.reasons?.last?.contains("cannot be compared with version 7") == true)
    }
}

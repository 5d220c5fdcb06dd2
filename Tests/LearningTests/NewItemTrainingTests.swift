import Features
import ContentModel
import Interactions
import Learning
import Recommending
import Tensors
import Testing
import TowerTraining
import TowerModel
import TrainingFiles

@Suite("What a training learns of items that are not new, and of those that will be")
struct NewItemTrainingTests {
    private static let items = 48, untaken = 12

    /// Tastes, of whose catalogue the last twelve items were never taken.
    private static func log(dates: Bool = false) -> TrainingLog {
        var log = PlantedLog.log(users: 60, events: 12, items: items, seed: 4) { user, _, random in
            let place = random.next(below: (items - untaken) / 2)
            return user % 2 == 0 ? place : (items - untaken) / 2 + place
        }
        log.contents = (0..<items).map { item in
            ItemContent(
                tags: ["taste\(item % 2)", "word\(item % 5)"],
                publishedAt: dates ? PlantedLog.start - Int64(90 - item) * PlantedLog.day : nil)
        }
        return log
    }

    private static func rows(_ log: TrainingLog) -> [Range<Int>] { log.userIDs.indices.map { log.rows(of: $0) } }

    @Test("a catalogue that was there all along has untaken items and no new ones; what came late is new")
    func untakenItems() {
        var log = Self.log()
        let all = NewItemTraining(log: log, rows: Self.rows(log))
        #expect(all.untaken == (0..<Self.items).map { $0 >= Self.items - Self.untaken } && !all.isNew.contains(true))
        log.arrivals = (0..<Self.items).map { $0 == Self.items - 1 ? PlantedLog.start + 11 * PlantedLog.day : nil }
        let late = NewItemTraining(log: log, rows: Self.rows(log))
        #expect(late.isNew.indices.filter { late.isNew[$0] } == [Self.items - 1] && !late.untaken[Self.items - 1])
        // One event of another century does not make everything old.
        log.times = Column((0..<log.count).map { $0 == 0 ? 0 : log.times[$0] })
        #expect(NewItemTraining(log: log, rows: Self.rows(log)).isNew == late.isNew)
    }

    @Test("what is published and what is judged knows its untaken items and whom to ask")
    func bundles() throws {
        let log = Self.log(dates: true), settings = SmallSettings.learning()
        let scoring = try SmallSettings.scoring(log, settings)
        let model = try SmallSettings.model(log, until: scoring.holdout.trainingEnds, [("epochs", "1")])
        let parts = PartsJudging(model, scoring: scoring, settings: settings)
        for half in parts.bundles {
            let share = try #require(half.channel?.share)
            #expect(share.isUntaken(PlantedLog.item(Self.items - 1)) && !share.isUntaken(PlantedLog.item(0)))
            #expect(share.questions.count == 60)
        }
        let published = try BundleTraining(log: log, settings: settings).bundle(
            SmallSettings.model(log, [("epochs", "1")]), parts.weights, rows: Self.rows(log))
        let share = try #require(published.channel?.share)
        #expect(share.isUntaken(PlantedLog.item(Self.items - 1)) && share.questions.allSatisfy { $0.items.count == 12 })
        #expect(share.reception == .unknown && share.questions.allSatisfy { $0.excluded.isEmpty && $0.ages == $0.ages.sorted(by: >) })
        // Nothing is new: the snapshot has no share to give, and untaken items are ranked by what ranks the known.
        let snapshot = published.snapshot(over: log.servedCatalogue(of: published, threads: 1), version: 1)
        #expect(snapshot.newItems?.share == 0)
        let answers = BatchRecommender(snapshot: snapshot).recommend(
            count: Self.items, history: history(log, of: 0), excluded: [], attributes: nil, now: EventTime(milliseconds: log.newestTime))
        #expect(answers.count == Self.items && answers.allSatisfy { $0.reason != .fresh })
    }

    private func history(_ log: TrainingLog, of user: Int) -> UserHistory {
        var history = UserHistory(limit: 50)
        for row in log.rows(of: user) { history.insert(log.historyEntry(at: row)) }
        return history
    }

    @Test("items that are cut out as if they were to come are new, whatever their dates")
    func coldCut() {
        let cut = ColdCut(Self.log(dates: true), percent: 25, newest: false, seed: 1, links: [])
        let training = NewItemTraining(log: cut.log, rows: Self.rows(cut.log))
        #expect(training.isNew == cut.isNew)
    }

    @Test("how new items were received is read from what was shown; a little says nothing")
    func reception() {
        func found(shown: Int, takenOfNew: Int, takenOfOthers: Int) -> NewItemShare.Reception {
            var log = Self.log()
            // The last item comes in the end and is shown to people; whoever takes it does so then.
            let arrival = PlantedLog.start + 11 * PlantedLog.day
            log.arrivals = (0..<Self.items).map { $0 == Self.items - 1 ? arrival : nil }
            for place in 0..<shown {
                for (item, taken) in [(Self.items - 1, takenOfNew), (0, takenOfOthers)] {
                    log.impressions.append(
                        user: Int32(place % 60), item: Int32(item), time: arrival + Int64(place), outcomes: place % 100 < taken ? 1 : 0,
                        amount: -1)
                }
            }
            return NewItemTraining(log: log, rows: Self.rows(log)).reception
        }
        #expect(found(shown: 0, takenOfNew: 0, takenOfOthers: 0) == .unknown)
        #expect(found(shown: 100, takenOfNew: 0, takenOfOthers: 50) == .unknown, "few were shown")
        #expect(found(shown: 400, takenOfNew: 0, takenOfOthers: 1) == .unknown, "few would have been taken")
        #expect(found(shown: 400, takenOfNew: 4, takenOfOthers: 10) == .poor)
        #expect(found(shown: 400, takenOfNew: 8, takenOfOthers: 10) == .fair)
    }
}

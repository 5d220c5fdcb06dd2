import ContentModel
import Learning
import Recommending
import Tensors
import Testing
import TowerModel
import TrainingFiles

@Suite("The content channel finds new items by their texts")
struct ContentTrainingTests {
    private static let subjects = 4, perSubject = 12, users = 80
    private static var items: Int { subjects * perSubject }
    /// The last quarter of each subject comes late.
    private static func isLate(_ item: Int) -> Bool { item / subjects >= perSubject * 3 / 4 }

    /// Users of one subject each; in the last two of their eight events they take late items. Where `text` is false the words of an item
    /// are of any subject.
    private static func log(text: Bool = true, dates: Bool = false) -> TrainingLog {
        var random = SeededGenerator(seed: 5, stream: 1)
        var log = PlantedLog.log(users: users, events: 8, items: items, seed: 2) { user, had, random in
            let late = had.count >= 6, place = late ? random.next(below: perSubject / 4) + perSubject * 3 / 4 : random.next(below: 9)
            return place * subjects + user % subjects
        }
        // Late ones came when the others had been there for days.
        log.arrivals = (0..<items).map { isLate($0) ? PlantedLog.start + 5 * PlantedLog.day : nil }
        log.contents = (0..<items).map { item in
            let subject = text ? item % subjects : random.next(below: subjects)
            return ItemContent(
                tags: (0..<4).map { _ in "subject\(subject)-word\(random.next(below: 6))" } + ["common\(random.next(below: 5))"],
                publishedAt: dates ? PlantedLog.start + Int64(item / subjects) * PlantedLog.day : nil)
        }
        return log
    }

    private struct Found {
        var scoring: HoldoutScoring
        var fitted: ContentTraining.Fitted
        var training: ContentTraining
        /// The share of a user's first places among late items that are of their subject.
        var hits: Double
    }

    private static func found(_ log: TrainingLog, _ cut: HoldoutSettings.Cut = .newest(share: 0.25)) throws -> Found {
        let scoring = try SmallSettings.scoring(log, SmallSettings.learning(cut))
        let training = ContentTraining(log: log, settings: SmallSettings.learning().content)
        let model = try SmallSettings.model(log, until: scoring.holdout.trainingEnds, [("epochs", "1")])
        let fitted = training.fitted(model, scoring: scoring, scores: scoring.towers(model))
        let learning = training.learning(of: scoring)
        var channel = learning.channel
        channel.weights = fitted.all
        var hits = 0
        for question in scoring.holdout.questions {
            let profile = learning.profile(question.known.lazy.map { Int(log.items[$0]) })
            let late = (0..<items).filter(isLate)
            let best = late.max {
                let scores = [$0, $1].map { channel.score(learning.items[$0], profile: profile, tower: 0, level: 0) }
                return scores[0] < scores[1]
            }
            if let best, best % subjects == question.user % subjects { hits += 1 }
        }
        return Found(
            scoring: scoring, fitted: fitted, training: training, hits: Double(hits) / Double(scoring.holdout.questions.count))
    }

    @Test("where texts tell a subject, late items of the user's come first; where they do not, they do not")
    func planted() throws {
        let found = try Self.found(Self.log()), blind = try Self.found(Self.log(text: false))
        #expect(found.hits > 0.85 && blind.hits < 0.6, "\(found.hits) with texts that tell, \(blind.hits) without")
        // The fit begins where likeness counts much, and leaves it there only where it tells.
        let likeness = ContentChannel.Part.similarity.rawValue
        #expect(found.fitted.all[likeness] > 4 && blind.fitted.all[likeness] < 1)
        #expect(found.fitted.all.count == ContentChannel.Part.count && found.fitted.sparse.count == ContentChannel.Part.count)
        #expect(found.fitted.sparse[ContentChannel.Part.affinity.rawValue] == 0)
        let again = try Self.found(Self.log())
        #expect(again.fitted.all == found.fitted.all && again.fitted.constants == found.fitted.constants)
    }

    @Test("what was taken of items that are new indeed says what they are worth; else newest and random ones stand in")
    func folds() throws {
        let later = try Self.found(Self.log()).fitted
        #expect(later.constants.count == 1 && later.learning != nil)
        let random = try Self.found(Self.log(), .leaveOneOut).fitted
        #expect(random.constants.count == 1 && random.learning == nil)
        let dated = try Self.found(Self.log(dates: true), .leaveOneOut).fitted
        #expect(dated.constants.count == 2 && dated.learning == nil)
        #expect(dated.all[ContentChannel.Part.constant.rawValue] == dated.constants.reduce(0, +) / 2)
    }

    @Test("without a judged part the weights are fitted on what users had, and the towers' level stands beside them as it is")
    func unjudged() {
        func weights(_ log: TrainingLog) -> [Float] {
            ContentTraining(log: log, settings: SmallSettings.learning().content).unjudged(
                log.userIDs.indices.map { log.rows(of: $0) }, threads: 1)
        }
        let told = weights(Self.log()), blind = weights(Self.log(text: false)), likeness = ContentChannel.Part.similarity.rawValue
        #expect(told[likeness] > 3 && blind[likeness] < 1, "\(told) and \(blind)")
        #expect(told[ContentChannel.Part.level.rawValue] == 1 && told[ContentChannel.Part.tower.rawValue] == 0)
        #expect(told[ContentChannel.Part.constant.rawValue] == 0 && told.allSatisfy(\.isFinite))
        // Nobody took anything.
        let log = Self.log(), nothing = ContentTraining(log: log, settings: SmallSettings.learning().content)
            .unjudged(log.userIDs.indices.map { log.userStarts[$0]..<log.userStarts[$0] }, threads: 1)
        #expect(nothing[likeness] == ContentChannel.defaultWeights[likeness] && nothing.count == ContentChannel.Part.count)
    }

    @Test("what is withheld is not learned from")
    func withheld() {
        let log = Self.log(), training = ContentTraining(log: log, settings: SmallSettings.learning().content)
        let rows = log.userIDs.indices.map { log.rows(of: $0) }
        let withheld = (0..<Self.items).map(Self.isLate)
        let all = training.learning(rows), part = training.learning(rows, withheld: withheld)
        let late = withheld.indices.filter { withheld[$0] }
        // A late item's popularity comes from what is like it, not from its own counts.
        #expect(late.contains { all.items[$0].popularity != part.items[$0].popularity })
        #expect(late.allSatisfy { part.places[$0] == nil })
    }

    @Test("there is no channel where none is wanted, or nothing is known of any item")
    func unwanted() {
        var log = Self.log()
        var settings = SmallSettings.learning().content
        #expect(ContentTraining(log: log, settings: settings).isWanted)
        settings.isWanted = false
        #expect(!ContentTraining(log: log, settings: settings).isWanted)
        settings.isWanted = true
        log.contents = log.contents.map { _ in ItemContent() }
        #expect(!ContentTraining(log: log, settings: settings).isWanted)
    }

    @Test("with nobody to ask the weights are those that the channel begins with")
    func nobody() throws {
        let log = Self.log(), scoring = HoldoutScoring(
                log: log,
                holdout: Holdout(trainingEnds: log.userIDs.indices.map { log.rows(of: $0).upperBound }, questions: [], description: ""),
            excludes: [], threads: 1)
        let model = try SmallSettings.model(log, [("epochs", "1")])
        let training = ContentTraining(log: log, settings: SmallSettings.learning().content)
        let fitted = training.fitted(model, scoring: scoring, levelWeight: 0.5, scores: { _ in [] })
        var expected = ContentChannel.defaultWeights
        expected[ContentChannel.Part.tower.rawValue] = 0
        expected[ContentChannel.Part.constant.rawValue] = 0
        expected[ContentChannel.Part.level.rawValue] = 0.5
        #expect(fitted.all == expected && fitted.sparse == expected && fitted.learning == nil && fitted.constants.isEmpty)
    }
}

import Console
import Evaluation
import FeatureStore
import Features
import Foundation
import Interactions
import Learning
import Logging
import Recommending
import Reports
import Testing
import TowerModel
import TrainingFiles

/// The order of a training and its decisions, over a registry and models that are in memory.
@Suite(.timeLimit(.minutes(15))) struct TrainingRunTests {
    /// A registry, files of models and one moment of a store.
    final class Trainings: TrainingStore, RegisteredModels {
        var versions: [RegisteredModel] = []
        var bundles: [Int32: ModelBundle] = [:]
        var events = SmallLog.population()
        var itemsWithoutRecord: [String] = []
        var erased = 0
        var isAlone = true
        /// What a promotion is answered.
        var late: StoreError?
        /// What happened, a word each.
        var steps: [String] = []
        /// By the newest export: from which rating on events were read, and what their ratings are told to look like.
        var likesFrom: Double?, ratings: RatingLook?
        /// By the newest export: what it named as seen.
        var seen: (snapshot: String, until: EventTime?)?

        var models: any RegisteredModels { self }

        func promotedModel() -> RegisteredModel? { versions.last { $0.status == .promoted } }
        func models(limit: Int) -> [RegisteredModel] { Array(versions.reversed().prefix(limit)) }
        func model(_ version: Int32) -> RegisteredModel? { versions.first { $0.version == version } }
        func modelsThatServed(days: Int) -> [RegisteredModel] { versions.filter { $0.status == .retired } }
        func answers(of version: Int32) -> [UInt8]? { nil }

        func bundle(of version: RegisteredModel) throws -> ModelBundle {
            guard let bundle = bundles[version.version] else { throw CommandFailure("no files of \(version.version)") }
            return bundle
        }

        func export(
            to path: String, seen: (snapshot: String, until: EventTime?)?, likesFrom: Double?, isStopped: () -> Bool,
            progress: (Int) -> Void
        ) throws -> SnapshotExport.Summary {
            steps.append("export")
            (self.seen, self.likesFrom) = (seen, likesFrom)
            let log = SmallLog.of(events)
            var writer = try TrainingFileWriter(path: path, userStarts: log.userStarts)
            for row in 0..<log.count { try writer.append(item: log.items[row], type: log.types[row], time: log.times[row], amount: -1) }
            try writer.finish(
                items: log.itemIDs.map { ItemRecord(itemID: $0) }, users: log.userIDs.map { UserRecord(userID: $0) },
                watermark: #"{"snapshot":"7:7:","newest_event_ms":\#(log.newestTime)}"#)
            return SnapshotExport.Summary(interactions: log.count, itemsWithoutRecord: itemsWithoutRecord, ratings: ratings)
        }

        func register(itemsWithoutRecord: [String]) { steps.append("items \(itemsWithoutRecord.joined(separator: ","))") }
        func erasedUsers(in log: TrainingLog) -> Int { erased }
        func isLocked() -> Bool { isAlone }

        func register(_ bundle: ModelBundle, _ entry: RegistryEntry) -> Int32 {
            let version = (versions.last?.version ?? 0) + 1
            versions.append(
                RegisteredModel(
                    version: version, createdAt: EventTime(milliseconds: 0), status: entry.refused == nil ? .candidate : .refused,
                    configuration: entry.configuration, metrics: entry.metrics, watermark: entry.watermark, reason: entry.refused,
                    refusal: entry.refused))
            bundles[version] = bundle
            steps.append("register")
            return version
        }

        func check(_ version: RegisteredModel) { steps.append("check") }

        func promote(_ version: Int32, reason: String, judgedAgainst: Int?) throws {
            steps.append("promote against \(judgedAgainst.map(String.init) ?? "nothing")")
            if let late { throw late }
            for place in versions.indices where versions[place].status == .promoted { versions[place].status = .retired }
            if let place = versions.firstIndex(where: { $0.version == version }) {
                (versions[place].status, versions[place].reason) = (.promoted, reason)
            }
        }

        func refuse(_ version: Int32, reason: String) {
            steps.append("refuse")
            if let place = versions.firstIndex(where: { $0.version == version }) { versions[place].status = .refused }
        }

        func writeReport(of version: RegisteredModel) { steps.append("report \(version.status.rawValue)") }
        func write(_ page: ReportPage, to path: String) { steps.append("page \(path)") }

        func removeFiles(of version: RegisteredModel) -> Bool {
            guard bundles.removeValue(forKey: version.version) != nil else { return false }
            steps.append("remove \(version.version)")
            return true
        }

        func holdingPromotions(_ work: () throws -> Void) throws { try work() }
    }

    let folder = TrainingFolder(
        path: FileManager.default.temporaryDirectory.appendingPathComponent("trainings-\(UInt64.random(in: .min ... .max))").path)

    func plan(_ change: (inout TrainingPlan) throws -> Void = { _ in }) throws -> TrainingPlan {
        var towers = TowerConfiguration()
        for (key, value) in [
            ("user_tower", "pooled"), ("dimension", "8"), ("heads", "1"), ("hidden", "8"), ("history_length", "4"), ("content", "false"),
            ("batch_size", "16"), ("epochs", "1"), ("loss", "sampled"), ("negatives", "0"), ("threads", "1"), ("seed", "1"),
        ] { try towers.set(key, value) }
        let learning = LearningSettings(
            blend: BlendSettings(
                isWanted: false, neighbourLimitItems: 10, recentHalfLifeDays: 7, historyLimitEvents: 50,
                decayHalfLifeMilliseconds: 86_400_000, trendingLimitItems: 10), ranker: RankerSettings(isWanted: false),
            heads: HeadSettings(isWanted: false, balances: [.uncertainty], powers: ObjectivePowers(), tunesValue: false),
            domains: DomainSettings(field: "", rank: 1, minimumInteractions: 1, limit: 1),
            content: ContentSettings(isWanted: false, linkAttributes: [], shareCost: 0),
            adaptation: AdaptationSettings(
                isWanted: false, field: "categories", support: 5, query: 5, innerSteps: 1, order: .second, proximity: 0, rank: 4,
                metaSteps: 1, metaCategories: 1),
            holdout: HoldoutSettings(cut: .none, excludes: [], usersLimit: 100), gate: PromotionGate(), learnsHeldOut: true,
            tailBudget: 0, served: ServedSettings(), features: FeatureRules(), segments: nil)
        var plan = TrainingPlan(learning: learning, towers: towers, settings: ["train.epochs": "1"])
        try change(&plan)
        return plan
    }

    func run(
        _ trainings: Trainings, resuming: Bool = false, _ change: (inout TrainingPlan) throws -> Void = { _ in }
    ) throws -> TrainingRun.Outcome {
        try TrainingRun(
            try plan(change), store: trainings, folder: folder, teacher: nil, ranks: .alone,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, stop: StopSignal(), tell: { _ in }
        ).run(resuming: resuming)
    }

    func clean() { try? FileManager.default.removeItem(atPath: folder.path) }

    @Test func aModelIsCheckedPromotedAndReportedInThisOrder() throws {
        defer { clean() }
        let trainings = Trainings()
        trainings.itemsWithoutRecord = ["bare"]
        let outcome = try run(trainings)
        #expect(outcome.version == 1 && outcome.promoted && outcome.interactions == trainings.events.count)
        #expect(outcome.reasons == ["Promoted without being judged: train.holdout is none, so nothing was held out."])
        #expect(trainings.steps == ["export", "items bare", "register", "check", "promote against nothing", "report promoted"])
        #expect(trainings.versions[0].configuration == #"{"train.epochs":"1"}"#)
        #expect(!FileManager.default.fileExists(atPath: folder.path), "what was needed to go on is needed no more")
        #expect(EvaluationRecord(registry: trainings.versions[0].metrics).data?.first?.name == "interactions")
    }

    @Test func whatAJudgedModelWasHeldAgainstMustStillServe() throws {
        defer { clean() }
        let trainings = Trainings()
        _ = try run(trainings)
        // A run that was judged against version 1, and stopped before it was published.
        trainings.isAlone = false
        #expect(throws: CommandFailure.self) { try run(trainings) }
        var state = try #require(folder.read())
        (state.passes, state.judgedAgainst, state.reasons) = (true, 1, ["Better than version 1."])
        try folder.write(state)
        trainings.isAlone = true
        trainings.steps = []
        trainings.late = StoreError(.conflict, "version 9 was promoted meanwhile")
        let outcome = try run(trainings, resuming: true)
        #expect(trainings.steps == ["register", "check", "promote against 1", "refuse", "report refused"])
        #expect(!outcome.promoted && outcome.reasons == ["version 9 was promoted meanwhile.", "Better than version 1."])
        #expect(trainings.promotedModel()?.version == 1, "what served goes on")
        trainings.late = StoreError(.unreachable, isRetriable: true, "no database")
        #expect(throws: StoreError.self, "another failure is none of the gate's") { try run(trainings) }
    }

    @Test func filesStayOfWhatServesOfWhatItReplacedAndOfTheNewest() throws {
        defer { clean() }
        let trainings = Trainings()
        for _ in 0..<4 { _ = try run(trainings) { $0.keptVersions = 1 } }
        // Each training leaves the newest, which serves; no version says what it replaced.
        #expect(trainings.bundles.keys.sorted() == [4])
        trainings.versions[3].replacedVersion = 2
        trainings.bundles[2] = trainings.bundles[4]
        trainings.versions[3].status = .promoted
        trainings.late = StoreError(.conflict, "another one was promoted")
        _ = try run(trainings) { $0.keptVersions = 1 }
        #expect(trainings.bundles.keys.sorted() == [2, 4, 5], "a rollback goes back to 2")
    }

    @Test func aRunGoesOnWithItsOwnSettingsOnly() throws {
        defer { clean() }
        let trainings = Trainings()
        trainings.isAlone = false
        // The lock is lost at the end: what was learned is kept.
        let failure = #expect(throws: CommandFailure.self) { try run(trainings) }
        #expect(failure?.description.contains("--resume") == true)
        trainings.isAlone = true
        let other = #expect(throws: CommandFailure.self) { try run(trainings, resuming: true) { $0.settings["train.seed"] = "2" } }
        #expect(other?.description.contains("train.seed was not set and is '2'") == true)
        trainings.steps = []
        #expect(try run(trainings, resuming: true).promoted)
        #expect(trainings.steps.first == "register", "nothing is read again")
    }

    @Test func aRunThatStoppedBehindItsRegistrationHasItsVersionOnce() throws {
        defer { clean() }
        let trainings = Trainings()
        trainings.late = StoreError(.connectionLost, "the database is away")
        #expect(throws: StoreError.self) { try run(trainings) }
        #expect(trainings.versions.count == 1)
        trainings.late = nil
        #expect(try run(trainings, resuming: true).promoted)
        let states = trainings.versions.map { $0.status }
        #expect(states == [.promoted], "registered once, and promoted when it could be")
    }

    @Test func aRunWhoseUsersWereErasedBeginsAnew() throws {
        defer { clean() }
        let trainings = Trainings()
        trainings.isAlone = false
        #expect(throws: CommandFailure.self) { try run(trainings) }
        trainings.isAlone = true
        trainings.erased = 1
        trainings.steps = []
        _ = try run(trainings, resuming: true)
        #expect(trainings.steps.first == "export")
    }

    @Test func withTooLittleNothingIsLearned() throws {
        defer { clean() }
        let trainings = Trainings(), count = trainings.events.count
        let failure = #expect(throws: CommandFailure.self) { try run(trainings) { $0.leastInteractions = count + 1 } }
        #expect(failure?.description.contains("there are \(count) interactions") == true)
        #expect(trainings.steps == ["export"] && trainings.versions.isEmpty)
    }

    @Test func machinesAreLeftOutAndBrokenDataLeaveAPageWhereTheGateIsEnforced() throws {
        defer { clean() }
        let trainings = Trainings(), people = trainings.events.count
        trainings.events += (0..<400).map { SmallLog.Event(user: "robot", item: "i\($0 % 5)", time: 1_000_000 + Int64($0)) }
        func rules(_ isEnforced: Bool, suspiciousShare: Double = 1) -> TrainingPlan.DataRules {
            TrainingPlan.DataRules(
                gate: DataGate(
                    maxStabilityIndex: 100, maxGap: 100, maxNullRise: 1, maxRepeatedShare: 1, maxItemShare: 1,
                    maxSuspiciousShare: suspiciousShare, minimumUsers: 1),
                bounds: UserBounds(maxEventsPerMinute: 100, maxEventsPerDay: 100_000, maxItemEventsPerDay: 100_000),
                isEnforced: isEnforced, pagePath: "/page.html")
        }
        #expect(try run(trainings) { $0.data = rules(false) }.interactions == people + 400, "a warning leaves nobody out")
        #expect(try run(trainings) { $0.data = rules(true) }.interactions == people)
        let few = #expect(throws: CommandFailure.self) {
            try run(trainings) {
                $0.data = rules(true)
                $0.leastInteractions = people + 1
            }
        }
        #expect(few?.description.hasPrefix("without the 1 users who look like machines there are \(people) interactions") == true)
        trainings.steps = []
        let broken = #expect(throws: CommandFailure.self) { try run(trainings) { $0.data = rules(true, suspiciousShare: 0.5) } }
        #expect(broken?.description.contains("/page.html") == true && trainings.steps == ["export", "page /page.html"])
    }

    @Test func anIncrementGoesOnFromWhatServesOrBecomesAFullTraining() throws {
        defer { clean() }
        let trainings = Trainings()
        let rules = IncrementTraining.Rules(epochs: 1, rateShare: 0.5, replay: 1, replayLimitEvents: 100, ewc: 0, seed: 1, threads: 1)
        #expect(try run(trainings) { $0.increment = rules }.version == 1, "nothing serves yet")
        #expect(trainings.seen == nil && trainings.versions[0].configuration == #"{"train.epochs":"1"}"#)
        trainings.versions[0].watermark = "{}"
        let failure = #expect(throws: CommandFailure.self) { try run(trainings) { $0.increment = rules } }
        #expect(failure?.description.contains("does not say what version 1 has learned from") == true)
        trainings.bundles = [:]
        trainings.versions[0].watermark = #"{"snapshot":"7:7:"}"#
        #expect(try run(trainings) { $0.increment = rules }.version == 2, "files that are gone cannot be gone on from")
        #expect(trainings.seen == nil)
    }
}

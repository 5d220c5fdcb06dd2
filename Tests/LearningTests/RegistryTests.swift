import Console
import Evaluation
import FeatureStore
import Interactions
import Learning
import Logging
import Recommending
import Testing
import TowerModel
import TrainingFiles

/// What is read of the registry: which version is meant, what a candidate is held against, what a report says.
@Suite struct RegistryTests {
    private struct Models: RegisteredModels {
        var all: [RegisteredModel]
        func promotedModel() -> RegisteredModel? { all.first { $0.status == .promoted } }
        func models(limit: Int) -> [RegisteredModel] { Array(all.reversed().prefix(limit)) }
        func model(_ version: Int32) -> RegisteredModel? { all.first { $0.version == version } }
        func modelsThatServed(days: Int) -> [RegisteredModel] { all.reversed().filter { $0.status == .retired } }
        func answers(of version: Int32) -> [UInt8]? { nil }
    }

    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A version of which so many of 10 questions were answered.
    private func version(_ number: Int32, _ status: RegisteredModel.Status, right: Int?, reason: String? = nil) -> RegisteredModel {
        var metrics = "{}"
        if let right {
            let log = SmallLog.of((0..<10).flatMap { SmallLog.clicks("u\($0)", at: [1, 2, 3], from: $0) })
            let scoring = HoldoutScoring(log: log, holdout: .leaveOneOut(of: log, maxUsers: 100), excludes: [], threads: 1)
            var record = EvaluationRecord(), asked = 0
            record.model = scoring.collect { question in
                asked += 1
                let isRight = asked <= right
                return log.itemIDs.indices.map { question.truth.contains(Int32($0)) == isRight ? 1 : 0 }
            }.record
            metrics = record.json
        }
        return RegisteredModel(
            version: number, createdAt: EventTime(milliseconds: 0), status: status, metrics: metrics,
            watermark: #"{"newest_event_ms":\#(1_000 * Int(number))}"#, reason: reason)
    }

    @Test(arguments: [
        ("promoted", ModelChoice.promoted), ("latest", .latest), ("7", .version(7)), ("0", nil), ("-1", nil), ("newest", nil),
    ] as [(String, ModelChoice?)])
    func aVersionIsNamedInThreeWays(text: String, choice: ModelChoice?) {
        #expect(ModelChoice(argument: text) == choice)
    }

    @Test func aVersionThatIsNotThereIsSaidWithWhatToDo() throws {
        let models = Models(all: [version(1, .refused, right: nil)])
        #expect(try ModelChoice.latest.find(in: models).version == 1 && ModelChoice.version(1).find(in: models).version == 1)
        for (choice, words) in [(ModelChoice.promoted, "freshet train"), (.version(2), "freshet models list")] {
            let failure = #expect(throws: CommandFailure.self) { try choice.find(in: models) }
            #expect(failure?.description.contains(words) == true)
        }
        #expect(throws: CommandFailure.self) { try ModelChoice.latest.find(in: Models(all: [])) }
    }

    @Test func theBestOfTheLastWeeksThatCanBeReadIsHeldAgainst() throws {
        let models = Models(all: [
            version(1, .retired, right: 9), version(2, .retired, right: 5), version(3, .retired, right: nil),
            version(4, .retired, right: 5), version(5, .promoted, right: 6),
        ])
        #expect(try GateReferences.best(models, anchorDays: 30).map(\.version) == [1, 4, 2], "the newest of equals first, none unjudged")
        #expect(try GateReferences.best(models, anchorDays: 0).isEmpty)
        var read: [Int32] = []
        let references = try GateReferences.read(
            models,
            bundle: { model in
                read.append(model.version)
                throw CommandFailure("gone")
            }, anchorDays: 30, logger: Self.quiet)
        #expect(read == [5, 1, 4, 2], "three at most are tried")
        #expect(references.promoted?.version == 5 && references.promoted?.problem == "gone" && references.promoted?.model == nil)
        #expect(references.anchor?.version == 1, "of none that can be read the best recorded one counts")
        #expect(references.anchor?.record.model != nil)
        let none = try GateReferences.read(
            Models(all: [version(1, .retired, right: 3)]), bundle: { _ in throw CommandFailure("asked") }, anchorDays: 30,
            logger: Self.quiet)
        #expect(none.promoted == nil && none.anchor == nil, "without a model in force there is no gate")
    }

    @Test func aTeacherIsARegisteredVersion() throws {
        let models = Models(all: [])
        #expect(try TeacherTraining(version: 0, in: models, bundle: { _ in throw CommandFailure("read") }) == nil)
        let failure = #expect(throws: CommandFailure.self) {
            try TeacherTraining(version: 3, in: models, bundle: { _ in throw CommandFailure("read") })
        }
        #expect(failure?.description.contains("no version 3") == true)
    }

    @Test func aReportSaysWhatWasDecidedSince() {
        var model = version(3, .promoted, right: 4, reason: "promoted by hand with force")
        model.refusal = "worse than version 2"
        model.configuration = #"{"train.seed":"7","train.epochs":"2"}"#
        let report = VersionReport(model, defaults: ["train.seed": "1"])
        #expect(report.settings.map(\.key) == ["train.epochs", "train.seed"])
        #expect(report.record.gate?.passes == false)
        #expect(report.record.gate?.reasons?.first == "Promoted all the same: promoted by hand with force.")
        #expect(report.record.gate?.reasons?.last == "worse than version 2")
        #expect(report.page.html.contains("Model version 3"))
        model.status = .refused
        #expect(VersionReport(model, defaults: [:]).record.gate?.reasons == ["promoted by hand with force", "worse than version 2"])
    }
}

import Console
import FeatureStore
import Foundation
import Interactions
import ModelArtifacts
import Serving
import Testing

/// Versions of models: which files they are, when they are tried again, what is said of them.
@Suite struct VersionTests {
    private let identity = ModelIdentity(version: 3, artifactName: "a", checksum: "c")

    @Test func aModelThatCannotBeUsedIsTriedAgainAfterEverLongerPauses() {
        var attempts = ModelAttempts(), now = ContinuousClock.now, pauses: [Duration] = []
        #expect(attempts.areDue(identity, at: now) && !attempts.isFailing)
        for number in 0..<8 {
            let isNews = attempts.failed(identity, at: now)
            #expect(isNews == (number == 0), "only the first one is news")
            var pause = Duration.zero
            while !attempts.areDue(identity, at: now + pause), pause < .seconds(60) { pause += .milliseconds(250) }
            pauses.append(pause)
            now += pause
        }
        #expect(pauses.first == ModelAttempts.firstPause && pauses.last == ModelAttempts.longestPause)
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $0 <= $1 })
        let tries = attempts.succeeded(), more = attempts.succeeded()
        #expect(tries == 8 && more == nil && !attempts.isFailing)
    }

    @Test func otherFilesUnderTheSameNumberNeedNotWait() {
        var attempts = ModelAttempts()
        let now = ContinuousClock.now
        _ = attempts.failed(identity, at: now)
        #expect(!attempts.areDue(identity, at: now))
        // After a restore the same number may name others.
        let restored = ModelIdentity(version: 3, artifactName: "b", checksum: "c")
        #expect(attempts.areDue(restored, at: now))
        let isNews = attempts.failed(restored, at: now), tries = attempts.succeeded()
        #expect(isNews && tries == 1, "it fails for the first time")
    }

    @Test func theSentenceSaysWhatAnswersMeanwhile() {
        let failure = CommandFailure("no files")
        #expect(ModelAttempts.sentence(4, serving: 3, failure).contains("version 3 serves on"))
        #expect(ModelAttempts.sentence(4, serving: nil, failure).contains("what is trending"))
        #expect(ModelAttempts.sentence(4, serving: nil, failure).hasSuffix("after 1 to 30 s: no files"))
    }

    private func registered(_ status: RegisteredModel.Status, reason: String? = nil, refusal: String? = nil) -> RegisteredModel {
        RegisteredModel(
            version: 7, createdAt: EventTime(milliseconds: 0), status: status, artifactPath: "/elsewhere/models/20260101-a",
            artifactChecksum: "00000000", reason: reason, refusal: refusal)
    }

    @Test func aVersionIsLookedForByTheNameOfItsFolder() {
        let model = registered(.candidate)
        #expect(model.artifactName == "20260101-a")
        #expect(ArtifactStore(root: "/here").reference(of: model).path == "/here/20260101-a")
        #expect(model.identity == ModelIdentity(version: 7, artifactName: "20260101-a", checksum: "00000000"))
    }

    @Test func aPromotionIsRefusedWhereTheFolderIsHereAndTheFilesAreNot() throws {
        let model = registered(.candidate)
        let nowhere = ArtifactStore(root: "/nowhere-\(UInt64.random(in: .min ... .max))")
        #expect(try nowhere.checkPromotion(of: model)?.contains("were not looked at") == true, "servers have a folder of their own then")
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("models-\(UInt64.random(in: .min ... .max))").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let failure = #expect(throws: CommandFailure.self) { try ArtifactStore(root: root).checkPromotion(of: model) }
        #expect(failure?.description.hasPrefix("version 7 is not promoted") == true && failure?.description.contains("20260101-a") == true)
    }

    @Test func theGatesRefusalIsSaidOnceBesideThePromotion() {
        #expect(registered(.refused, reason: "worse", refusal: "worse").reasonInWords == "worse")
        #expect(registered(.promoted, reason: "by hand", refusal: "worse").reasonInWords == "by hand. The gate had refused it: worse")
        #expect(registered(.promoted, refusal: "worse").reasonInWords == "The gate had refused it: worse")
        #expect(registered(.candidate).reasonInWords == "")
        #expect(RegisteredModel.reason("rollback", force: true, given: "tests") == "rollback with force: tests")
    }

    @Test func trainingsThatBroughtNothingAreCounted() {
        #expect(ModelRefusals(total: 4).warning == nil, "the newest one was promoted")
        func refusals(_ inARow: Int64) -> ModelRefusals {
            ModelRefusals(total: 9, inARow: inARow, newest: (version: 8, createdAt: EventTime(milliseconds: 5), reason: "worse"))
        }
        #expect(refusals(1).warning?.hasPrefix("the newest training was refused") == true)
        #expect(refusals(3).warning?.hasPrefix("the 3 newest trainings were refused") == true)
        #expect(refusals(3).view.version == 8 && refusals(3).view.total == 9)
    }
}

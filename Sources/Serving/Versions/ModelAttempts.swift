import FeatureStore
import Intake

/// Which files a model version is: after a restore the same number may name others.
package struct ModelIdentity: Sendable, Equatable {
    /// The number in the registry.
    package var version: Int32
    /// The name of the folder.
    package var artifactName: String
    /// What its manifest is: CRC-32, and SHA-256 where the registry has it.
    package var checksum: String, sha256: String?

    /// All of it.
    package init(version: Int32, artifactName: String, checksum: String, sha256: String? = nil) {
        self.version = version
        self.artifactName = artifactName
        self.checksum = checksum
        self.sha256 = sha256
    }
}

extension RegisteredModel {
    /// Which files it is.
    package var identity: ModelIdentity {
        ModelIdentity(version: version, artifactName: artifactName, checksum: artifactChecksum, sha256: artifactSHA256)
    }
}

/// When a model that could not be used is tried again: at first after a second, then after twice as long each time.
package struct ModelAttempts: Sendable {
    /// Before the second attempt, and between later ones at most.
    package static let firstPause = Duration.seconds(1), longestPause = Duration.seconds(30)

    private struct Failing: Sendable {
        var identity: ModelIdentity
        var tries: Int
        var pause: GrowingPause
        var next: ContinuousClock.Instant
    }
    private var failing: Failing?

    /// None yet.
    package init() {}

    /// Whether the last attempt failed.
    package var isFailing: Bool { failing != nil }

    /// Whether it is time for an attempt; another model need not wait.
    package func areDue(_ identity: ModelIdentity, at now: ContinuousClock.Instant) -> Bool {
        guard let failing, failing.identity == identity else { return true }
        return now >= failing.next
    }

    /// An attempt failed. Says whether it was the first one of this model.
    package mutating func failed(_ identity: ModelIdentity, at now: ContinuousClock.Instant) -> Bool {
        let former = failing.flatMap { $0.identity == identity ? $0 : nil }
        var pause = former?.pause ?? GrowingPause(first: Self.firstPause, longest: Self.longestPause)
        let next = now.advanced(by: pause.take())
        failing = Failing(identity: identity, tries: (former?.tries ?? 0) + 1, pause: pause, next: next)
        return former == nil
    }

    /// What is told of a promoted version that cannot be used.
    ///
    /// - Parameter serving: the version that answers meanwhile; nil: none.
    package static func sentence(_ version: Int32, serving: Int32?, _ error: any Error) -> String {
        let answers = serving.map { "version \($0) serves on" } ?? "answers come from what is trending"
        return "version \(version) is promoted and cannot be used yet; \(answers), and it is tried again after "
            + "\(firstPause.components.seconds) to \(longestPause.components.seconds) s: \(error)"
    }

    /// An attempt went well. Says how many of the model's failed before; nil where none did.
    package mutating func succeeded() -> Int? {
        defer { failing = nil }
        return failing?.tries
    }
}

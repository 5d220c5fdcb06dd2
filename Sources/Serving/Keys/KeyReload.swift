import Console
import Dispatch
import Foundation
import Logging
import RecommendationAPI
import ServiceLifecycle
import Synchronization

/// What a look at the files that hold keys asks for.
///
/// A file may be seen before all of it is written: what was refused is read once more when nothing has changed since.
package struct KeyFileLooks {
    private var known: [[Int]]
    private var refused: [[Int]]?

    /// As the files are at the start; see ``look(_:isAsked:)``.
    package init(known: [[Int]]) {
        self.known = known
    }

    /// Whether the settings are to be read now.
    ///
    /// - Parameters:
    ///   - now: what changes when a file does, a list a file.
    ///   - isAsked: whether somebody asked for it.
    /// - Returns: nil where nothing is to be done; else whether it is the second look at what was refused.
    package mutating func look(_ now: [[Int]], isAsked: Bool) -> (isRepeat: Bool, signature: [[Int]])? {
        guard isAsked || now != known || refused != nil else { return nil }
        let isRepeat = !isAsked && now == known
        known = now
        return (isRepeat, now)
    }

    /// Tells how the reading went that ``look(_:isAsked:)`` asked for.
    package mutating func ended(_ look: (isRepeat: Bool, signature: [[Int]]), isGood: Bool) {
        refused = isGood || look.isRepeat ? nil : look.signature
    }
}

/// Puts other keys in force while the service runs: when a file that holds them has changed, and on SIGHUP.
///
/// Settings that are wrong, or that would leave the service without keys, change nothing and are told.
package struct KeyReload: Service {
    /// The settings as they are now.
    package struct Found {
        /// The keys.
        package var keys: [APIKey]
        /// Whether other settings changed, too.
        package var hasOtherChanges: Bool

        /// Both.
        package init(keys: [APIKey], hasOtherChanges: Bool) {
            self.keys = keys
            self.hasOtherChanges = hasOtherChanges
        }
    }

    /// Where keys came from.
    package struct Source: Sendable {
        /// What changes when a file does: a list a file.
        package var signature: @Sendable () -> [[Int]]
        /// Reads the settings again.
        package var read: @Sendable () throws -> Found

        /// Both.
        package init(signature: @escaping @Sendable () -> [[Int]], read: @escaping @Sendable () throws -> Found) {
            self.signature = signature
            self.read = read
        }
    }

    private let source: Source?
    private let keys: KeyRing
    private let logger: Logger

    private static let lookEvery = Duration.seconds(1)

    /// Watches a source; without one keys stay as they are.
    package init(_ source: Source?, keys: KeyRing, logger: Logger) {
        self.source = source
        self.keys = keys
        self.logger = logger
    }

    /// Runs until the group of services shuts down.
    package func run() async throws {
        guard let source else { return try await gracefulShutdown() }
        let asked = Asked.onHangUp()
        await cancelWhenGracefulShutdown {
            var looks = KeyFileLooks(known: source.signature())
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.lookEvery)
                if Task.isCancelled { return }
                guard let look = looks.look(source.signature(), isAsked: asked.take()) else { continue }
                looks.ended(look, isGood: reload(source, isRepeat: look.isRepeat))
            }
        }
    }

    /// Puts the keys of the settings in force.
    ///
    /// - Returns: whether the settings are good.
    package func reload(_ source: Source, isRepeat: Bool) -> Bool {
        do {
            let found = try source.read()
            guard !found.keys.isEmpty || keys.isEmpty else {
                throw CommandFailure(
                    "the settings have no keys any more, which would open the service to everybody: restart it where that is meant")
            }
            let before = Set(keys.keys.map(\.fingerprint)), after = Set(found.keys.map(\.fingerprint))
            keys.replace(by: found.keys)
            let others = found.hasOtherChanges ? "; other settings have changed, too, and are in force after a restart" : ""
            logger.notice(
                "keys were read again\(others)",
                metadata: [
                    "keys": "\(found.keys.count)", "new": "\(after.subtracting(before).count)",
                    "gone": "\(before.subtracting(after).count)",
                ])
            return true
        } catch {
            if !isRepeat { logger.error("the keys stay as they are, for the settings cannot be used: \(error)") }
            return false
        }
    }
}

/// Whether SIGHUP came since it was last asked for.
private final class Asked: Sendable {
    private let isRaised = Mutex(false)

    func take() -> Bool {
        isRaised.withLock { raised in
            defer { raised = false }
            return raised
        }
    }

    /// From here on the signal ends the process no more, except where its terminal is gone.
    static func onHangUp() -> Asked {
        let asked = Asked()
        let hadTerminal = isatty(STDIN_FILENO) == 1
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: DispatchQueue(label: "freshet-hang-up"))
        source.setEventHandler {
            if hadTerminal, tcgetpgrp(STDIN_FILENO) == -1 {
                kill(getpid(), SIGTERM)
            } else {
                asked.isRaised.withLock { $0 = true }
            }
        }
        source.resume()
        // Held for the life of the process: a source that is let go no longer fires.
        _ = Unmanaged.passRetained(source as AnyObject)
        return asked
    }
}

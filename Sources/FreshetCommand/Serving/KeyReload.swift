import Dispatch
import Foundation
import Logging
import RecommendationAPI
import ServiceLifecycle
import Synchronization

/// Where settings came from, to read them again.
struct ConfigurationAgain: Sendable {
    let files: [String]
    let environment: [String: String]
    let flags: [(key: String, value: String)]

    /// The lists of the service's keys.
    static let keyLists: [KeyName] = [.httpReadKeys, .httpWriteKeys, .httpAdminKeys, .httpMetricsKeys]

    /// Whether a setting is one of these lists.
    static func isKeyList(_ name: String) -> Bool { keyLists.contains { $0.rawValue == name } }

    /// The files that keys may stand in: those of the settings, and those that variables name (`FRESHET_HTTP_READ_KEYS_FILE`).
    var keyFiles: [String] {
        let named = files.isEmpty ? ["freshet.yaml"] : files
        let variables = Self.keyLists.map { $0.environmentName + "_FILE" }
        return named + variables.compactMap { environment[$0] }.filter { !$0.isEmpty }
    }

    /// Reads everything again.
    ///
    /// - Throws: `ConfigurationError`; also where a file is a pipe, which can be read once only.
    func read() throws -> Configuration {
        for path in keyFiles {
            var found = stat()
            if stat(path, &found) == 0, found.st_mode & S_IFMT != S_IFREG {
                throw ConfigurationError("\(path) is no regular file, and can be read once only: restart the server to change its keys")
            }
        }
        return try Configuration.load(files: files, environment: environment, flags: flags)
    }

    /// What changes when a file does: its identity, size and time. A mounted secret is another file behind the same name.
    var signature: [[Int]] {
        keyFiles.map { path in
            var found = stat()
            guard stat(path, &found) == 0, found.st_mode & S_IFMT == S_IFREG else { return [] }
            #if canImport(Glibc)
            let time = found.st_mtim
            #else
            let time = found.st_mtimespec
            #endif
            return [Int(truncatingIfNeeded: found.st_ino), Int(found.st_size), time.tv_sec, time.tv_nsec]
        }
    }
}

/// Puts other keys in force while the service runs: when a file that holds them has changed, and on SIGHUP.
///
/// Settings that are wrong, or that would leave the service without keys, change nothing and are told.
struct KeyReload: Service {
    let again: ConfigurationAgain?
    let current: Configuration
    let keys: KeyRing
    let logger: Logger

    private static let lookEvery = Duration.seconds(1)

    func run() async throws {
        guard let again else { return try await gracefulShutdown() }
        let asked = Asked.onHangUp()
        await cancelWhenGracefulShutdown {
            var known = again.signature
            // A file may be seen before all of it is written: what was refused is read once more when nothing has changed since.
            var refused: [[Int]]?
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.lookEvery)
                if Task.isCancelled { return }
                let now = again.signature
                let isAsked = asked.take()
                guard isAsked || now != known || refused != nil else { continue }
                let isRepeat = !isAsked && now == known
                known = now
                refused = reload(again, isRepeat: isRepeat) || isRepeat ? nil : now
            }
        }
    }

    /// - Returns: whether the settings are good.
    private func reload(_ again: ConfigurationAgain, isRepeat: Bool) -> Bool {
        do {
            let found = try again.read()
            let next = try found.apiConfiguration().apiKeys
            guard !next.isEmpty || keys.isEmpty else {
                throw ConfigurationError(
                    "the settings have no keys any more, which would open the service to everybody: restart it where that is meant")
            }
            let others = current.settings.filter { !ConfigurationAgain.isKeyList($0.key) }.mapValues(\.value)
                != found.settings.filter { !ConfigurationAgain.isKeyList($0.key) }.mapValues(\.value)
            let before = Set(keys.keys.map(\.fingerprint)), after = Set(next.map(\.fingerprint))
            keys.replace(by: next)
            logger.notice(
                "keys were read again\(others ? "; other settings have changed, too, and are in force after a restart" : "")",
                metadata: [
                    "keys": "\(next.count)", "new": "\(after.subtracting(before).count)", "gone": "\(before.subtracting(after).count)",
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

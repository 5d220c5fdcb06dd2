import Console
import FeatureStore
import Foundation

/// Clears up after trainings and searches that ended without clearing up themselves: their files hold what users did.
///
/// Files of a training that lives are never touched: it holds the trainer's lock of the database. Those of one that was killed stay for
/// `--resume`, but no longer than `train.keep_unfinished_hours`, and not once a user in them was erased.
package final class TrainingLeftovers {
    private let root: String
    private let url: String
    private let keepHours: Int
    /// Which file was looked at, at which entry of the ledger: the same need not be read twice.
    private var checked: [String: String] = [:]

    /// - Parameters:
    ///   - root: `artifacts.path`.
    ///   - url: `database.url`.
    package init(root: String, url: String, keepHours: Int) {
        self.root = root
        self.url = url
        self.keepHours = keepHours
    }

    /// Removes what should be gone. Blocks; a look that finds nothing costs a few calls of the file system.
    ///
    /// - Returns: a sentence for each folder or file that was removed.
    /// - Throws: `StoreError`; `CommandFailure` where something cannot be removed.
    package func clear(_ store: StoreQueries) throws -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        var told: [String] = []
        let folder = TrainingFolder(path: root + "/training")
        if names.contains("training"), let reason = try reason(folder, store), try remove(folder.path, training: folder) {
            told.append("the files of a training that was killed are removed: \(reason)")
        }
        for name in names where name.hasPrefix("training-rank-") {
            guard try remove(root + "/" + name, training: nil) else { continue }
            told.append("\(root)/\(name), left by a rank of a training that was killed, is removed")
        }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: root + "/searches")) ?? [] {
            let path = "\(root)/searches/\(name)/log.freshet-training"
            guard let reason = try reason(log: path, store) else { continue }
            try FileProblem.described { try FileManager.default.removeItem(atPath: path) }
            told.append("the training file of the search \(name) is removed, its table stays: \(reason)")
        }
        return told
    }

    /// Why the files of a training should go; nil where they may stay.
    private func reason(_ folder: TrainingFolder, _ store: StoreQueries) throws -> String? {
        guard folder.read() != nil, FileManager.default.fileExists(atPath: folder.logPath) else {
            // One that lives is still reading, which its lock tells.
            return "it had not begun to learn, so --resume has nothing to go on from"
        }
        return try reason(log: folder.logPath, store)
    }

    private func reason(log path: String, _ store: StoreQueries) throws -> String? {
        guard let written = Self.written(path) else { return nil }
        // A checkpoint is newer than the file that it learned from.
        let newest = Self.newest(in: (path as NSString).deletingLastPathComponent) ?? written
        if -newest.timeIntervalSinceNow / 3_600 >= Double(keepHours) {
            return "they are older than train.keep_unfinished_hours, \(keepHours)"
        }
        let stamp = "\(written.timeIntervalSince1970) \(try store.newestErasure())"
        guard checked[path] != stamp else { return nil }
        guard let log = try? TrainingFile(path: path).log else { return "the training file is not whole, so nothing can go on from it" }
        let erased = try ErasedUsers.count(in: log, ledger: store)
        if erased > 0 { return "\(erased) of the users in them were erased since they were written" }
        checked[path] = stamp
        return nil
    }

    /// Removes a folder unless a training lives.
    private func remove(_ path: String, training folder: TrainingFolder?) throws -> Bool {
        let before = folder.flatMap { Self.written($0.logPath) }
        guard let lock = try lock() else { return false }
        defer { lock.release() }
        // Another training may have come and gone since the look.
        guard folder.flatMap({ Self.written($0.logPath) }) == before, FileManager.default.fileExists(atPath: path) else { return false }
        try FileProblem.described(advice: "it holds what users did, and nobody needs it: remove it") {
            try FileManager.default.removeItem(atPath: path)
        }
        return true
    }

    /// The trainer's lock; nil where a training holds it.
    private func lock() throws -> TrainingLock? {
        do {
            return try TrainingLock(url: url)
        } catch {
            if error.code == .trainingInProgress { return nil }
            throw error
        }
    }

    private static func written(_ path: String) -> Date? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
    }

    /// When anything in a folder was written last.
    private static func newest(in folder: String) -> Date? {
        let names = FileManager.default.enumerator(atPath: folder)?.allObjects ?? []
        return names.compactMap { ($0 as? String).flatMap { written(folder + "/" + $0) } }.max()
    }

    /// Prefixes of files that evaluations write where temporary files lie; the number of the process follows.
    private static let temporaryPrefixes = ["freshet-evaluate-", "freshet-replay-", "freshet-shop-"]

    /// Removes temporary files of evaluations that were killed before the name was gone.
    package static func sweepTemporary(_ folder: String = FileManager.default.temporaryDirectory.path) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard let prefix = temporaryPrefixes.first(where: name.hasPrefix),
                let writer = Int32(name.dropFirst(prefix.count).prefix { $0.isNumber }), writer > 0, kill(writer, 0) != 0, errno == ESRCH
            else { continue }
            try? FileManager.default.removeItem(atPath: folder + "/" + name)
        }
    }
}

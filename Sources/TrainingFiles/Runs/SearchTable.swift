import Console
import Foundation

/// The trials of a search, a line of JSON each, so that a search that was stopped goes on where it was.
package struct SearchTable {
    /// The first line: what all trials share. A search goes on only where all of it is the same.
    package struct Head: Codable, Equatable {
        /// Decides which settings are drawn.
        package var seed: UInt64
        /// `halving` or `random`.
        package var method: String
        /// How many there are.
        package var trials: Int
        /// Steps of halving.
        package var rungs: Int
        /// Of a step's trials, one in so many goes on.
        package var keepOneIn: Int
        /// Ranges by key, as text.
        package var space: [String: String]
        /// The settings that trials change.
        package var settings: [String: String]
        /// The identity of the training file.
        package var snapshot: String

        /// All of it.
        package init(
            seed: UInt64, method: String, trials: Int, rungs: Int, keepOneIn: Int, space: [String: String], settings: [String: String],
            snapshot: String
        ) {
            self.seed = seed
            self.method = method
            self.trials = trials
            self.rungs = rungs
            self.keepOneIn = keepOneIn
            self.space = space
            self.settings = settings
            self.snapshot = snapshot
        }
    }

    /// One trial on one rung.
    package struct Trial: Codable {
        /// Its number; 0 is the configuration as it stands.
        package var trial: Int
        /// Its step.
        package var rung: Int
        /// How long it learned.
        package var epochs: Int
        /// What was drawn, by key.
        package var settings: [String: String]
        /// NDCG@10 on the held-out questions; nil where the settings contradict each other.
        package var ndcg: Double?
        /// Of ``ndcg``.
        package var standardError: Double?
        /// What it took.
        package var seconds: Double
        /// Why the settings were refused; nil for others.
        package var failure: String?

        /// All of it.
        package init(
            trial: Int, rung: Int, epochs: Int, settings: [String: String], ndcg: Double? = nil, standardError: Double? = nil,
            seconds: Double, failure: String? = nil
        ) {
            self.trial = trial
            self.rung = rung
            self.epochs = epochs
            self.settings = settings
            self.ndcg = ndcg
            self.standardError = standardError
            self.seconds = seconds
            self.failure = failure
        }
    }

    /// The file.
    package let path: String
    /// Those that have run, in their order.
    package private(set) var trials: [Trial] = []

    /// Opens a table, or begins one.
    ///
    /// - Throws: where the file is of another search.
    package init(path: String, head: Head) throws {
        self.path = path
        if let data = FileManager.default.contents(atPath: path), !data.isEmpty {
            let lines = data.split(separator: 0x0A)
            guard let first = lines.first, let known = try? JSONDecoder().decode(Head.self, from: first) else {
                throw CommandFailure("\(path) is no table of trials; choose another --name")
            }
            guard known == head else {
                throw CommandFailure(
                    "\(path) is of a search with other ranges, settings or data; choose another --name, or remove its folder")
            }
            // A line that was cut by a kill is left out, and its trial runs again.
            trials = lines.dropFirst().compactMap { try? JSONDecoder().decode(Trial.self, from: $0) }
        }
        try write(head)
    }

    /// A trial that has run.
    package func trial(_ number: Int, rung: Int) -> Trial? { trials.first { $0.trial == number && $0.rung == rung } }

    /// Scores of a rung by trial.
    package func scores(rung: Int) -> [Int: Double] {
        var scores: [Int: Double] = [:]
        for trial in trials where trial.rung == rung { scores[trial.trial] = trial.ndcg }
        return scores
    }

    /// Adds a trial.
    package mutating func append(_ trial: Trial) throws {
        trials.append(trial)
        do {
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            defer { try? file.close() }
            try file.seekToEnd()
            try file.write(contentsOf: try Self.line(trial))
        } catch {
            throw CommandFailure("cannot write \(path): \(FileProblem.reason(error))")
        }
    }

    private func write(_ head: Head) throws {
        do {
            let url = URL(fileURLWithPath: path)
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            let lines = try trials.reduce(into: try Self.line(head)) { $0 += try Self.line($1) }
            try lines.write(to: url, options: .atomic)
        } catch {
            throw CommandFailure("cannot write \(path): \(FileProblem.reason(error))")
        }
    }

    private static func line(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return try encoder.encode(value) + Data("\n".utf8)
    }
}

import Console
import Foundation

/// The trials of a search, a line of JSON each, so that a search that was stopped goes on where it was.
struct SearchTable {
    /// The first line: what all trials share. A search goes on only where all of it is the same.
    struct Head: Codable, Equatable {
        var seed: UInt64
        var method: String
        var trials: Int
        var rungs: Int
        var keepOneIn: Int
        /// Ranges by key, as text.
        var space: [String: String]
        /// The settings that trials change.
        var settings: [String: String]
        /// The identity of the training file.
        var snapshot: String
    }

    /// One trial on one rung.
    struct Trial: Codable {
        var trial: Int
        var rung: Int
        var epochs: Int
        var settings: [String: String]
        /// NDCG@10 on the held-out questions; nil where the settings contradict each other.
        var ndcg: Double?
        var standardError: Double?
        var seconds: Double
        var failure: String?
    }

    let path: String
    private(set) var trials: [Trial] = []

    /// Opens a table, or begins one.
    ///
    /// - Throws: where the file is of another search.
    init(path: String, head: Head) throws {
        self.path = path
        if let data = FileManager.default.contents(atPath: path), !data.isEmpty {
            let lines = data.split(separator: 0x0A)
            guard let first = lines.first, let known = try? JSONDecoder().decode(Head.self, from: first) else {
                throw CommandFailure("\(path) is no table of trials; choose another --name")
            }
            guard known == head else {
                throw CommandFailure("\(path) is of a search with other ranges, settings or data; choose another --name, or remove its folder")
            }
            // A line that was cut by a kill is left out, and its trial runs again.
            trials = lines.dropFirst().compactMap { try? JSONDecoder().decode(Trial.self, from: $0) }
        }
        try write(head)
    }

    /// A trial that has run.
    func trial(_ number: Int, rung: Int) -> Trial? { trials.first { $0.trial == number && $0.rung == rung } }

    /// Scores of a rung by trial.
    func scores(rung: Int) -> [Int: Double] {
        var scores: [Int: Double] = [:]
        for trial in trials where trial.rung == rung { scores[trial.trial] = trial.ndcg }
        return scores
    }

    /// Adds a trial.
    mutating func append(_ trial: Trial) throws {
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
            try FileManager.default.createDirectory(at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
            try (try Self.line(head) + trials.reduce(into: Data()) { $0 += try Self.line($1) }).write(to: URL(fileURLWithPath: path), options: .atomic)
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

import Console
import Foundation

/// The trials of a choice that ended, a line of JSON each, so that a training that goes on runs none of them twice.
package struct TrialTable {
    /// One of them.
    package struct Trial: Codable {
        /// Whose settings.
        package var name: String
        /// One in so many users was learned from and asked.
        package var oneIn: Int
        /// What it took.
        package var seconds: Double
        /// NDCG@10 of each question; nil where it came to none.
        package var values: [Double]?
        /// Why it came to none.
        package var failure: String?

        /// One that begins.
        package init(name: String, oneIn: Int, seconds: Double) {
            self.name = name
            self.oneIn = oneIn
            self.seconds = seconds
        }
    }

    private let path: String
    /// In the order in which they ended.
    package private(set) var trials: [Trial] = []

    /// Reads what is there; a line that a kill cut counts as none.
    package init(path: String) {
        self.path = path
        guard let data = FileManager.default.contents(atPath: path) else { return }
        trials = data.split(separator: 0x0A).compactMap { try? JSONDecoder().decode(Trial.self, from: $0) }
    }

    /// A trial of some settings on one in so many users; nil where it did not run.
    package func trial(_ name: String, _ oneIn: Int) -> Trial? { trials.first { $0.name == name && $0.oneIn == oneIn } }

    /// What all of them took.
    package var seconds: Double { trials.reduce(0) { $0 + $1.seconds } }

    /// Keeps a trial.
    ///
    /// - Throws: where the file cannot be written.
    package mutating func append(_ trial: Trial) throws {
        trials.append(trial)
        let lines = try trials.map { try JSONEncoder().encode($0) + Data("\n".utf8) }
        try FileProblem.described(advice: TrainingFolder.advice) {
            try lines.reduce(Data(), +).write(to: URL(fileURLWithPath: path), options: .atomic)
        }
    }
}

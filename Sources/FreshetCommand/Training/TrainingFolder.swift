import Console
import Evaluation
import Foundation
import Recommending

/// Where a training keeps what it needs to go on after a kill: the file that it learns from, its stage, its checkpoints.
struct TrainingFolder {
    /// The stages of a run, in order.
    enum Stage: String, Codable {
        /// Learning without the held-out part, to be judged on it.
        case judged
        /// Learning again, with everything.
        case final
    }

    /// What is known of a run that may be resumed.
    struct State: Codable {
        var stage: Stage
        var settings: [String: String]
        /// The identity of the training file that is learned from.
        var log: String?
        /// Epochs of the judged model that were used, once it is finished.
        var epochs: Int?
        /// The weights of the ranking blend, once it is learned; nil where the towers rank alone.
        var blend: BlendWeights?
        /// The ranking heads, once they are learned; nil where there is nothing that they could learn from.
        var heads: HeadWeights?
        /// The weights of the content channel, once they are fitted.
        var content: [Float]?
        /// The domains whose adapters helped on what was held out; nil where none were tried.
        var domains: [String]?
        /// The evaluation, once it is finished.
        var record: EvaluationRecord?
        var passes: Bool?
        var reasons: [String]?
        /// The version that was promoted when this one was judged, 0 for none; nil where it was not judged.
        var judgedAgainst: Int?
        /// True where nothing was held out, so that nothing could be judged.
        var isUnjudged: Bool?
        /// What it scored on each question, as the registry keeps it.
        var answers: [UInt8]?
    }

    let path: String

    var logPath: String { path + "/log.freshet-training" }
    /// Where the columns of a stage's training set are written; the name is gone once they are.
    var columnsPath: String { path + "/columns" }
    /// Where a teacher's vectors are written; the name is gone at once.
    var teacherPath: String { path + "/teacher" }
    func checkpointPath(_ stage: Stage) -> String { path + "/checkpoint-\(stage.rawValue)" }
    private var statePath: String { path + "/state.json" }

    /// Removes what an earlier run left.
    func clear() throws {
        try FileProblem.described(advice: Self.advice) {
            if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    private static let advice = "artifacts.path names the folder of the models, which a training must be able to write"

    func read() -> State? {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return FileManager.default.contents(atPath: statePath).flatMap { try? decoder.decode(State.self, from: $0) }
    }

    func write(_ state: State) throws {
        try FileProblem.described(advice: Self.advice) {
            // A metric of nobody is no number, and ends no training.
            let encoder = JSONEncoder()
            encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            try encoder.encode(state).write(to: URL(fileURLWithPath: statePath), options: .atomic)
        }
    }
}

import Console
import Evaluation
import Foundation
import ModelArtifacts
import Recommending

/// Where a training keeps what it needs to go on after a kill: the file that it learns from, its stage, its checkpoints.
package struct TrainingFolder {
    /// The stages of a run, in order.
    package enum Stage: String, Codable {
        /// Learning without the held-out part, to be judged on it.
        case judged
        /// Learning again, with everything.
        case final
    }

    /// What is known of a run that may be resumed.
    package struct State: Codable {
        /// What is to be done next.
        package var stage: Stage
        /// What the run depends on, by key.
        package var settings: [String: String]
        /// The identity of the training file that is learned from.
        package var log: String?
        /// Epochs of the judged model that were used, once it is finished.
        package var epochs: Int?
        /// What was learned of the model's parts, once it is judged.
        package var parts = PartWeights()
        /// The evaluation, once it is finished.
        package var record: EvaluationRecord?
        /// Whether the gate let it pass; nil before it was judged.
        package var passes: Bool?
        /// Why, a sentence each.
        package var reasons: [String]?
        /// The version that was promoted when this one was judged, 0 for none; nil where it was not judged.
        package var judgedAgainst: Int?
        /// True where nothing was held out, so that nothing could be judged.
        package var isUnjudged: Bool?
        /// What it scored on each question, as the registry keeps it.
        package var answers: [UInt8]?
        /// What was chosen by what the data look like; nil where all was set, and before anybody looked.
        package var choice: ChoiceRecord?
        /// The counter that becomes a version beside the model; nil for none.
        package var counter: Counter?
        /// The model's number in the registry, once it has one: a run that is killed behind that does not register it again.
        package var version: Int32?

        /// All of it.
        package init(
            stage: Stage, settings: [String: String], log: String? = nil, epochs: Int? = nil, parts: PartWeights = PartWeights(),
            record: EvaluationRecord? = nil, passes: Bool? = nil, reasons: [String]? = nil, judgedAgainst: Int? = nil,
            isUnjudged: Bool? = nil, answers: [UInt8]? = nil
        ) {
            self.stage = stage
            self.settings = settings
            self.log = log
            self.epochs = epochs
            self.parts = parts
            self.record = record
            self.passes = passes
            self.reasons = reasons
            self.judgedAgainst = judgedAgainst
            self.isUnjudged = isUnjudged
            self.answers = answers
        }
    }

    /// A counter that becomes a version beside the model of its training.
    package struct Counter: Codable {
        /// What was learned of its parts.
        package var parts: PartWeights
        /// What was found of it.
        package var record: EvaluationRecord
        /// Whether it is to serve.
        package var passes: Bool
        /// Why, a sentence each.
        package var reasons: [String]
        /// What it scored on each question, as the registry keeps it.
        package var answers: [UInt8]?

        /// All of it.
        package init(parts: PartWeights, record: EvaluationRecord, passes: Bool, reasons: [String], answers: [UInt8]?) {
            (self.parts, self.record) = (parts, record)
            (self.passes, self.reasons, self.answers) = (passes, reasons, answers)
        }
    }

    /// The folder.
    package let path: String

    /// All of it.
    package init(path: String) {
        self.path = path
    }

    /// The file that is learned from.
    package var logPath: String { path + "/log.freshet-training" }
    /// Where the columns of a stage's training set are written; the name is gone once they are.
    package var columnsPath: String { path + "/columns" }
    /// Where a teacher's vectors are written; the name is gone at once.
    package var teacherPath: String { path + "/teacher" }
    /// Where trials of settings are kept that ended.
    package var trialsPath: String { path + "/trials.jsonl" }
    /// The checkpoints of a stage.
    package func checkpoints(_ stage: Stage) -> CheckpointStore { CheckpointStore(root: path + "/checkpoint-\(stage.rawValue)") }
    private var statePath: String { path + "/state.json" }

    /// Removes what an earlier run left.
    package func clear() throws {
        try FileProblem.described(advice: Self.advice) {
            if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    static let advice = "artifacts.path names the folder of the models, which a training must be able to write"

    /// What is known of the run; nil where there is none that this program can go on with.
    package func read() -> State? {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return FileManager.default.contents(atPath: statePath).flatMap { try? decoder.decode(State.self, from: $0) }
    }

    /// Keeps what is known; it is there whole or not at all.
    package func write(_ state: State) throws {
        try FileProblem.described(advice: Self.advice) {
            // A metric of nobody is no number, and ends no training.
            let encoder = JSONEncoder()
            encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            try encoder.encode(state).write(to: URL(fileURLWithPath: statePath), options: .atomic)
        }
    }
}

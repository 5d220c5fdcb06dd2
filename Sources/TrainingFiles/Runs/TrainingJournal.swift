import Evaluation
import Foundation
import TowerTraining

/// What a run notes for its report: a line an epoch and a line a step, in a file of the training's folder, so that a resumed run still
/// has what came before the kill.
package struct TrainingJournal {
    /// One line.
    package struct Note: Codable {
        /// The stage, in words; nil for a step.
        package var stage: String?
        /// The epoch, from 1.
        package var epoch: Int?
        /// Its mean loss.
        package var loss: Double?
        /// NDCG@10 on the users kept for validation.
        package var validation: Double?
        /// Its speed.
        package var examplesPerSecond: Double?
        /// The step, in words; nil for an epoch.
        package var step: String?
        /// What it took.
        package var seconds: Double

        /// All of it.
        package init(
            stage: String? = nil, epoch: Int? = nil, loss: Double? = nil, validation: Double? = nil, examplesPerSecond: Double? = nil,
            step: String? = nil, seconds: Double
        ) {
            self.stage = stage
            self.epoch = epoch
            self.loss = loss
            self.validation = validation
            self.examplesPerSecond = examplesPerSecond
            self.step = step
            self.seconds = seconds
        }
    }

    private let path: String

    /// The journal of a folder; it need not be there yet.
    package init(_ folder: TrainingFolder) {
        path = folder.path + "/journal.jsonl"
    }

    /// Notes an epoch.
    package func note(_ summary: EpochSummary, stage: TrainingFolder.Stage) {
        append(
            Note(
                stage: stage.title, epoch: summary.epoch, loss: summary.loss, validation: summary.validation?["NDCG@10"],
                examplesPerSecond: summary.examplesPerSecond, seconds: summary.seconds))
    }

    /// Notes a step of the run. One that was interrupted and resumed is noted again, and its seconds add up.
    package func note(step: String, seconds: Double) {
        append(Note(step: step, seconds: seconds))
    }

    /// A report is worth less than the training: what cannot be noted is left out.
    private func append(_ note: Note) {
        guard let line = try? JSONEncoder().encode(note) else { return }
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        guard let file = FileHandle(forWritingAtPath: path) else { return }
        defer { try? file.close() }
        _ = try? file.seekToEnd()
        // A line that a kill cut has no end; the next one does not hang on to it.
        try? file.write(contentsOf: Data("\n".utf8) + line + Data("\n".utf8))
    }

    /// The notes in order; a line that was cut by a kill is left out.
    package var notes: [Note] {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        return data.split(separator: 0x0A).compactMap { try? JSONDecoder().decode(Note.self, from: $0) }
    }

    /// The epochs by stage and the steps, as the registry keeps them.
    package var record: (curves: [LearningCurve], timings: [StepTiming]) {
        var stages: [(name: String, epochs: [Int: LearningCurve.Epoch])] = []
        var steps: [StepTiming] = []
        for note in notes {
            if let stage = note.stage, let epoch = note.epoch {
                if stages.last?.name != stage { stages.append((stage, [:])) }
                // An epoch that ran again after a kill counts as it ran last.
                stages[stages.count - 1].epochs[epoch] = LearningCurve.Epoch(
                    epoch: epoch, loss: note.loss, seconds: note.seconds, examplesPerSecond: note.examplesPerSecond,
                    validation: note.validation)
            } else if let step = note.step {
                if let place = steps.firstIndex(where: { $0.name == step }) {
                    steps[place].seconds += note.seconds
                } else {
                    steps.append(StepTiming(name: step, seconds: note.seconds))
                }
            }
        }
        let curves = stages.map { stage in
            LearningCurve(stage: stage.name, epochs: stage.epochs.sorted { $0.key < $1.key }.map(\.value))
        }
        return (curves, steps)
    }
}

extension TrainingFolder.Stage {
    /// For people.
    package var title: String { self == .judged ? "without the held-out part" : "on everything" }
    /// The step of a run, in words.
    package var step: String { self == .judged ? "training, to be judged" : "training on everything" }
}

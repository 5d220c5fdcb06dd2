import Evaluation
import Foundation
import TowerTraining

/// What a run notes for its report: a line an epoch and a line a step, in a file of the training's folder, so that a resumed run still
/// has what came before the kill.
struct TrainingJournal {
    /// One line.
    struct Note: Codable {
        var stage: String?
        var epoch: Int?
        var loss: Double?
        var validation: Double?
        var examplesPerSecond: Double?
        var step: String?
        var seconds: Double
    }

    private let path: String

    init(_ folder: TrainingFolder) {
        path = folder.path + "/journal.jsonl"
    }

    /// Notes an epoch.
    func note(_ summary: EpochSummary, stage: TrainingFolder.Stage) {
        append(
            Note(
                stage: stage.title, epoch: summary.epoch, loss: summary.loss, validation: summary.validation?["NDCG@10"],
                examplesPerSecond: summary.examplesPerSecond, seconds: summary.seconds))
    }

    /// Notes a step of the run. One that was interrupted and resumed is noted again, and its seconds add up.
    func note(step: String, seconds: Double) {
        append(Note(step: step, seconds: seconds))
    }

    /// A report is worth less than the training: what cannot be noted is left out.
    private func append(_ note: Note) {
        guard let line = try? JSONEncoder().encode(note) else { return }
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        guard let file = FileHandle(forWritingAtPath: path) else { return }
        defer { try? file.close() }
        _ = try? file.seekToEnd()
        try? file.write(contentsOf: line + Data("\n".utf8))
    }

    /// The notes in order; a line that was cut by a kill is left out.
    var notes: [Note] {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        return data.split(separator: 0x0A).compactMap { try? JSONDecoder().decode(Note.self, from: $0) }
    }

    /// The epochs by stage and the steps, as the registry keeps them.
    var record: (curves: [LearningCurve], timings: [StepTiming]) {
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
    var title: String { self == .judged ? "without the held-out part" : "on everything" }
    /// The step of a run, in words.
    var step: String { self == .judged ? "training, to be judged" : "training on everything" }
}

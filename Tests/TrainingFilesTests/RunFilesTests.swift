import Console
import Evaluation
import Foundation
import RankSupport
import Recommending
import Testing
import TowerModel
import TowerTraining
import TrainingFiles

@Suite("Files in which a run keeps how far it is")
struct RunFilesTests {
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("freshet-run-\(UUID().uuidString)").path
        deinit { try? FileManager.default.removeItem(atPath: path) }
        var folder: TrainingFolder { TrainingFolder(path: path) }
    }

    @Test("what is known of a run is read again, odd numbers too, and what no run wrote is none")
    func state() throws {
        let test = Folder(), folder = test.folder
        #expect(folder.read() == nil)
        try folder.clear()
        var state = TrainingFolder.State(stage: .final, settings: ["train.seed": "3"], log: "abc", epochs: 4)
        state.parts.blend = .towersAlone
        state.parts.content = [1, -2, 0.5]
        state.parts.domains = ["country=at"]
        state.record = EvaluationRecord()
        state.record?.users = 7
        state.record?.curves = [LearningCurve(stage: nil, epochs: [.init(epoch: 1, loss: .nan, seconds: 1)])]
        (state.passes, state.reasons, state.judgedAgainst, state.answers) = (false, ["worse"], 5, [1, 2, 255])
        try folder.write(state)
        let read = try #require(folder.read())
        #expect(read.stage == .final && read.settings == state.settings && read.log == "abc" && read.epochs == 4)
        #expect(read.parts.blend == .towersAlone && read.parts.content == [1, -2, 0.5] && read.parts.domains == ["country=at"])
        #expect(read.record?.users == 7 && read.passes == false && read.reasons == ["worse"] && read.judgedAgainst == 5)
        #expect(read.answers == [1, 2, 255] && read.isUnjudged == nil)
        try Data("{\"stage\":\"over\"}".utf8).write(to: URL(fileURLWithPath: test.path + "/state.json"))
        #expect(folder.read() == nil)
        try folder.clear()
        #expect(try FileManager.default.contentsOfDirectory(atPath: test.path).isEmpty)
    }

    @Test("a folder that cannot be made is told with what to do")
    func unwritable() throws {
        let folder = TrainingFolder(path: "/proc/nowhere/training")
        #expect { try folder.clear() } throws: { "\($0)".contains("artifacts.path names the folder of the models") }
        #expect { try folder.write(.init(stage: .judged, settings: [:])) } throws: { "\($0)".contains("artifacts.path") }
    }

    @Test("epochs count as they ran last, the seconds of a step that ran twice add up, a cut line is left out")
    func journal() throws {
        let test = Folder()
        try test.folder.clear()
        let journal = TrainingJournal(test.folder)
        #expect(journal.notes.isEmpty && journal.record.curves.isEmpty)
        var summary = try Self.summary()
        func epoch(_ number: Int, loss: Double, stage: TrainingFolder.Stage) {
            (summary.epoch, summary.loss) = (number, loss)
            journal.note(summary, stage: stage)
        }
        epoch(1, loss: 3, stage: .judged)
        epoch(2, loss: 2, stage: .judged)
        epoch(2, loss: 1.5, stage: .judged)
        journal.note(step: "evaluating", seconds: 1)
        epoch(1, loss: 4, stage: .final)
        journal.note(step: "evaluating", seconds: 2)
        let url = URL(fileURLWithPath: test.path + "/journal.jsonl")
        try (Data(contentsOf: url) + Data("{\"step\":\"cut".utf8)).write(to: url)
        // What is noted after a kill does not hang on to the line that it cut.
        journal.note(step: "writing", seconds: 5)
        let record = journal.record
        #expect(record.curves.map(\.stage) == ["without the held-out part", "on everything"])
        #expect(record.curves[0].epochs.map(\.epoch) == [1, 2] && record.curves[0].epochs.map(\.loss) == [3, 1.5])
        #expect(record.timings.map(\.name) == ["evaluating", "writing"] && record.timings.map(\.seconds) == [3, 5])
    }

    /// That of a real epoch, whose numbers a test may change.
    private static func summary() throws -> EpochSummary {
        var builder = TrainingSet.Builder()
        for user in 0..<4 { for event in 0..<3 { builder.append(user: "u\(user)", item: "i\(event)", type: 1, time: Int64(event)) } }
        return try Trainer(builder.build(), configuration: TowerConfiguration(preset: "small")).runEpoch(now: { 0 })
    }

    private let head = SearchTable.Head(
        seed: 1, method: "halving", trials: 3, rungs: 2, keepOneIn: 3, space: ["train.epochs": "1..5"], settings: ["train.seed": "1"],
        snapshot: "abc")

    private func trial(_ number: Int, rung: Int = 0, ndcg: Double? = nil) -> SearchTable.Trial {
        SearchTable.Trial(trial: number, rung: rung, epochs: 2, settings: ["train.epochs": "\(number)"], ndcg: ndcg, seconds: 1)
    }

    @Test("a table of trials goes on where it was, and only for the same search")
    func searchTable() throws {
        let test = Folder(), path = test.path + "/deep/trials.jsonl"
        var table = try SearchTable(path: path, head: head)
        try table.append(trial(0, ndcg: 0.25))
        try table.append(trial(1, ndcg: 0.5))
        try table.append(trial(1, rung: 1, ndcg: 0.75))
        try table.append(trial(2))
        #expect(table.scores(rung: 0) == [0: 0.25, 1: 0.5] && table.trial(1, rung: 1)?.ndcg == 0.75 && table.trial(0, rung: 1) == nil)
        let again = try SearchTable(path: path, head: head)
        #expect(again.trials.map(\.trial) == [0, 1, 1, 2] && again.trials[1].settings == ["train.epochs": "1"])
        // The end of the last line is lost to a kill; what follows is written on a line of its own.
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try String(text.dropLast(9)).write(toFile: path, atomically: true, encoding: .utf8)
        var cut = try SearchTable(path: path, head: head)
        #expect(cut.trials.map(\.trial) == [0, 1, 1])
        try cut.append(trial(2, ndcg: 0.1))
        #expect(try SearchTable(path: path, head: head).scores(rung: 0)[2] == 0.1)
        var other = head
        other.snapshot = "def"
        #expect { _ = try SearchTable(path: path, head: other) } throws: {
            "\($0)".contains("of a search with other ranges, settings or data")
        }
        try "nonsense\n".write(toFile: path, atomically: true, encoding: .utf8)
        #expect { _ = try SearchTable(path: path, head: head) } throws: { "\($0)".contains("is no table of trials") }
        #expect { _ = try SearchTable(path: "/proc/nowhere/trials", head: head) } throws: {
            "\($0)".contains("cannot write /proc/nowhere/trials")
        }
    }

    @Test(
        "a file of rank 0 comes to whom it is missing, whole, and nothing is sent where all have it",
        arguments: [[true, false], [false, false]])
    func sharedFile(missing: [Bool]) throws {
        let test = Folder()
        try FileManager.default.createDirectory(atPath: test.path, withIntermediateDirectories: true)
        // More than one block.
        let bytes = Data((0..<(17 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }), path = test.path
        try bytes.write(to: URL(fileURLWithPath: path + "/own"))
        let found = try MemoryRanks.run(3) { rank -> Data? in
            if rank.rank == 0 {
                try SharedFile(rank).give(path + "/own", bytes: bytes.count)
                return nil
            }
            let target = path + "/rank\(rank.rank)"
            try SharedFile(rank).take(bytes: bytes.count, into: target, isMissing: missing[rank.rank - 1])
            return FileManager.default.contents(atPath: target)
        }
        #expect(found[0] == nil && found[1] == (missing[0] ? bytes : nil) && found[2] == nil)
    }

    @Test("a checkpoint reaches every rank as it is")
    func checkpoint() throws {
        let own = Checkpoint(
            settings: ["seed": "3"], counters: ["epoch": 2],
            tensors: [NamedTensor(name: "a", shape: [2, 2], values: [1, -2, 0.5, 4]), NamedTensor(name: "none", shape: [0, 3], values: [])])
        let found = try MemoryRanks.run(2) { rank in try rank.broadcast(rank.rank == 0 ? own : nil as Checkpoint?) }
        #expect(found.allSatisfy { $0.settings == own.settings && $0.counters == own.counters && $0.tensors == own.tensors })
    }

    @Test("temporary files of programs that are gone are swept away, those of others stay")
    func sweep() throws {
        let test = Folder()
        try FileManager.default.createDirectory(atPath: test.path, withIntermediateDirectories: true)
        // No process has a number beyond the largest that the system gives.
        let kept = [
            "freshet-evaluate-\(ProcessInfo.processInfo.processIdentifier)", "freshet-evaluate-", "other-2000000000", "freshet-shop-x"
        ]
        let gone = ["freshet-evaluate-2000000000", "freshet-replay-2000000001-columns", "freshet-shop-2000000002"]
        for name in kept + gone { try Data().write(to: URL(fileURLWithPath: test.path + "/" + name)) }
        TrainingLeftovers.sweepTemporary(test.path)
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: test.path)) == Set(kept))
        TrainingLeftovers.sweepTemporary(test.path + "/missing")
    }
}

import Console
import Foundation
import Learning
import RankSupport
import Synchronization
import Testing
import TowerModel
import TowerTraining
import TrainingFiles

@Suite("Ranks of one training follow the first")
struct TrainingRanksTests {
    /// What a rank came to.
    private struct End: Sendable {
        var numbers: [[Float]] = []
        var state: String = ""
    }

    /// A training of two ranks that both read the file of a log; the end of both.
    private static func train(
        _ log: TrainingLog, stopAt epoch: Int = .max, leavingOut users: [Int] = [], from test: TestFolder
    ) throws -> [End] {
        let path = test.folder.logPath, root = test.folder.path
        _ = try TrainingFile.written(log, at: path)
        let towers = try SmallSettings.towers([("epochs", "2")])
        return try MemoryRanks.run(2) { rank in
            let ranks = TrainingRanks(rank), stop = StopSignal()
            guard ranks.isLeader else {
                do {
                    try ranks.run { try FollowingRank(root: root, ranks: ranks, stop: stop).run() }
                    return End(state: "ended")
                } catch {
                    return End(state: "\(error)")
                }
            }
            return try ranks.run {
                let folder = TrainingFolder(path: root)
                let file = try TrainingFile(path: path)
                try ranks.share(file, at: path, leavingOut: users)
                let log = try file.log.leavingOut(Set(users), columnsAt: root + "/kept")
                let stages = TrainingStages(
                    settings: SmallSettings.learning(), folder: folder, log: log, towers: towers, logger: .silent, stop: stop, ranks: ranks,
                    teacher: nil
                ) { if $0.epoch >= epoch { stop.raise() } }
                var state = folder.read() ?? TrainingFolder.State(stage: .judged, settings: [:])
                do {
                    let bundle = try stages.train(&state) { .none }
                    return End(numbers: bundle.model.tensors.map(\.values), state: "trained")
                } catch {
                    return End(state: "\(error)")
                }
            }
        }
    }

    @Test("two ranks give one model, and the second ends when the first asks nothing more")
    func together() throws {
        let log = PlantedLog.tastes(users: 30), folder = try TestFolder()
        let ends = try Self.train(log, from: folder)
        #expect(ends.map(\.state) == ["trained", "ended"] && !ends[0].numbers.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder.folder.path + "/training-rank-1"))
        let again = try Self.train(log, from: try TestFolder())
        #expect(again[0].numbers == ends[0].numbers)
        let without = try Self.train(log, leavingOut: [3], from: try TestFolder())
        #expect(without.map(\.state) == ["trained", "ended"] && without[0].numbers != ends[0].numbers)
    }

    @Test("a stop is common, and the run goes on from its checkpoint to the same model")
    func stopped() throws {
        let log = PlantedLog.tastes(users: 30), folder = try TestFolder()
        let whole = try Self.train(log, from: try TestFolder())
        let cut = try Self.train(log, stopAt: 2, from: folder)
        #expect(cut[0].state.contains("--resume goes on from there") && cut[1].state == "ended")
        #expect(try Self.train(log, from: folder)[0].numbers == whole[0].numbers)
    }

    @Test("a rank that fails alone ends all, one that fails after the end does not")
    func aborted() throws {
        let aborted = Mutex<[Int32]>([])
        struct Wrong: Error {}
        let states = try MemoryRanks.run(2) { rank in
            let left = Mutex(0)
            let ranks = TrainingRanks(
                rank,
                leaving: TrainingRanks.Leaving(
                    abort: { status in aborted.withLock { $0.append(status) } }, leave: { left.withLock { $0 += 1 } }))
            do {
                try ranks.run {
                    if rank.rank == 0 { throw Wrong() }
                }
                return "ended \(left.withLock { $0 })"
            } catch {
                return "failed \(left.withLock { $0 })"
            }
        }
        #expect(states == ["failed 1", "ended 1"] && aborted.withLock { $0 } == [1])
        let alone = TrainingRanks(SingleRank(), leaving: TrainingRanks.Leaving(abort: { status in aborted.withLock { $0.append(status) } }))
        #expect(throws: Wrong.self) { try alone.run { throw Wrong() } }
        #expect(aborted.withLock { $0 } == [1], "there is nobody else to end")
    }

    @Test("ranks with different data refuse to learn together")
    func different() throws {
        let states = try MemoryRanks.run(2) { rank in
            let set = try PlantedLog.chain(users: 10 + rank.rank, events: 4).trainingSet(columnsAt: SmallSettings.path("columns"))
            do {
                try TrainingRanks(rank).check(set)
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(states.allSatisfy { $0.contains("rank 1 has 44 interactions to learn from and rank 0 has 40") })
    }
}

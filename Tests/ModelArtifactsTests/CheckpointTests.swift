import Foundation
import ModelArtifacts
import Testing
import TowerModel
import TowerTraining

struct CheckpointTests {
    @Test func aRunGoesOnFromItsCheckpointAsIfNothingHadHappened() throws {
        let folder = try Folder()
        let store = CheckpointStore(root: folder.path)
        #expect(try store.newest() == nil)
        let trainer = try tinyTrainer()
        _ = trainer.runEpoch(now: { 0 })
        let checkpoint = trainer.checkpoint()
        try store.write(checkpoint)
        guard let read = try store.newest() else {
            Issue.record("no checkpoint")
            return
        }
        #expect(read == checkpoint)
        let resumed = try Trainer(tinySet(), resuming: read)
        _ = resumed.runEpoch(now: { 0 })
        _ = trainer.runEpoch(now: { 0 })
        #expect(resumed.model().tensors == trainer.model().tensors)
    }

    @Test func theLastTwoAreKept() throws {
        let folder = try Folder()
        let store = CheckpointStore(root: folder.path)
        for step in 1...5 {
            try store.write(
                Checkpoint(
                    settings: ["a": "b"], counters: ["step": Int64(step), "largest": .max, "smallest": .min],
                    tensors: [NamedTensor(name: "t", shape: [1], values: [Float(step)])]))
        }
        #expect(store.names() == ["checkpoint-00000004", "checkpoint-00000005"])
        let newest = try store.newest()
        #expect(newest?.counters == ["step": 5, "largest": .max, "smallest": .min])
        #expect(newest?.tensors.first?.values == [5])
        store.removeAll()
        #expect(try folder.names().isEmpty)
    }

    @Test func oddTensorsKeepTheirBits() throws {
        let folder = try Folder()
        let store = CheckpointStore(root: folder.path)
        let values: [Float] = [.nan, .infinity, -0.0, .leastNonzeroMagnitude, Float(bitPattern: 0x7FC0_1234), 1]
        let tensors = [
            NamedTensor(name: "z/first", shape: [2, 3], values: values), NamedTensor(name: "empty", shape: [0, 4], values: []),
            NamedTensor(name: "a \"quoted\" ü", shape: [1, 1, 1], values: [7]), NamedTensor(name: "none", shape: [], values: [3]),
        ]
        try store.write(Checkpoint(settings: [:], counters: [:], tensors: tensors))
        let read = try store.newest()?.tensors ?? []
        #expect(Set(read.map(\.name)) == Set(tensors.map(\.name)))
        for tensor in tensors {
            let same = read.first { $0.name == tensor.name }
            #expect(same?.shape == tensor.shape)
            #expect(same?.values.map(\.bitPattern) == tensor.values.map(\.bitPattern))
        }
        let twice = Checkpoint(settings: [:], counters: [:], tensors: [tensors[0], tensors[0]])
        #expect(code { try store.write(twice) } == .unusable)
        #expect(store.names().count == 1)
    }

    @Test func aDamagedCheckpointIsRefusedByName() throws {
        let folder = try Folder()
        let store = CheckpointStore(root: folder.path)
        let tensor = NamedTensor(name: "t", shape: [40], values: [Float](repeating: 1, count: 40))
        try store.write(Checkpoint(settings: [:], counters: [:], tensors: [tensor]))
        try store.write(Checkpoint(settings: [:], counters: [:], tensors: [tensor]))
        let name = "checkpoint-00000002/checkpoint.safetensors"
        var bytes = try folder.bytes(name)
        bytes[bytes.count - 3] ^= 4
        try folder.write(bytes, name)
        do {
            _ = try store.newest()
            Issue.record("a damaged checkpoint was read")
        } catch {
            #expect(error.code == .damaged)
            #expect(error.path.hasSuffix(name))
        }
        #expect(try store.read(path: "\(folder.path)/checkpoint-00000001").tensors == [tensor])
    }
}

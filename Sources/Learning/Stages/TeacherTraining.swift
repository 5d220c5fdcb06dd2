import Console
import FeatureStore
import Foundation
import ModelArtifacts
import Tensors
import TowerModel
import TowerTraining
import TrainingFiles

/// A registered version that a smaller model learns from beside what happened (`train --teacher`).
struct TeacherTraining {
    let version: Int
    /// Whether it may have learned from what the run holds out.
    let knowsHoldout: Bool
    private let model: TwoTowerModel

    /// The version that the configuration names; nil where it names none.
    init?(_ configuration: Configuration, store: StoreQueries) throws {
        let version = configuration.integer("train.teacher")
        guard version > 0 else { return nil }
        guard let registered = try store.model(Int32(clamping: version)) else {
            throw CommandFailure("there is no version \(version) to learn from (train.teacher); freshet models list shows all")
        }
        self.version = version
        model = try configuration.artifactStore.artifact(of: registered).model
        let settings = try? JSONSerialization.jsonObject(with: Data(registered.configuration.utf8)) as? [String: String]
        knowsHoldout = settings?["train.final_fit"] != "false"
    }

    /// What the teacher says of a training set: its vector of the user before every event, in a file that is mapped and has no name.
    func teacher(of set: TrainingSet, at path: String, threads: Int) throws -> Teacher {
        let items = model.teacherItems(set, threads: threads), width = model.dimension
        let file = try ColumnFile(creating: path)
        file.unlinkPath()
        try file.reserve(bytes: set.eventCount * width * MemoryLayout<Float>.stride)
        let mapping = try file.map(writable: true)
        let vectors = mapping.mutableBytes.bindMemory(to: Float.self)
        if let start = vectors.baseAddress {
            parallelFor(count: set.userCount, threads: threads) { users, _ in
                for user in users { model.encodeBefore(user: user, of: set, items: items, into: start + set.userStarts[user] * width) }
            }
        }
        return Teacher(items: items, users: Column(UnsafeBufferPointer(vectors), keptBy: mapping))
    }
}

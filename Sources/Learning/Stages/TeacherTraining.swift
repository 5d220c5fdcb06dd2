import Tensors
import TowerModel
import TowerTraining
import TrainingFiles

/// A registered version that a smaller model learns from beside what happened (`train --teacher`).
package struct TeacherTraining {
    /// Its number in the registry.
    package let version: Int
    /// Whether it may have learned from what the run holds out.
    package let knowsHoldout: Bool
    private let model: TwoTowerModel

    /// A version of the registry.
    package init(version: Int, model: TwoTowerModel, knowsHoldout: Bool) {
        self.version = version
        self.model = model
        self.knowsHoldout = knowsHoldout
    }

    /// What the teacher says of a training set: its vector of the user before every event, in a file that is mapped and has no name.
    package func teacher(of set: TrainingSet, at path: String, threads: Int) throws -> Teacher {
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

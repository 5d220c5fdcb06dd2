import Console
import Foundation
import Interactions
import Learning
import Logging
import Recommending
import TowerModel
import TrainingFiles

/// A folder for one training, which goes with the test.
final class TestFolder {
    let folder: TrainingFolder

    init() throws {
        folder = TrainingFolder(path: SmallSettings.path("training"))
        try folder.clear()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.path) }
}

extension Logger {
    /// Says nothing.
    static var silent: Logger { Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() } }
}

extension ModelBundle {
    /// All numbers of it, to compare two.
    var numbers: [[Float]] {
        model.tensors.map(\.values) + (blend.map { [$0.weights.values, $0.tables.popularity, $0.tables.recentPopularity] } ?? [])
            + (heads.map { [$0.weights.parameters] } ?? []) + (channel.map { [$0.weights] } ?? [])
            + (model.domains.map { [$0.values] } ?? [])
    }
}

extension TrainingFile {
    /// The file of a log that a test made; contents are titles and categories.
    static func written(_ log: TrainingLog, at path: String) throws -> TrainingFile {
        var writer = try TrainingFileWriter(path: path, userStarts: log.userStarts)
        for row in 0..<log.count {
            try writer.append(item: log.items[row], type: log.types[row], time: log.times[row], amount: log.amounts[row])
        }
        try writer.finish(
            items: zip(log.itemIDs, log.contents).map { ItemRecord(itemID: $0, title: $1.title, categories: $1.categories) },
            users: log.userIDs.map { UserRecord(userID: $0) }, watermark: #"{"snapshot":"1:1:"}"#, newRows: log.newRows)
        return try TrainingFile(path: path)
    }
}

import ContentModel
import Foundation
import ModelArtifacts
import TowerModel
import TowerTraining

/// A few users and items.
func tinySet() -> TrainingSet {
    var builder = TrainingSet.Builder()
    for item in 0..<8 {
        builder.addItem(
            "item \(item) ü", content: ItemContent(title: "Title \(item)", categories: [item % 2 == 0 ? "even" : "odd"]))
    }
    for user in 0..<6 {
        builder.addUser("u\(user)", attributes: ["age=\(20 + user)"])
        for step in 0..<6 {
            builder.append(
                user: "u\(user)", item: "item \((user + step * 2) % 8) ü", type: 1, time: Int64(1_000 * step + user))
        }
    }
    return builder.build()
}

/// Trains a model that is small enough to damage it in hundreds of places.
func tinyTrainer(seed: Int = 1, _ more: [(String, String)] = []) throws -> Trainer {
    var configuration = TowerConfiguration()
    let settings = [
        ("dimension", "8"), ("heads", "1"), ("hidden", "8"), ("content_hidden", "8"), ("text_buckets", "64"),
        ("tag_buckets", "64"), ("user_buckets", "64"), ("history_length", "8"), ("epochs", "2"), ("batch_size", "16"),
        ("threads", "1"), ("seed", "\(seed)"),
    ]
    for (key, value) in settings + more { try configuration.set(key, value) }
    return try Trainer(tinySet(), configuration: configuration)
}

/// A directory that is removed with its owner.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("artifacts-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    func names(_ directory: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(directory)").sorted()
    }
}

/// The code of the error that `body` throws, or nil.
func code(_ body: () throws -> Void) -> ArtifactError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? ArtifactError)?.code
    }
}

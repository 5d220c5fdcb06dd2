import Foundation
import TowerModel
import TowerTraining

/// What a checkpoint says of itself when it goes to other ranks; its floats follow.
private struct CheckpointHeader: Codable {
    struct Part: Codable {
        var name: String
        var shape: [Int]
    }

    var settings: [String: String]
    var counters: [String: Int64]
    var parts: [Part]

    init(_ checkpoint: Checkpoint) {
        (settings, counters) = (checkpoint.settings, checkpoint.counters)
        parts = checkpoint.tensors.map { Part(name: $0.name, shape: $0.shape) }
    }
}

extension RankGroup {
    /// Rank 0's checkpoint; the others give nil.
    package func broadcast(_ checkpoint: Checkpoint?) throws -> Checkpoint {
        let own = try checkpoint.map { [UInt8](try JSONEncoder().encode(CheckpointHeader($0))) }
        let header = try JSONDecoder().decode(CheckpointHeader.self, from: Data(broadcast(own ?? [])))
        var tensors: [NamedTensor] = []
        for (index, part) in header.parts.enumerated() {
            var values = checkpoint?.tensors[index].values ?? [Float](repeating: 0, count: part.shape.reduce(1, *))
            try values.withUnsafeMutableBytes { if let start = $0.baseAddress, $0.count > 0 { try broadcast(start, count: $0.count) } }
            tensors.append(NamedTensor(name: part.name, shape: part.shape, values: values))
        }
        return Checkpoint(settings: header.settings, counters: header.counters, tensors: tensors)
    }
}

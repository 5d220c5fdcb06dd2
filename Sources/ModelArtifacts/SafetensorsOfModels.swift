import Tensors
import TowerModel

/// Tensors of towers and checkpoints: floats, of which some are kept in 8 bits, as whole numbers (`I8`) and the scales of their rows,
/// NAME.scale (`BF16`), which are read as floats.
extension Safetensors {
    private static let scaleEnding = ".scale"

    /// - Parameter int8: names of tensors that are written in 8 bits.
    static func write(
        _ tensors: [NamedTensor], int8: Set<String> = [], to file: inout DurableFile, path: String
    ) throws(ArtifactError) {
        var part = PartTensors(), names = Set<String>()
        func add(_ name: String, _ shape: [Int], _ values: PartTensors.Values) throws(ArtifactError) {
            guard names.insert(name).inserted else { throw ArtifactError(.unusable, path: path, "two tensors are named \(name).") }
            part.add(PartTensors.Tensor(name: name, shape: shape, values: values))
        }
        for tensor in tensors {
            guard int8.contains(tensor.name), !tensor.values.isEmpty else {
                try add(tensor.name, tensor.shape, .float32(tensor.values))
                continue
            }
            let rows = Int8Rows(tensor.values, rows: tensor.shape.first ?? 0)
            // A scale is a bfloat16 already.
            try add(tensor.name + scaleEnding, [rows.scales.count, 1], .bfloat16(rows.scales))
            try add(tensor.name, tensor.shape, .int8(rows.codes))
        }
        try write(part, to: &file, path: path)
    }

    /// The tensors, in the order of their data, as floats.
    static func readFloats(_ bytes: UnsafeRawBufferPointer, path: String) throws(ArtifactError) -> [NamedTensor] {
        func damaged(_ what: String) -> ArtifactError {
            ArtifactError(.damaged, path: path, "\(what). Restore the file, or train again.")
        }
        let part = try read(bytes, path: path)
        var scales: [String: [Float]] = [:], tensors: [NamedTensor] = []
        for tensor in part.tensors {
            if case .bfloat16(let values) = tensor.values { scales[tensor.name] = values }
        }
        for tensor in part.tensors {
            switch tensor.values {
            case .bfloat16: continue
            case .float32(let values): tensors.append(NamedTensor(name: tensor.name, shape: tensor.shape, values: values))
            case .int8(let codes):
                guard let own = scales.removeValue(forKey: tensor.name + scaleEnding), own.count == tensor.shape.first else {
                    throw damaged("tensor \(tensor.name) has not one scale a row")
                }
                tensors.append(NamedTensor(name: tensor.name, shape: tensor.shape, values: Int8Rows(codes: codes, scales: own).values))
            default: throw damaged("tensor \(tensor.name) is of a kind of numbers that towers do not have")
            }
        }
        if let name = scales.keys.min() { throw damaged("\(name) is the scale of no tensor") }
        return tensors
    }
}

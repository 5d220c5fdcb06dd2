import Tensors

/// A part of a model with one thing wrong, in every way that a file may hold under a right checksum.
public struct PartDamage: Sendable {
    /// What is wrong, for messages.
    public let what: String
    /// The damaged part.
    public let part: PartTensors
    /// The tensor that is not there; nil for other damages.
    public let missing: String?

    /// Each tensor missing, one number shorter, one longer, of another kind and with numbers that are none; one too many; other versions.
    public static func all(of part: PartTensors) -> [PartDamage] {
        var found: [PartDamage] = []
        func add(_ what: String, _ tensors: [PartTensors.Tensor], texts: [String: String]? = nil, missing: String? = nil) {
            found.append(PartDamage(what: what, part: PartTensors(tensors: tensors, texts: texts ?? part.texts), missing: missing))
        }
        for (place, tensor) in part.tensors.enumerated() {
            func with(_ shape: [Int], _ values: PartTensors.Values) -> [PartTensors.Tensor] {
                var tensors = part.tensors
                tensors[place] = PartTensors.Tensor(name: tensor.name, shape: shape, values: values)
                return tensors
            }
            var others = part.tensors
            others.remove(at: place)
            add("without \(tensor.name)", others, missing: tensor.name)
            let longer = tensor.values.resized(by: 1)
            add("\(tensor.name) longer", with([longer.count], longer))
            if tensor.values.count > 0 {
                let shorter = tensor.values.resized(by: -1)
                add("\(tensor.name) shorter", with([shorter.count], shorter))
                let odd = tensor.values.withoutNumbers
                if let odd { add("\(tensor.name) not finite", with(tensor.shape, odd)) }
            }
            add("\(tensor.name) of another kind", with(tensor.shape, tensor.values.ofAnotherKind))
        }
        add("one too many", part.tensors + [PartTensors.Tensor(name: "unheard_of", shape: [1], values: .float32([1]))])
        for version in [nil, "0", "2", "x"] {
            var texts = part.texts
            texts[PartTensors.versionName] = version
            add("version \(version ?? "none")", part.tensors, texts: texts)
        }
        return found
    }
}

extension PartTensors.Values {
    fileprivate func resized(by change: Int) -> PartTensors.Values {
        func moved<Element>(_ values: [Element], _ more: Element) -> [Element] { change > 0 ? values + [more] : Array(values.dropLast()) }
        return switch self {
        case .float32(let values): .float32(moved(values, 1))
        case .bfloat16(let values): .bfloat16(moved(values, 1))
        case .int8(let values): .int8(moved(values, 1))
        case .uint8(let values): .uint8(moved(values, 1))
        case .int32(let values): .int32(moved(values, 0))
        case .int64(let values): .int64(moved(values, 1))
        case .uint64(let values): .uint64(moved(values, 1))
        }
    }

    fileprivate var withoutNumbers: PartTensors.Values? {
        switch self {
        case .float32(let values): .float32([.nan] + values.dropFirst())
        case .bfloat16(let values): .bfloat16(values.dropLast() + [.infinity])
        default: nil
        }
    }

    fileprivate var ofAnotherKind: PartTensors.Values {
        if case .float32(let values) = self { return .bfloat16(values) }
        return .float32([Float](repeating: 0, count: count))
    }
}

import Tensors

extension PartTensors.Tensor {
    /// The same tensor cut, emptied, and with numbers that cannot be.
    var forgeries: [PartTensors.Tensor] {
        func made<Number>(_ values: [Number], odd: [Number], _ kind: ([Number]) -> PartTensors.Values) -> [PartTensors.Tensor] {
            var lists = [Array(values.dropLast()), [], Array(values.reversed())]
            for number in odd where !values.isEmpty {
                var other = values
                other[other.count / 2] = number
                lists.append(other)
                other[0] = number
                lists.append(other)
            }
            return lists.map { PartTensors.Tensor(name: name, shape: [$0.count], values: kind($0)) }
        }
        switch values {
        case .float32(let values): return made(values, odd: [.nan, .infinity, -1e30, 0]) { .float32($0) }
        case .int32(let values): return made(values, odd: [-2, .max, .min]) { .int32($0) }
        case .int64(let values): return made(values, odd: [-1, .max, .min]) { .int64($0) }
        case .uint8(let values): return made(values, odd: [7, 255]) { .uint8($0) }
        default: return []
        }
    }
}

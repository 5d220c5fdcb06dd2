import Tensors

extension LinkSums {
    /// The places of the largest values.
    static func top(_ count: Int, _ values: UnsafeBufferPointer<Float>) -> [Int32] {
        guard let start = values.baseAddress else { return [] }
        return Kernels.topK(count, of: start, count: values.count).map(\.index)
    }
}

/// Calls of the C++ shim: a code and a sentence become an error.
enum ShimCall {
    /// Runs `body` with room for a sentence and throws what its code says.
    static func run(
        _ task: @autoclosure () -> String, _ body: (UnsafeMutablePointer<CChar>?, Int) -> Int32
    ) throws(VectorIndexError) {
        var message = [CChar](repeating: 0, count: 512)
        let code = message.withUnsafeMutableBufferPointer { body($0.baseAddress, $0.count) }
        guard code != 0 else { return }
        let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let detail = "Cannot \(task()): \(String(decoding: text, as: UTF8.self))."
        switch code {
        case 1: throw VectorIndexError(.outOfMemory, detail)
        case 2: throw VectorIndexError(.invalidInput, detail)
        default: throw VectorIndexError(.failed, detail)
        }
    }
}

import Tensors

/// Why bytes are no adapter.
public struct CategoryFormatError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence: what is wrong and what to do.
    public var description: String
}

/// Floats with a magic and their counts, little-endian: `magic, count of arrays, each count, each array's floats`.
enum FloatArrays {
    static let arraysLimit = 64, floatsLimit = 1 << 24

    static func encoded(_ magic: String, _ arrays: [[Float]]) -> [UInt8] {
        var bytes = Array(magic.utf8)
        func append(_ word: UInt32) {
            for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        append(UInt32(arrays.count))
        for array in arrays { append(UInt32(array.count)) }
        for array in arrays { for value in array { append(value.bitPattern) } }
        return bytes
    }

    static func decoded(_ magic: String, _ bytes: [UInt8]) throws(CategoryFormatError) -> [[Float]] {
        let start = Array(magic.utf8)
        guard bytes.starts(with: start) else {
            throw CategoryFormatError(description: "these bytes are no adaptation of this version. Train or adapt again.")
        }
        var at = start.count
        func word() throws(CategoryFormatError) -> UInt32 {
            guard at + 4 <= bytes.count else {
                throw CategoryFormatError(description: "an adaptation is cut short. Adapt again, or restore the file.")
            }
            defer { at += 4 }
            return (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
        }
        let count = Int(try word())
        guard count <= arraysLimit else {
            throw CategoryFormatError(description: "an adaptation of \(count) arrays is damaged. Adapt again.")
        }
        var counts: [Int] = []
        for _ in 0..<count { counts.append(Int(try word())) }
        guard counts.reduce(0, +) <= floatsLimit, at + 4 * counts.reduce(0, +) == bytes.count else {
            throw CategoryFormatError(description: "an adaptation has another length than it says. Adapt again, or restore the file.")
        }
        var arrays: [[Float]] = []
        for count in counts {
            var array: [Float] = []
            array.reserveCapacity(count)
            for _ in 0..<count { array.append(Float(bitPattern: try word())) }
            guard array.allSatisfy(\.isFinite) else {
                throw CategoryFormatError(description: "an adaptation holds numbers that are not finite. Adapt again.")
            }
            arrays.append(array)
        }
        return arrays
    }
}

extension CategoryAdapter {
    private static let magic = "FRADAPT1"

    /// The adapter as bytes.
    public func encoded() -> [UInt8] { FloatArrays.encoded(Self.magic, [head, scale, categoryVector, [offset]]) }

    /// An adapter from its bytes.
    ///
    /// - Throws: where they are cut short, of another version, or of shapes that do not fit.
    public init(encoded bytes: [UInt8]) throws(CategoryFormatError) {
        let arrays = try FloatArrays.decoded(Self.magic, bytes)
        guard arrays.count == 4, arrays[0].count == CategoryPart.count, arrays[1].count == arrays[2].count, arrays[3].count == 1 else {
            throw CategoryFormatError(description: "an adapter has other parts than this program knows. Adapt again.")
        }
        self.init([Matrix(row: arrays[0]), Matrix(row: arrays[1]), Matrix(row: arrays[2])], offset: arrays[3][0])
    }
}

extension CategoryStarts {
    private static let version = 1
    private static let names = ["plain", "meta", "meta_log_rates"]
    /// The parameters of an adapter, in its order.
    private static let parameters = ["head", "scale", "category"]

    /// The starts as tensors.
    public func encoded() -> PartTensors {
        var part = PartTensors(version: Self.version)
        part.add("steps", integers: [steps])
        part.add("proximity", [proximity])
        part.add("plain_rate", [plainRate])
        for (name, matrices) in zip(Self.names, [plain, meta, metaLogRates]) {
            for (parameter, matrix) in zip(Self.parameters, matrices) { part.add("\(name).\(parameter)", matrix.values) }
        }
        return part
    }

    /// Starts from their tensors.
    ///
    /// - Throws: where one is missing, unknown, of another version or length, or holds numbers that cannot be.
    public init(encoded part: PartTensors) throws(PartFormatError) {
        var reader = try PartReader(part, of: "the starts of adaptations", version: Self.version)
        let steps = try reader.integer("steps", in: 0...100)
        let proximity = try reader.floats("proximity", count: 1)[0], rate = try reader.floats("plain_rate", count: 1)[0]
        var columns: [[[Float]]] = []
        for name in Self.names {
            var own: [[Float]] = []
            for parameter in Self.parameters { own.append(try reader.floats("\(name).\(parameter)")) }
            columns.append(own)
        }
        try reader.end()
        let rank = columns[0][1].count, sizes = [CategoryPart.count, rank, rank]
        let starts = columns[..<2].allSatisfy { $0.map(\.count) == sizes }
        // A rate for each element, or one for all.
        let rates = zip(columns[2], sizes).allSatisfy { $0.count == 1 || $0.count == $1 }
        guard rank > 0, starts, rates else { throw reader.failure("have other parts than this program knows") }
        let matrices = columns.map { $0.map { Matrix(row: $0) } }
        self.init(
            plain: matrices[0], plainRate: rate, meta: matrices[1], metaLogRates: matrices[2], steps: steps, proximity: proximity)
    }
}

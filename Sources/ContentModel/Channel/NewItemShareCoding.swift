import Tensors

extension NewItemShare {
    private static let version = 1

    /// The share's numbers as tensors.
    func encoded() -> PartTensors {
        var part = PartTensors(version: Self.version)
        part.add("numbers", [error, knownWorth, surprise])
        part.add("start", .int64([start]))
        part.add("reception", integers: [reception.rawValue])
        part.add("untaken", .uint64(untaken))
        part.add("questions.lengths", .int32(questions.map { Int32($0.items.count) }))
        part.add("questions.items", .int32(questions.flatMap(\.items)))
        part.add("questions.types", .int32(questions.flatMap(\.types).map { Int32($0) }))
        part.add("questions.ages", .int32(questions.flatMap(\.ages)))
        part.add("questions.excluded", .int32(questions.flatMap(\.excluded)))
        part.add("questions.excluded_lengths", .int32(questions.map { Int32($0.excluded.count) }))
        return part
    }

    /// A share from its tensors.
    ///
    /// - Throws: where one is missing, unknown, of another version or length, or holds numbers that cannot be.
    init(encoded part: PartTensors) throws(PartFormatError) {
        var reader = try PartReader(part, of: "the share of new items", version: Self.version)
        let numbers = try reader.floats("numbers", count: 3)
        guard numbers.allSatisfy({ $0 >= 0 }), 0.1...10 ~= numbers[2] else {
            throw reader.failure("holds numbers that no training finds")
        }
        let start = try reader.integer("start", in: Int.min...Int.max)
        let seen = try reader.integer("reception", in: 0...2)
        let untaken = try reader.hashes("untaken")
        guard zip(untaken, untaken.dropFirst()).allSatisfy({ $0 <= $1 }) else { throw reader.failure("names untaken items out of order") }
        let lengths = try reader.int32("questions.lengths", in: 0...Self.historyLimitEvents).map { Int($0) }
        guard lengths.count <= Self.questionsLimit else { throw reader.failure("has \(lengths.count) questions") }
        let count = lengths.reduce(0, +), rows = 0...Int(Int32.max)
        let items = try reader.int32("questions.items", count: count, in: rows)
        let types = try reader.int32("questions.types", count: count, in: 0...255).map { UInt8(clamping: $0) }
        let ages = try reader.int32("questions.ages", count: count, in: rows)
        let excludedLengths = try reader.int32("questions.excluded_lengths", count: lengths.count, in: 0...Self.excludedLimitItems)
            .map { Int($0) }
        let excluded = try reader.int32("questions.excluded", count: excludedLengths.reduce(0, +), in: rows)
        try reader.end()
        var questions: [Question] = [], at = 0, excludedAt = 0
        for (own, left) in zip(lengths, excludedLengths) {
            questions.append(
                Question(
                    items: Array(items[at..<at + own]), types: Array(types[at..<at + own]), ages: Array(ages[at..<at + own]),
                    excluded: Array(excluded[excludedAt..<excludedAt + left])))
            at += own
            excludedAt += left
        }
        self.init(
            error: numbers[0], knownWorth: numbers[1], start: Int64(start), surprise: numbers[2],
            reception: Reception(rawValue: seen) ?? .unknown, untaken: untaken, questions: questions)
    }
}

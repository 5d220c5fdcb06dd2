/// What a model scored on each question of its own evaluation, kept so that a later model can be compared on the questions that both were
/// asked, also where the former one cannot be asked any more.
///
/// A question is known by a hash of all that makes it: user, time, what was known, what was to be found, which rules held.
public struct RecordedAnswers: Sendable, Equatable {
    /// The metric, such as `NDCG@10`. Values of another one are never compared.
    public var metric: String
    /// The metric's value by the question's hash.
    public var values: [UInt64: Float]

    /// Answers beyond this many are not kept: 1.2 MB.
    public static let answersLimit = 100_000
    private static let mark: [UInt8] = Array("FQA1".utf8)

    /// Keeps the first ``answersLimit`` answers; those that are no finite numbers are left out.
    public init(metric: String, questions: [UInt64], values: [Double]) {
        precondition(questions.count == values.count, "\(questions.count) questions and \(values.count) answers")
        self.metric = metric
        self.values = Dictionary(
            zip(questions, values).lazy.filter { $0.1.isFinite }.prefix(Self.answersLimit).map { ($0, Float($1)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The values of the questions that both answered, in the order of `questions`.
    public func paired(with values: [Double], of questions: [UInt64]) -> (candidate: [Double], recorded: [Double]) {
        precondition(questions.count == values.count, "\(questions.count) questions and \(values.count) answers")
        var candidate: [Double] = [], recorded: [Double] = []
        for (question, value) in zip(questions, values) {
            guard let own = self.values[question] else { continue }
            candidate.append(value)
            recorded.append(Double(own))
        }
        return (candidate, recorded)
    }

    /// The bytes that the registry keeps: a mark, the metric's name with its length, then hash and value of each answer, little-endian, by
    /// hash.
    public func encoded() -> [UInt8] {
        let name = Array(metric.utf8.prefix(255))
        var bytes = Self.mark + [UInt8(name.count)] + name
        bytes.reserveCapacity(bytes.count + values.count * 12)
        for (question, value) in values.sorted(by: { $0.key < $1.key }) {
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: question >> UInt64(shift))) }
            for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(shift))) }
        }
        return bytes
    }

    /// Reads ``encoded()`` again; nil where the bytes are anything else, or a value is no finite number.
    public init?(decoding bytes: [UInt8]) {
        guard bytes.count > Self.mark.count, bytes.starts(with: Self.mark) else { return nil }
        let start = Self.mark.count + 1 + Int(bytes[Self.mark.count])
        guard bytes.count >= start, (bytes.count - start) % 12 == 0, (bytes.count - start) / 12 <= Self.answersLimit else { return nil }
        metric = String(decoding: bytes[(Self.mark.count + 1)..<start], as: UTF8.self)
        values = [:]
        for place in stride(from: start, to: bytes.count, by: 12) {
            var question: UInt64 = 0, bits: UInt32 = 0
            for offset in 0..<8 { question |= UInt64(bytes[place + offset]) << UInt64(8 * offset) }
            for offset in 0..<4 { bits |= UInt32(bytes[place + 8 + offset]) << UInt32(8 * offset) }
            let value = Float(bitPattern: bits)
            guard value.isFinite else { return nil }
            values[question] = value
        }
    }
}

import Bytes

/// Shares as people write them: `10-40`.
enum ShareText {
    static let whole = 0...100

    /// The least and the most, whole percent from 0 to 100; nil for anything else.
    static func range(_ text: String) -> ClosedRange<Int>? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { String($0.trimmingSpaces) }
        let numbers = parts.compactMap { NumberText.isWhole($0) ? Int($0) : nil }
        guard parts.count == 2, numbers.count == 2, numbers.allSatisfy(whole.contains), numbers[0] <= numbers[1] else { return nil }
        return numbers[0]...numbers[1]
    }

    /// What somebody may have meant.
    static func hint(_ text: String) -> String? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { String($0.trimmingSpaces) }
        let numbers = parts.compactMap { NumberText.isWhole($0) ? Int($0) : nil }.filter(whole.contains)
        guard numbers.count == parts.count else { return BooleanText.isFalse(text) ? "auto leaves it to the ranking" : nil }
        switch numbers.count {
        case 1: return "\(numbers[0])-100 is at least \(numbers[0]), 0-\(numbers[0]) at most, \(numbers[0])-\(numbers[0]) exactly"
        case 2: return "the least comes first: \(numbers[1])-\(numbers[0])"
        default: return nil
        }
    }
}

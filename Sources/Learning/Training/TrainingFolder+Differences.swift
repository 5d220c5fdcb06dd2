import TrainingFiles

extension TrainingFolder.State {
    /// Keys that are named where settings differ, at most.
    private static let namedDifferencesLimit = 5

    /// The keys in which a run that is to be resumed and this one differ, each with both values.
    static func differences(_ saved: [String: String], _ now: [String: String]) -> String {
        func shown(_ value: String?) -> String { value.map { "'\($0)'" } ?? "not set" }
        let keys = Set(saved.keys).union(now.keys).filter { saved[$0] != now[$0] }.sorted()
        let named = keys.prefix(namedDifferencesLimit).map { "\($0) was \(shown(saved[$0])) and is \(shown(now[$0]))" }
        let others = keys.count - named.count
        return (named + (others > 0 ? ["and \(others) more"] : [])).joined(separator: ", ")
    }
}

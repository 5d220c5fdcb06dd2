import Console
import Interactions

/// Changes something and asks until an answer shows it.
struct AnswerProbe: Sendable {
    let service: ServiceClient
    /// A change that no answer shows within it was made in vain.
    let limit: Duration
    /// Between two questions.
    let pause: Duration

    /// The first answer that shows a change, and how long after the change was begun it was there; nil where none came in time.
    ///
    /// - Parameters:
    ///   - change: sends the change.
    ///   - isShown: whether an answer shows it.
    func answer(
        userID: String, count: Int, category: String? = nil, after change: () async throws -> Void,
        until isShown: (ServiceClient.Answer) -> Bool
    ) async throws -> (answer: ServiceClient.Answer, took: Duration)? {
        let start = ContinuousClock.now
        try await change()
        return try await service.recommendations(
            userID: userID, count: count, category: category, since: start, within: limit, pause: pause, until: isShown)
    }
}

/// What became of changes, one after another: a measurement that only waits is ended with a sentence.
package struct ProbeTally: Sendable {
    /// So many in vain in a row are no chance.
    package static let limit = 5

    /// How long it took until an answer showed a change.
    package private(set) var shown = LatencySample()
    /// Changes that no answer showed in time.
    package private(set) var unseen = 0
    private var inARow = 0

    /// Nothing yet.
    package init() {}

    /// Counts a change.
    ///
    /// - Parameter took: until an answer showed it; nil where none did.
    /// - Throws: ``CommandFailure`` with `advice` after ``limit`` in vain in a row.
    package mutating func note(_ took: Duration?, _ advice: @autoclosure () -> String) throws {
        guard let took else {
            (unseen, inARow) = (unseen + 1, inARow + 1)
            if inARow >= Self.limit { throw CommandFailure("\(Self.limit) in a row \(advice())") }
            return
        }
        shown.add(took)
        inARow = 0
    }
}

extension ResultLine {
    /// Adds the median, the 99th percentile and the largest of a sample, in milliseconds.
    mutating func add(_ sample: LatencySample) {
        add("p50_ms", .number(sample.percentile(50)))
        add("p99_ms", .number(sample.percentile(99)))
        add("max_ms", .number(sample.percentile(100)))
    }
}

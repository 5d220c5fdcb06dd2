/// Begins work at a fixed rate, whether or not what was begun before has ended (open-loop).
///
/// A load that waits for answers before it asks again hides how long those wait who come meanwhile (coordinated omission): so each piece
/// of work has its time, and what it takes counts from then.
public struct OpenLoop: Sendable {
    /// Pieces of work that begin in a second; above 0.
    public let perSecond: Double

    /// Makes a loop.
    public init(perSecond: Double) {
        precondition(perSecond > 0, "a rate of \(perSecond) a second")
        self.perSecond = perSecond
    }

    /// Runs `work` for 0, 1, 2 …, each in a task of its own from when it is due, and returns when all have ended.
    ///
    /// - Parameters:
    ///   - count: how many; nil goes on until the task is cancelled.
    ///   - work: gets its number and when it was due.
    /// - Throws: the first error of `work`, which ends the others; `CancellationError` where the task was cancelled.
    public func run(
        count: Int? = nil, _ work: @escaping @Sendable (_ number: Int, _ due: ContinuousClock.Instant) async throws -> Void
    ) async throws {
        let start = ContinuousClock.now
        try await withThrowingDiscardingTaskGroup { group in
            var number = 0
            // A failure cancels what was begun, and is thrown once the loop ends.
            while !group.isCancelled, count.map({ number < $0 }) ?? true {
                let due = start + .seconds(Double(number) / perSecond)
                try await Task.sleep(until: due)
                let begun = number
                group.addTask { try await work(begun, due) }
                number += 1
            }
        }
        try Task.checkCancellation()
    }
}

import Synchronization
import Testing
import Workloads

@Suite(.timeLimit(.minutes(15))) struct OpenLoopTests {
    private struct Odd: Error {}

    private final class Tally: Sendable {
        let begun = Mutex<[(number: Int, due: ContinuousClock.Instant)]>([])
        var count: Int { begun.withLock { $0.count } }
    }

    @Test func nothingWaitsForWhatWasBegunBefore() async throws {
        let tally = Tally()
        // Each ends only once all have begun: a loop that waited would never end.
        try await OpenLoop(perSecond: 2_000).run(count: 40) { number, due in
            tally.begun.withLock { $0.append((number, due)) }
            while tally.count < 40 { try await Task.sleep(for: .milliseconds(1)) }
        }
        #expect(tally.begun.withLock { Set($0.map(\.number)) } == Set(0..<40))
    }

    @Test func eachHasItsTimeAndNoneBeginsBefore() async throws {
        let tally = Tally()
        let early = Mutex(0)
        try await OpenLoop(perSecond: 200).run(count: 20) { number, due in
            if ContinuousClock.now < due { early.withLock { $0 += 1 } }
            tally.begun.withLock { $0.append((number, due)) }
        }
        let begun = tally.begun.withLock { $0.sorted { $0.number < $1.number } }
        #expect(early.withLock { $0 } == 0)
        for (earlier, later) in zip(begun, begun.dropFirst()) {
            #expect(abs((earlier.due.duration(to: later.due) - .milliseconds(5)) / .milliseconds(1)) < 0.01)
        }
    }

    @Test func theFirstFailureEndsTheLoop() async throws {
        let tally = Tally()
        do {
            try await OpenLoop(perSecond: 1_000).run { number, due in
                tally.begun.withLock { $0.append((number, due)) }
                if number == 5 { throw Odd() }
                try await Task.sleep(for: .seconds(600))
            }
            Issue.record("it goes on")
        } catch is Odd {}
        #expect(tally.count >= 6)
    }

    @Test func withoutACountItGoesOnUntilItIsCancelled() async throws {
        let tally = Tally()
        let loop = Task {
            try await OpenLoop(perSecond: 1_000).run { number, due in tally.begun.withLock { $0.append((number, due)) } }
        }
        while tally.count < 30 { try await Task.sleep(for: .milliseconds(1)) }
        loop.cancel()
        await #expect(throws: CancellationError.self) { try await loop.value }
    }
}

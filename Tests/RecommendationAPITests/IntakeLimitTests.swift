import RecommendationAPI
import Testing

@Suite("Intake has bounds of its own and fails fast")
struct IntakeLimitTests {
    @Test func requestsAndBytesAreBoundedAndGivenBack() async throws {
        let limit = IntakeLimit(maxRequests: 2, maxBytes: 100)
        try await limit.hold(bytes: 60) {
            await #expect(throws: ServiceError.self) { try await limit.hold(bytes: 41) {} }
            try await limit.hold(bytes: 40) {
                #expect(limit.waitingRequests == 2 && limit.waitingBytes == 100)
                let refusal = await #expect(throws: ServiceError.self) { try await limit.hold(bytes: 0) {} }
                #expect(refusal?.code == .unavailable && refusal?.retryAfterSeconds == 1)
                #expect(refusal?.detail.contains("http.max_intake_requests") == true)
                let beyond: Int? = try await limit.holdIfFree { 1 }
                #expect(beyond == nil)
            }
            struct Failure: Error {}
            await #expect(throws: Failure.self) { try await limit.hold(bytes: 1) { throw Failure() } }
            let within: Int? = try await limit.holdIfFree { 1 }
            #expect(within == 1)
        }
        #expect(limit.waitingRequests == 0 && limit.waitingBytes == 0 && limit.refusedRequests == 3)
        // One that is larger than the bound can never be sent otherwise.
        let isRefusing = try await limit.hold(bytes: 1_000) { await limit.isRefusing(bytes: 1) }
        #expect(isRefusing)
        let passes = try await limit.hold(bytes: .max) { true }
        #expect(passes)
        #expect(limit.waitingBytes == 0)
    }

    @Test("one failure spares all others the wait, an answer lets one try, its success lets all")
    func outage() {
        let start = ContinuousClock.now
        var outage = BrokerOutage()
        func admits() -> Bool { outage.admits() }
        func fails(after seconds: Int) -> Bool { outage.failed(at: start + .seconds(seconds)) }
        #expect([admits(), admits()] == [true, true])
        #expect(outage.since == nil && !outage.wantsQuestion)
        #expect(fails(after: 0))
        #expect(!fails(after: 1), "those that were under way are no news")
        #expect(!admits())
        #expect(outage.since == start && outage.wantsQuestion)
        outage.answered()
        #expect([admits(), admits()] == [true, false])
        #expect(!outage.wantsQuestion && outage.since == start)
        // It answers and takes nothing.
        #expect(!fails(after: 9))
        #expect(!admits())
        #expect(outage.since == start && outage.wantsQuestion)
        outage.answered()
        #expect(admits())
        outage.delivered()
        #expect([admits(), admits()] == [true, true])
        #expect(outage.since == nil)
        outage.answered()
        #expect([admits(), admits()] == [true, true])
    }
}

extension IntakeLimit {
    fileprivate func isRefusing(bytes: Int) async -> Bool {
        do {
            try await hold(bytes: bytes) {}
            return false
        } catch {
            return true
        }
    }
}

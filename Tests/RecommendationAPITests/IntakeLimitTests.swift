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
                #expect(try await limit.holdIfFree { 1 } == nil)
            }
            struct Failure: Error {}
            await #expect(throws: Failure.self) { try await limit.hold(bytes: 1) { throw Failure() } }
            #expect(try await limit.holdIfFree { 1 } == 1)
        }
        #expect(limit.waitingRequests == 0 && limit.waitingBytes == 0 && limit.refusedRequests == 3)
        // One that is larger than the bound can never be sent otherwise.
        #expect(try await limit.hold(bytes: 1_000) { await limit.isRefusing(bytes: 1) })
        #expect(try await limit.hold(bytes: .max) { true })
        #expect(limit.waitingBytes == 0)
    }

    @Test("one failure spares all others the wait, an answer lets one try, its success lets all")
    func outage() {
        let start = ContinuousClock.now
        var outage = BrokerOutage()
        #expect(outage.admits() && outage.admits() && outage.since == nil && !outage.wantsQuestion)
        #expect(outage.failed(at: start))
        #expect(!outage.failed(at: start + .seconds(1)), "those that were under way are no news")
        #expect(!outage.admits() && outage.since == start && outage.wantsQuestion)
        outage.answered()
        #expect(outage.admits() && !outage.admits() && !outage.wantsQuestion && outage.since == start)
        // It answers and takes nothing.
        #expect(!outage.failed(at: start + .seconds(9)))
        #expect(!outage.admits() && outage.since == start && outage.wantsQuestion)
        outage.answered()
        #expect(outage.admits())
        outage.delivered()
        #expect(outage.admits() && outage.admits() && outage.since == nil)
        outage.answered()
        #expect(outage.admits() && outage.admits())
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

import Console
import Testing

/// What an operator is told of connections that were replaced.
@Suite struct LostConnectionsToldTests {
    private let start = ContinuousClock.now

    @Test("the first loss is told at once, the next ones together after the pause")
    func together() {
        var told = LostConnectionsTold()
        #expect(told.look(lost: 0, at: start) == nil)
        #expect(told.look(lost: 1, at: start)?.hasPrefix("a connection to PostgreSQL ended") == true)
        #expect(told.look(lost: 3, at: start + LostConnectionsTold.pause - .milliseconds(1)) == nil)
        #expect(told.look(lost: 4, at: start + LostConnectionsTold.pause)?.hasPrefix("3 connections to PostgreSQL ended") == true)
        #expect(told.look(lost: 4, at: start + LostConnectionsTold.pause * 9) == nil)
    }

    @Test("every loss is told once, however they come")
    func all() {
        var told = LostConnectionsTold(), counted = 0
        // The last look comes when all is quiet again.
        for second in Array(0...100) + [200] {
            guard let sentence = told.look(lost: min(second, 100) * 2, at: start + .seconds(second)) else { continue }
            counted += Int(sentence.prefix { $0.isNumber }) ?? 1
        }
        #expect(counted == 200)
    }
}

import Console
import Testing

/// When a role gives back what it has freed.
@Suite struct GrowthWatchTests {
    private let start = ContinuousClock.now
    private static let mebibyte = 1 << 20

    /// What a watch says of these amounts in MiB, one look each ``GrowthWatch/pause``; whatever it gives back leaves `left`.
    private func said(_ amounts: [Int], left: Int? = nil) -> [Bool] {
        var watch = GrowthWatch()
        return amounts.enumerated().map { place, amount in
            let isDue = watch.isDue(at: start + GrowthWatch.pause * place) { amount * Self.mebibyte }
            if isDue { watch.gaveBack(bytes: (left ?? amount) * Self.mebibyte) }
            return isDue
        }
    }

    @Test("growth by a twentieth and two MiB is due, less is not", arguments: [
        ([100, 104, 105], [false, false, true]), ([10, 11, 12], [false, false, true]), ([100, 100, 100], [false, false, false]),
    ])
    func growth(amounts: [Int], expected: [Bool]) {
        #expect(said(amounts) == expected)
    }

    @Test("after a return what was left is the measure")
    func afterwards() {
        // All of it is in use: nobody gives back again until there is more.
        #expect(said([100, 200, 205, 211], left: 200) == [false, true, false, true])
        #expect(said([100, 200, 103, 106], left: 100) == [false, true, false, true])
    }

    @Test("what went by itself is not waited for a second time")
    func shrinking() {
        #expect(said([200, 100, 104, 110]) == [false, false, false, true])
    }

    @Test("a backlog that ended while nobody looked is seen by the next look")
    func lateLook() {
        #expect(said([40, 120, 120, 120], left: 42) == [false, true, true, true])
    }

    @Test("the system is asked once a pause, however often a role calls")
    func pause() {
        var watch = GrowthWatch(), asked = 0
        for milliseconds in stride(from: 0, to: 60_000, by: 100) {
            _ = watch.isDue(at: start + .milliseconds(milliseconds)) {
                asked += 1
                return nil
            }
        }
        #expect(asked == 3)
    }

    @Test("a system that does not tell is left alone")
    func unknown() {
        var watch = GrowthWatch()
        for place in 0..<3 { #expect(!watch.isDue(at: start + GrowthWatch.pause * place) { nil }) }
        watch.gaveBack(bytes: nil)
        #expect(!watch.isDue(at: start + GrowthWatch.pause * 3) { 1 << 30 })
    }

    @Test("what is resident beside files is counted in bytes")
    func statm() {
        #expect(ProcessMemory.anonymousBytes(statm: "9000 5000 1000 10 0 700 0\n", pageBytes: 4_096) == 4_000 * 4_096)
        #expect(ProcessMemory.anonymousBytes(statm: "9000 1000 1001 0", pageBytes: 4_096) == 0)
        for text in ["", "1 2", "a b c"] { #expect(ProcessMemory.anonymousBytes(statm: text, pageBytes: 4_096) == nil) }
    }
}

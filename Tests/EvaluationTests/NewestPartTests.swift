import Evaluation
import Testing

@Suite("Where the newest part of a log begins")
struct NewestPartTests {
    @Test("as many times are later as the share says, in logs of any size")
    func counted() {
        for count in 1...40 {
            let times = (0..<count).map { Int64(($0 * 7) % count) * 1_000 - 5_000 }.shuffled()
            for share in [0.1, 0.25, 0.5] {
                let border = NewestPart.border(newest: share, of: times, count: count)
                let later = times.count { $0 > border ?? 0 }
                #expect(Set(times).count < count || later == min(count - 1, Int((Double(count) * share).rounded())), "\(count) \(share)")
            }
        }
    }

    @Test("equal times stay together, and the ends are no exception")
    func odd() {
        #expect(NewestPart.border(newest: 0.1, of: [Int64](), count: 0) == nil)
        #expect(NewestPart.border(newest: 0.9, of: [3], count: 1) == 3 && NewestPart.border(newest: 0, of: [3, 5], count: 2) == 5)
        #expect(NewestPart.border(newest: 0.3, of: [1, 2, 2, 2, 2], count: 5) == 2, "one instant is before the border as a whole")
        #expect(NewestPart.border(newest: 0.5, of: [.max, .min, 0, .min], count: 4) == .min)
        #expect(NewestPart.border(newest: 1, of: [7, 6, 8], count: 3) == 6)
        #expect((0..<4).map { NewestPart.value(atRank: $0, of: [9, -4, 0, -4], count: 4) } == [-4, -4, 0, 9])
    }
}

import Testing
import TowerModel

@Suite("A user's history at request time")
struct UserSequenceTests {
    private func history(_ numbers: Range<Int>, limit: Int) -> UserSequence {
        var history = UserSequence(dimension: 2, limit: limit)
        for number in numbers { history.append(vector: [Float(number), -Float(number)], type: 1, time: Int64(number)) }
        return history
    }

    @Test(arguments: 0..<30) func theNewestEntriesAreKept(count: Int) {
        let history = history(0..<count, limit: 7), kept = max(0, count - 7)..<count
        #expect(history.count == kept.count)
        #expect(history.times.suffix(history.count).elementsEqual(kept.map { Int64($0) }))
        #expect(history.vectors.suffix(2 * history.count).elementsEqual(kept.flatMap { [Float($0), -Float($0)] }))
        // What was pushed out is let go of now and then.
        #expect(history.types.count < 14)
    }

    @Test func unknownTypesCountAsClicks() {
        var history = UserSequence(dimension: 1, limit: 4)
        for type: UInt8 in [1, 2, 3, 4, 255] { history.append(vector: [0], type: type, time: 0) }
        #expect(history.types.suffix(4).elementsEqual([2, 3, 1, 1]))
    }

    @Test func allIsForgotten() {
        var history = history(0..<9, limit: 4)
        history.removeAll()
        #expect(history.count == 0)
        history.append(vector: [3, -3], type: 2, time: 8)
        #expect(history.count == 1 && history.times == [8] && history.types == [2])
    }
}

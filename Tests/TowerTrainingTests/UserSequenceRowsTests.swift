import Testing
import TowerModel
import TowerTraining

@Suite("A user's history by the rows of columns")
struct UserSequenceRowsTests {
    /// Ten interactions with four items; item i has the vector (i, −i).
    private let items = Column<Int32>([3, 0, 1, 1, 2, 0, 3, 2, 2, 1]), types = Column<UInt8>([1, 2, 3, 1, 2, 3, 1, 2, 3, 1])
    private let times = Column<Int64>((0..<10).map { 100 + Int64($0) })
    private let vectors: [Float] = [0, 0, 1, -1, 2, -2, 3, -3]

    private func history(_ rows: Range<Int>, limit: Int) -> UserSequence {
        vectors.withUnsafeBufferPointer {
            UserSequence(rows, items: items, types: types, times: times, vectors: $0, dimension: 2, limit: limit)
        }
    }

    @Test(arguments: [0..<0, 2..<3, 2..<6, 1..<10], [1, 3, 20])
    func itIsWhatAppendingRowByRowMakes(rows: Range<Int>, limit: Int) {
        var appended = UserSequence(dimension: 2, limit: limit)
        for row in rows {
            appended.append(vector: [Float(items[row]), -Float(items[row])], type: types[row], time: times[row])
        }
        let made = history(rows, limit: limit), count = min(rows.count, limit)
        #expect(made.count == count && appended.count == count)
        #expect(made.vectors.suffix(2 * count) == appended.vectors.suffix(2 * count))
        #expect(made.types.suffix(count) == appended.types.suffix(count) && made.times.suffix(count) == appended.times.suffix(count))
    }

    @Test func theNewestRowsCountAndNoOtherUsers() {
        let made = history(2..<7, limit: 3)
        #expect(made.times == [104, 105, 106] && made.vectors == [2, -2, 0, 0, 3, -3] && made.types == [2, 3, 1])
    }
}

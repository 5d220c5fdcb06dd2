import Testing
import TowerTraining

@Suite struct ExampleOrderTests {
    @Test func everyIndexHasAPlaceOfItsOwn() {
        for count in Array(0...70) + [99, 100, 101, 1_023, 1_024, 1_025, 65_537, 300_007] {
            for key in 0..<3 as Range<UInt64> {
                let order = Permutation(count: count, key: key)
                #expect((0..<count).map { order($0) }.sorted() == Array(0..<count), "\(count) indices")
            }
        }
    }

    @Test func everyPlaceIsAsLikelyForEveryIndex() {
        // 6 indices, 6,000 keys: each of the 36 pairs about 1,000 times.
        var counts = [Int](repeating: 0, count: 36)
        for key in 0..<6_000 as Range<UInt64> {
            let order = Permutation(count: 6, key: key)
            for index in 0..<6 { counts[6 * index + order(index)] += 1 }
        }
        // The deviation of each count is 29.
        #expect(counts.allSatisfy { (850...1_150).contains($0) }, "\(counts)")
    }

    @Test func neighboursAreFarApartAndBlocksAreMixed() {
        let count = 100_000, order = Permutation(count: count, key: 7)
        let places = (0..<count).map { order($0) }
        // The mean distance of two random places is a third of all.
        let distance = zip(places, places.dropFirst()).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) } / Double(count - 1)
        #expect(abs(distance / Double(count) - 1 / 3.0) < 0.01, "\(distance)")
        // Each batch of 1,000 holds about 100 of each tenth: chi-square of 9 degrees, mean 9 and deviation 4.2 each.
        var total = 0.0
        for start in stride(from: 0, to: count, by: 1_000) {
            var tenths = [Double](repeating: 0, count: 10)
            for place in places[start..<start + 1_000] { tenths[place * 10 / count] += 1 }
            total += tenths.reduce(0) { $0 + ($1 - 100) * ($1 - 100) / 100 }
        }
        #expect((7.5...10.5).contains(total / 100), "\(total / 100)")
        #expect(places != (0..<count).map { Permutation(count: count, key: 8)($0) })
    }
}

@Suite struct ColumnTests {
    private final class Region: @unchecked Sendable {
        // Unchecked because of the pointer; it is never written again.
        let values: UnsafeMutableBufferPointer<Int32>

        init(_ values: [Int32]) {
            self.values = .allocate(capacity: values.count)
            _ = self.values.initialize(from: values)
        }

        deinit { values.deallocate() }
    }

    @Test func arraysRegionsAndRepeatedValuesReadAlike() {
        let numbers = [3, 1, 4, 1, 5] as [Int32]
        var region: Region? = Region(numbers)
        weak let kept = region
        var mapped: Column<Int32>? = region.map { Column(UnsafeBufferPointer($0.values), keptBy: $0) }
        region = nil
        #expect(kept != nil)
        for column in [Column(numbers), mapped].compactMap(\.self) {
            #expect(Array(column) == numbers && column.count == 5 && column[4] == 5)
            #expect(column.withUnsafeBufferPointer { Array($0) } == numbers)
        }
        mapped = nil
        #expect(kept == nil, "the region goes with its last column")
        let same = Column(repeating: 2.5 as Float, count: 3)
        #expect(Array(same) == [2.5, 2.5, 2.5] && same.withUnsafeBufferPointer { Array($0) } == [2.5, 2.5, 2.5])
        #expect(Column<Int64>([]).isEmpty && Column(repeating: 1, count: 0).isEmpty)
        #expect(Column(UnsafeBufferPointer<UInt8>(start: nil, count: 0), keptBy: Region([])).isEmpty)
    }
}

import Tensors
import Testing
import TowerTraining

@Suite("Tokens turned round are what going through all of them gives")
struct TokenTransposeTests {
    /// Rows with up to four tokens each, of so many buckets.
    private struct Tokens {
        var starts = [0], buckets: [Int32] = [], rows: [Int32] = []

        init(rows count: Int, buckets bucketCount: Int, seed: UInt64) {
            var random = SeededGenerator(seed: seed, stream: 1)
            for _ in 0..<count {
                for _ in 0..<random.next(below: 5) { buckets.append(Int32(random.next(below: bucketCount))) }
                starts.append(buckets.count)
                rows.append(Int32(random.next(below: count)))
            }
        }

        func turned(bucketCount: Int) -> TokenTranspose {
            TokenTranspose(
                rows, bucketCount: bucketCount, range: { starts[Int($0)]..<starts[Int($0) + 1] }, buckets: buckets,
                weight: { Float($0) + 0.5 })
        }
    }

    /// Few tokens of many buckets are sorted, many of few are counted.
    @Test(arguments: [(40, 100_000), (40, 7), (200, 1_000), (0, 10)], [1, 2, 3] as [UInt64])
    func everyTokenIsAtItsPlaces(sizes: (rows: Int, buckets: Int), seed: UInt64) {
        let tokens = Tokens(rows: sizes.rows, buckets: sizes.buckets, seed: seed), turned = tokens.turned(bucketCount: sizes.buckets)
        var expected: [Int32: [(place: Int32, weight: Float)]] = [:]
        for (place, row) in tokens.rows.enumerated() {
            for index in tokens.starts[Int(row)]..<tokens.starts[Int(row) + 1] {
                expected[tokens.buckets[index], default: []].append((Int32(place), Float(index) + 0.5))
            }
        }
        #expect(turned.buckets == expected.keys.sorted())
        #expect(turned.starts.count == turned.buckets.count + 1 && turned.starts.first == 0 && turned.starts.last == turned.places.count)
        for (number, bucket) in turned.buckets.enumerated() {
            let range = turned.starts[number]..<turned.starts[number + 1], own = expected[bucket] ?? []
            #expect(Array(turned.places[range]) == own.map(\.place) && Array(turned.weights[range]) == own.map(\.weight))
        }
    }

    @Test func noBucketsHaveNoTokens() {
        let turned = TokenTranspose([0, 1], bucketCount: 0, range: { _ in 0..<0 }, buckets: [], weight: { _ in 1 })
        #expect(turned.buckets.isEmpty && turned.starts == [0] && turned.places.isEmpty)
    }
}

import Tensors
import Testing

@Suite("SeededGenerator")
struct SeededGeneratorTests {
    @Test("xoshiro256** as published: the first numbers from the state 1, 2, 3, 4")
    func published() throws {
        var generator = try #require(SeededGenerator(state: [1, 2, 3, 4]))
        let expected: [UInt64] = [11520, 0, 1_509_978_240, 1_215_971_899_390_074_240]
        #expect((0..<4).map { _ in generator.next() } == expected)
    }

    @Test("a saved state goes on where it was")
    func resumes() throws {
        var generator = SeededGenerator(seed: 42)
        for _ in 0..<100 { _ = generator.normal() }
        var resumed = try #require(SeededGenerator(state: generator.state))
        #expect((0..<100).allSatisfy { _ in generator.normal() == resumed.normal() })
        #expect(SeededGenerator(state: [0, 0, 0, 0]) == nil)
        #expect(SeededGenerator(state: [1, 2, 3]) == nil)
    }

    @Test("seeds and streams differ; equal ones agree")
    func streams() {
        func first(_ seed: UInt64, _ stream: UInt64) -> UInt64 {
            var generator = SeededGenerator(seed: seed, stream: stream)
            return generator.next()
        }
        var seen: Set<UInt64> = []
        for seed in 0..<30 as Range<UInt64> { for stream in 0..<30 as Range<UInt64> { seen.insert(first(seed, stream)) } }
        #expect(seen.count == 900)
        #expect(first(7, 3) == first(7, 3))
    }

    @Test("uniform, normal and whole numbers have the moments they should")
    func moments() {
        var generator = SeededGenerator(seed: 5)
        let count = 200_000
        var sum = 0.0, squares = 0.0, uniform = 0.0
        var buckets = [Int](repeating: 0, count: 7)
        for _ in 0..<count {
            let x = Double(generator.normal())
            sum += x
            squares += x * x
            let u = generator.uniform()
            #expect(u >= 0 && u < 1)
            uniform += Double(u)
            buckets[generator.next(below: 7)] += 1
        }
        // Five standard errors.
        let n = Double(count)
        #expect(abs(sum / n) < 5 / n.squareRoot())
        #expect(abs(squares / n - 1) < 5 * (2 / n).squareRoot())
        #expect(abs(uniform / n - 0.5) < 5 * (1 / 12 / n).squareRoot())
        #expect(buckets.allSatisfy { abs(Double($0) - n / 7) < 5 * (n / 7).squareRoot() })
    }

    @Test("normal numbers are the same on every machine")
    func normalsAreFixed() {
        var generator = SeededGenerator(seed: 1)
        var hash: UInt64 = 14_695_981_039_346_656_037
        for _ in 0..<10_000 { hash = (hash ^ UInt64(generator.normal().bitPattern)) &* 1_099_511_628_211 }
        #expect(hash == 15_519_860_815_632_283_283)
    }

    @Test("a shuffle is a permutation")
    func shuffle() {
        var generator = SeededGenerator(seed: 9)
        var numbers = Array(0..<100)
        generator.shuffle(&numbers)
        #expect(numbers != Array(0..<100) && numbers.sorted() == Array(0..<100))
    }
}

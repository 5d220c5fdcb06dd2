import Tensors
import Testing

@Suite("Threads", .serialized)
struct ThreadsTests {
    @Test("every element once, whatever the counts", arguments: [0, 1, 2, 5, 16, 1001], [1, 2, 3, 8])
    func covers(count: Int, threads: Int) {
        var seen = [Int](repeating: 0, count: count)
        var slots = [Int](repeating: -1, count: count)
        seen.withUnsafeMutableBufferPointer { seen in
            slots.withUnsafeMutableBufferPointer { slots in
                parallelFor(count: count, threads: threads) { range, slot in
                    for i in range {
                        seen[i] += 1
                        slots[i] = slot
                    }
                }
            }
        }
        #expect(seen.allSatisfy { $0 == 1 })
        #expect(slots == slots.sorted() && slots.allSatisfy { $0 < threads })
        // Sizes differ by at most one.
        let sizes = (0..<min(threads, max(count, 1))).map { slot in slots.count { $0 == slot } }
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    }

    @Test("many regions in a row, with more and fewer slots, lose nothing")
    func manyRegions() {
        var total = [Int](repeating: 0, count: 8 * 16)
        total.withUnsafeMutableBufferPointer { total in
            for round in 0..<4_000 {
                parallelFor(count: 8, threads: 1 + round % 6) { range, _ in for i in range { total[i * 16] += 1 } }
            }
        }
        #expect((0..<8).allSatisfy { total[$0 * 16] == 4_000 })
    }

    @Test("a region inside a region runs in place")
    func nested() {
        var counts = [Int](repeating: 0, count: 4 * 5)
        counts.withUnsafeMutableBufferPointer { counts in
            parallelFor(count: 4, threads: 4) { outer, _ in
                for o in outer {
                    parallelFor(count: 5, threads: 3) { inner, _ in for i in inner { counts[o * 5 + i] += 1 } }
                }
            }
        }
        #expect(counts.allSatisfy { $0 == 1 })
    }

    @Test("regions from several tasks at once do not mix")
    func concurrent() async {
        let sums = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var sum = 0
                    for _ in 0..<500 {
                        var parts = [Int](repeating: 0, count: 2)
                        parts.withUnsafeMutableBufferPointer { parts in
                            parallelFor(count: 10, threads: 2) { range, slot in for i in range { parts[slot] += i + task } }
                        }
                        sum += parts[0] + parts[1]
                    }
                    return sum
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sums.sorted() == (0..<8).map { 500 * (45 + 10 * $0) })
    }

    @Test("the same thread count gives the same product, bit for bit")
    func deterministic() {
        var generator = SeededGenerator(seed: 2)
        let a = Matrix.normal(rows: 300, columns: 200, deviation: 1, using: &generator)
        let b = Matrix.normal(rows: 200, columns: 170, deviation: 1, using: &generator)
        let first = product(a, b, threads: 2)
        for _ in 0..<20 { #expect(product(a, b, threads: 2) == first) }
    }

    @Test("settings are read back")
    func settings() {
        let before = Threads.current
        Threads.set(current: 3)
        #expect(Threads.current == 3)
        Threads.set(current: before)
        #expect(Threads.blas >= 1 && Threads.processors >= 1)
    }

    @Test("a setting that costs speed is named")
    func slowingSetting() {
        func told(_ forced: String?, _ core: String, _ set: String) -> String? {
            Kernels.slowingSetting(forcedCore: forced, chosenCore: core, instructionSet: set)
        }
        #expect(told("Haswell", "Haswell", "x86-64-v4")?.contains("OPENBLAS_CORETYPE=Haswell") == true)
        #expect(told("Nehalem", "Nehalem", "x86-64-v3")?.contains("AVX2") == true)
        #expect(told("Haswell", "Haswell", "x86-64-v3") == nil)
        #expect(told("SkylakeX", "SkylakeX", "x86-64-v4") == nil)
        #expect(told(nil, "Haswell", "x86-64-v4") == nil)
        #expect(Kernels.description.contains(Kernels.openBLASCore))
        #expect(Kernels.description.contains(Kernels.instructionSet))
    }

    @Test("a processor that OpenBLAS does not know gets loops that fit it")
    func fittingCore() {
        func fitting(_ core: String, _ set: String, bfloat16: Bool = false) -> String? {
            Kernels.fittingCore(chosen: core, instructionSet: set, hasBFloat16: bfloat16)
        }
        #expect(fitting("Prescott", "x86-64-v4", bfloat16: true) == "Cooperlake")
        #expect(fitting("Prescott", "x86-64-v4") == "SkylakeX")
        #expect(fitting("Nehalem", "x86-64-v3") == "Haswell")
        #expect(fitting("Prescott", "x86-64") == nil)
        #expect(fitting("Zen", "x86-64-v4") == nil)
        #expect(fitting("Haswell", "x86-64-v3") == nil)
        #expect(fitting("armv8", "arm64") == nil)
        #expect(!Kernels.isBFloat16Faster || Kernels.hasBFloat16)
        // This very process has such loops already, unless somebody asked for others.
        if Kernels.forcedOpenBLASCore == nil {
            #expect(fitting(Kernels.openBLASCore, Kernels.instructionSet, bfloat16: Kernels.hasBFloat16) == nil)
        }
    }
}

import Tensors
import Testing

@Suite("Softmax over a catalogue in tiles, against the row by row form")
struct CatalogueSoftmaxTests {
    struct Result { var loss: Double, users: Matrix, items: Matrix }

    /// Sides around the blocks of candidates, with and without corrections of candidates and of targets, and masks.
    @Test("loss and gradients", arguments: [(1, 1, 3), (5, 7, 4), (33, 383, 16), (40, 384, 16), (17, 385, 33), (64, 1000, 64)], 0..<6)
    func gradients(sides: (Int, Int, Int), variant: Int) {
        let (count, candidates, d) = sides, (corrected, masked, own) = (variant & 1 == 1, variant & 2 == 2, variant & 4 == 4)
        for precision in ProductPrecision.allCases {
            let (fast, plain) = both(
                count, candidates, d, scale: 0.7, corrected: corrected, masked: masked, targets: own, precision: precision)
            let tolerance: Float = precision == .float32 ? 1e-5 : 0.02
            #expect(abs(fast.loss - plain.loss) <= Double(tolerance) * (1 + abs(plain.loss)))
            #expect(near(fast.users, plain.users, tolerance) && near(fast.items, plain.items, tolerance), "\(precision)")
        }
    }

    @Test("scores far below, far above and beyond the range of the exponential", arguments: [3, 12, 40, 300] as [Float])
    func range(scale: Float) {
        let (fast, plain) = both(20, 500, 16, scale: scale, corrected: true, masked: true, precision: .float32)
        #expect(plain.loss.isFinite && abs(fast.loss - plain.loss) <= 1e-4 * (1 + abs(plain.loss)))
        #expect(near(fast.users, plain.users, 1e-4) && near(fast.items, plain.items, 1e-4))
    }

    @Test("a masked candidate that had nearly all of the sum leaves exact digits behind")
    func heavyMask() {
        // Candidate 0 stands 15 above all others, which are equal.
        let d = 2, candidates = 500
        var items = Matrix(rows: candidates, columns: d)
        items[0, 0] = 15
        let result = run(
            Matrix(rows: 1, columns: 2, values: [1, 0]), items, [7], [1], nil,
            { _, body in
                body(0); body(0); body(-1); body(9_999); body(7)
            }, .float32)
        #expect(abs(result.loss - 6.212606) < 1e-5)  // ln 499
        #expect(result.items.row(0) == [0, 0])
    }

    @Test("what all candidates and the target carry alike changes nothing; what the target alone carries lowers its loss")
    func targetCorrections() {
        var generator = SeededGenerator(seed: 8)
        let users = Matrix.normal(rows: 9, columns: 8, deviation: 0.5, using: &generator)
        let items = Matrix.normal(rows: 700, columns: 8, deviation: 1, using: &generator)
        let targets = (0..<9).map { Int32(77 * $0) }, weights = [Float](repeating: 1, count: 9)
        func result(_ all: Float?, _ own: Float?) -> Result {
            run(
                users, items, targets, weights, all.map { [Float](repeating: $0, count: 700) }, nil, .float32,
                own: own.map { [Float](repeating: $0, count: 9) })
        }
        let plain = result(nil, nil), shifted = result(-4, -4)
        #expect(abs(plain.loss - shifted.loss) < 1e-3)
        #expect(near(plain.users, shifted.users, 1e-4) && near(plain.items, shifted.items, 1e-4))
        // Carrying ln 700 more is standing there 700 times.
        var loss = 0.0
        for user in 0..<9 {
            let scores = (0..<700).map { item in zip(users.row(user), items.row(item)).reduce(Float(0)) { $0 + $1.0 * $1.1 } }
            let own = 700 * Kernels.exp(scores[Int(targets[user])])
            let others = scores.enumerated().filter { $0.offset != Int(targets[user]) }.reduce(Float(0)) { $0 + Kernels.exp($1.element) }
            loss += Double(Kernels.log(own + others) - Kernels.log(own))
        }
        #expect(abs(result(nil, Kernels.log(700)).loss - loss) < 1e-3 * loss)
    }

    @Test("NaN in a user reaches the loss and the gradients rather than vanish")
    func undefined() {
        let users = Matrix(rows: 2, columns: 2, values: [1, .nan, 0, 1]), items = Matrix(rows: 30, columns: 2, repeating: 0.5)
        let result = run(users, items, [1, 2], [1, 1], nil, nil, .float32)
        #expect(result.loss.isNaN && result.users.row(0).contains(where: \.isNaN) && result.users.row(1).allSatisfy(\.isFinite))
    }

    private func both(
        _ count: Int, _ candidates: Int, _ d: Int, scale: Float, corrected: Bool, masked: Bool, targets ownCorrected: Bool = false,
        precision: ProductPrecision
    ) -> (Result, Result) {
        var generator = SeededGenerator(seed: UInt64(count * candidates))
        let users = Matrix.normal(rows: count, columns: d, deviation: scale, using: &generator)
        let items = Matrix.normal(rows: candidates, columns: d, deviation: 1, using: &generator)
        let targets = (0..<count).map { _ in Int32(generator.next(below: candidates)) }
        let weights = (0..<count).map { _ in generator.uniform() }
        let corrections = corrected ? (0..<candidates).map { _ in 3 * generator.normal() } : nil
        let own = ownCorrected ? (0..<count).map { _ in 3 * generator.normal() } : nil
        let gone = (0..<count).map { _ in (0..<20).map { _ in Int32(generator.next(below: candidates + 5)) } }
        let mask: ((Int, (Int32) -> Void) -> Void)? = masked ? { i, body in gone[i].forEach(body) } : nil
        return (
            run(users, items, targets, weights, corrections, mask, precision, own: own),
            run(users, items, targets, weights, corrections, mask, precision, own: own, byRows: true)
        )
    }

    private func run(
        _ users: Matrix, _ items: Matrix, _ targets: [Int32], _ weights: [Float], _ corrections: [Float]?,
        _ masked: ((Int, (Int32) -> Void) -> Void)?, _ precision: ProductPrecision, own: [Float]? = nil, byRows: Bool = false
    ) -> Result {
        let loss = CatalogueSoftmax(dimension: users.columns, candidates: items.rows, precision: precision)
        var scores = [Float](repeating: .nan, count: users.rows * items.rows)
        var result = Result(
            loss: 0, users: Matrix(rows: users.rows, columns: users.columns, repeating: .nan),
            items: Matrix(rows: items.rows, columns: items.columns, repeating: 0))
        let added = UnsafeMutablePointer<Float>.allocate(capacity: items.rows)
        defer { added.deallocate() }
        for (i, correction) in (corrections ?? []).enumerated() { added[i] = correction }
        let given = corrections == nil ? nil : UnsafePointer(added)
        let ownAdded = UnsafeMutablePointer<Float>.allocate(capacity: users.rows)
        defer { ownAdded.deallocate() }
        for (i, correction) in (own ?? []).enumerated() { ownAdded[i] = correction }
        let ownGiven = own == nil ? nil : UnsafePointer(ownAdded)
        result.users.withUnsafeMutablePointer { userGradient in
            result.items.withUnsafeMutablePointer { itemGradient in
                users.withUnsafePointer { u in
                    items.withUnsafePointer { v in
                        result.loss = byRows
                            ? loss.byRows(
                                count: users.rows, users: u, items: v, targets: targets, weights: weights, corrections: given,
                                targetCorrections: ownGiven, masked: masked, scores: &scores, userGradient: userGradient,
                                itemGradient: itemGradient)
                            : loss.run(
                                count: users.rows, users: u, items: v, targets: targets, weights: weights, corrections: given,
                                targetCorrections: ownGiven, masked: masked, scores: &scores, userGradient: userGradient,
                                itemGradient: itemGradient)
                    }
                }
            }
        }
        return result
    }

    private func near(_ a: Matrix, _ b: Matrix, _ tolerance: Float) -> Bool {
        let size = max(b.values.map(abs).max() ?? 0, 0.1)
        return zip(a.values, b.values).allSatisfy { approximatelyEqual($0, $1, tolerance: tolerance, scale: size) }
    }
}

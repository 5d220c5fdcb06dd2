import Tensors

extension Variable {
    /// Softmax cross-entropy of users against a catalogue of items, or a sample of it, `[1, 1]`: Σ weights[i] · (ln Σⱼ e^s(i, j) −
    /// s(i, targets[i])) with s(i, j) = users[i] · items[j] + corrections[j]; a target takes no correction of its own.
    ///
    /// Scores exist for one tile of users at a time, for derivatives of every order. Where the gradient is not differentiated again it
    /// comes out of the same pass as the loss.
    ///
    /// - Parameters:
    ///   - users: `[n, d]`; items: `[candidates, d]`.
    ///   - targets: a row of `items` for each user.
    ///   - weights: what each user's loss counts; 1 / n unless given, which makes the result a mean.
    ///   - corrections: `[candidates]`, such as the log q of sampled candidates; constants.
    ///   - tileUsers: users of one tile, 1 or more.
    public static func catalogueCrossEntropy(
        users: Variable, items: Variable, targets: [Int32], weights: [Float]? = nil, corrections: [Float]? = nil, tileUsers: Int = 128
    ) -> Variable {
        let (n, d, candidates) = (users.rows, users.columns, items.rows)
        let weights = weights ?? [Float](repeating: 1 / Float(max(1, n)), count: n)
        precondition(
            items.columns == d && targets.count == n && weights.count == n && (corrections?.count ?? candidates) == candidates
                && tileUsers > 0 && targets.allSatisfy { $0 >= 0 && $0 < candidates },
            "a loss of users \(users.value.shape) against \(items.value.shape), \(targets.count) targets, \(weights.count) weights")
        let tiles = stride(from: 0, to: n, by: tileUsers).map { $0..<min($0 + tileUsers, n) }
        let (loss, userSlopes, itemSlopes) = fusedLoss(
            users.value, items.value, targets: targets, weights: weights, corrections: corrections, tiles: tiles)
        return .fused(
            Matrix(scalar: Float(loss)), inputs: [users, items],
            composed: { all in
                tiles.reduce(Variable.constant(0)) { sum, tile in
                    sum + recomputing([all[0].rows(tile), all[1]]) { part in
                        composedLoss(
                            part[0], part[1], targets: Array(targets[tile]), weights: Array(weights[tile]), corrections: corrections)
                    }
                }
            },
            backward: { _, _, outer in [userSlopes.scaled(by: outer[0, 0]), itemSlopes.scaled(by: outer[0, 0])] })
    }

    /// The loss of one tile in operations of this library.
    private static func composedLoss(
        _ users: Variable, _ items: Variable, targets: [Int32], weights: [Float], corrections: [Float]?
    ) -> Variable {
        let scores = product(users, items, transposeB: true), own = scores.picking(targets)
        var corrected = scores
        if let corrections {
            var added = Matrix(rows: users.rows, columns: items.rows)
            for (r, target) in targets.enumerated() {
                for j in 0..<items.rows { added[r, j] = j == Int(target) ? 0 : corrections[j] }
            }
            corrected = scores + .constant(added)
        }
        return ((corrected.logSumExpRows() - own) * .constant(Matrix(rows: weights.count, columns: 1, values: weights))).sum()
    }

    private static func fusedLoss(
        _ users: Matrix, _ items: Matrix, targets: [Int32], weights: [Float], corrections: [Float]?, tiles: [Range<Int>]
    ) -> (Double, Matrix, Matrix) {
        let d = users.columns, softmax = CatalogueSoftmax(dimension: d, candidates: items.rows)
        let limit = tiles.map(\.count).max() ?? 0
        var total = 0.0
        let made = filled([(users.rows, d), (items.rows, d), (limit, items.rows)]) { made in
            withPointers([users, items]) { x in
                withOptional(corrections.map { Matrix(row: $0) }) { corrections in
                    for tile in tiles {
                        total += softmax.run(
                            count: tile.count, users: x[0] + tile.lowerBound * d, items: x[1], targets: Array(targets[tile]),
                            weights: Array(weights[tile]), corrections: corrections, scores: made[2],
                            userGradient: made[0] + tile.lowerBound * d, itemGradient: made[1])
                    }
                }
            }
        }
        return (total, made[0], made[1])
    }
}

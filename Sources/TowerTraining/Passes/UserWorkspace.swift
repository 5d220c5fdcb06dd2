import TowerModel

/// Working memory of one thread for one tile of users.
final class UserWorkspace {
    var inputs = FloatBuffer(0), inner = FloatBuffer(0), users = FloatBuffer(0), lengths = FloatBuffer(0)
    var scores = FloatBuffer(0), teacherUsers = FloatBuffer(0), userGradient = FloatBuffer(0), innerGradient = FloatBuffer(0),
        inputGradient = FloatBuffer(0)
    /// Grows with the longest histories of a tile.
    var attention = FloatBuffer(0)

    /// Makes room for `tile` users and their scores.
    func prepare(_ shape: TowerShape, tile: Int, candidates: Int) {
        if inputs.count < tile * shape.inputWidth {
            inputs = FloatBuffer(tile * shape.inputWidth)
            inputGradient = FloatBuffer(tile * shape.inputWidth)
            inner = FloatBuffer(tile * shape.innerWidth)
            innerGradient = FloatBuffer(tile * shape.innerWidth)
            users = FloatBuffer(tile * shape.dimension)
            userGradient = FloatBuffer(tile * shape.dimension)
            lengths = FloatBuffer(tile)
        }
        if scores.count < tile * candidates { scores = FloatBuffer(tile * candidates) }
    }
}

extension TrainingBatch {
    /// The arrays of a batch, borrowed for parallel loops.
    struct Pointers {
        let starts: UnsafePointer<Int>
        let rows: UnsafePointer<Int32>
        let types: UnsafePointer<UInt8>
        let gaps: UnsafePointer<UInt8>
        let targets: UnsafePointer<Int32>
        let weights: UnsafePointer<Float>
        let users: UnsafePointer<Int32>
        let idle: UnsafePointer<UInt8>
        /// Place of the first example among those of all ranks.
        let first: Int
        /// Of candidates, and of the examples' targets; nil where there are none.
        let corrections, targetCorrections: UnsafePointer<Float>?
    }

    /// Lends the arrays while `body` runs.
    func withPointers(_ body: (Pointers) -> Void) {
        lend(starts, rows) { starts, rows in
            lend(types, gaps) { types, gaps in
                lend(targets, weights) { targets, weights in
                    lend(users, idle) { users, idle in
                        corrections.withUnsafeBufferPointer { corrections in
                            targetCorrections.withUnsafeBufferPointer { own in
                                body(
                                    Pointers(
                                        starts: starts, rows: rows, types: types, gaps: gaps, targets: targets, weights: weights,
                                        users: users, idle: idle, first: first,
                                        corrections: corrections.isEmpty ? nil : corrections.baseAddress,
                                        targetCorrections: own.isEmpty ? nil : own.baseAddress))
                            }
                        }
                    }
                }
            }
        }
    }

    private func lend<A, B>(_ a: [A], _ b: [B], _ body: (UnsafePointer<A>, UnsafePointer<B>) -> Void) {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                if let a = a.baseAddress, let b = b.baseAddress { body(a, b) }
            }
        }
    }
}

import Tensors

/// The working memory of a sequence tower for one tile of windows, cut from one block.
///
/// Training keeps what each block needs for the way back; serving uses the same memory for all blocks.
package struct SequenceSpace {
    /// Of one block. Rows are entries.
    package struct Block {
        /// `[T, d]`: what the block is given, the same normalised, and `[T]` twice: what the norm measured.
        package let input, norm, normFacts: UnsafeMutablePointer<Float>
        /// `[T, w]`: the first product; in the HSTU form after SiLU, with what was before it in ``raw`` where there is a way back.
        package let projection: UnsafeMutablePointer<Float>
        /// `[T, w]`, in the HSTU form where there is a way back: the first product before SiLU.
        package let raw: UnsafeMutablePointer<Float>?
        /// `[T, d]`: what attention mixed; `[heads, T]`: what its way back needs.
        package let mixed, logSums: UnsafeMutablePointer<Float>
        /// `[T, d]`, in the HSTU form: the mixed values normalised, then gated; `[T]` twice.
        package let mixedNorm, gated, mixedFacts: UnsafeMutablePointer<Float>
        /// `[T, d]`: the input plus attention's output, and the same normalised; `[T]` twice.
        package let middle, feedNorm, feedFacts: UnsafeMutablePointer<Float>
        /// `[T, f]`
        package let hidden: UnsafeMutablePointer<Float>
    }

    /// One where nothing is kept for a way back.
    package let blocks: [Block]
    /// `[T, d]`: the last block's output and the same normalised; `[T]` twice.
    package let output, outputNorm, outputFacts: UnsafeMutablePointer<Float>
    /// `[T, means · d]`
    package let means: UnsafeMutablePointer<Float>
    /// `[T, d]`, and what attention asks for.
    package let branch, scratch: UnsafeMutablePointer<Float>

    // For the way back.
    /// `[T, d]`
    package let gradient, vectorGradient, outputGradient: UnsafeMutablePointer<Float>
    /// `[T, max(w, f)]`
    package let wide: UnsafeMutablePointer<Float>
    /// `[T, means · d]`
    package let meanGradient: UnsafeMutablePointer<Float>

    /// Cuts the memory for a tile, or counts the floats it needs where `base` is nil.
    private init(
        _ shape: TowerShape, entries t: Int, longest: Int, forTraining: Bool, base: UnsafeMutablePointer<Float>?,
        floats: inout Int
    ) {
        let s = shape.sequence ?? .none, d = shape.dimension, w = s.projection(d), isGated = s.kind == .hstu
        var next = 0
        func take(_ count: Int) -> UnsafeMutablePointer<Float> {
            let place = next
            next += (count + 15) / 16 * 16
            return (base ?? Self.nowhere) + place
        }
        func takeBlock() -> Block {
            Block(
                input: take(t * d), norm: take(t * d), normFacts: take(2 * t), projection: take(t * w),
                raw: isGated && forTraining ? take(t * w) : nil, mixed: take(t * d), logSums: take(s.heads * t),
                mixedNorm: take(isGated ? t * d : 0), gated: take(isGated ? t * d : 0), mixedFacts: take(isGated ? 2 * t : 0),
                middle: take(t * d), feedNorm: take(s.feedForward > 0 ? t * d : 0), feedFacts: take(2 * t), hidden: take(t * s.feedForward))
        }
        blocks = forTraining ? (0..<s.blocks).map { _ in takeBlock() } : [takeBlock()]
        output = take(t * d)
        outputNorm = take(t * d)
        outputFacts = take(2 * t)
        means = take(t * s.means * d)
        branch = take(t * d)
        let attention = longest > 0 ? CausalAttention(length: longest, width: d, scale: 1) : nil
        scratch = take((forTraining ? attention?.backwardScratchFloats : attention?.forwardScratchFloats) ?? 0)
        let back = forTraining ? t : 0
        gradient = take(back * d)
        vectorGradient = take(back * d)
        outputGradient = take(back * d)
        wide = take(back * max(w, s.feedForward))
        meanGradient = take(back * s.means * d)
        floats = next
    }

    /// Stands for memory where addresses are only counted, never used.
    private static var nowhere: UnsafeMutablePointer<Float> { UnsafeMutablePointer(bitPattern: 64).unsafelyUnwrapped }

    /// Floats that a tile needs.
    ///
    /// - Parameters:
    ///   - entries: T, of all windows; longest: the greatest length of a window.
    package static func floats(_ shape: TowerShape, entries: Int, longest: Int, forTraining: Bool) -> Int {
        var floats = 0
        _ = SequenceSpace(
            shape, entries: entries, longest: longest, forTraining: forTraining, base: nil, floats: &floats)
        return floats
    }

    /// Cuts `base`, which has room for ``floats(_:entries:longest:forTraining:)``.
    package init(
        _ shape: TowerShape, entries: Int, longest: Int, forTraining: Bool, base: UnsafeMutablePointer<Float>
    ) {
        var floats = 0
        self.init(
            shape, entries: entries, longest: longest, forTraining: forTraining, base: base, floats: &floats)
    }

    /// The memory of a block.
    package func block(_ index: Int) -> Block { blocks[min(index, blocks.count - 1)] }
}

/// Windows of entries as the sequence tower reads them: those of window w are `starts[w]..<starts[w + 1]`, oldest first. Rows, types and
/// gaps are read at the same places.
package struct SequenceTile {
    /// Where each window begins, and the end of the last.
    package let starts: UnsafePointer<Int>
    /// Windows.
    package let count: Int
    /// Row of each entry in ``vectors``.
    package let rows: UnsafePointer<Int32>
    /// Type of each entry.
    package let types: UnsafePointer<UInt8>
    /// Bucket of the time before each entry.
    package let gaps: UnsafePointer<UInt8>
    /// `[rows, d]`
    package let vectors: UnsafePointer<Float>
    /// The greatest length of a window.
    package let longest: Int

    /// Windows over arrays that the caller keeps.
    package init(
        starts: UnsafePointer<Int>, count: Int, rows: UnsafePointer<Int32>, types: UnsafePointer<UInt8>, gaps: UnsafePointer<UInt8>,
        vectors: UnsafePointer<Float>
    ) {
        (self.starts, self.count, self.rows, self.types, self.gaps, self.vectors) = (starts, count, rows, types, gaps, vectors)
        longest = (0..<count).reduce(0) { max($0, starts[$1 + 1] - starts[$1]) }
    }

    /// The first entry, and how many there are.
    package var first: Int { starts[0] }
    /// Entries of all windows.
    package var entries: Int { starts[count] - starts[0] }
    /// Length of a window.
    package func length(_ window: Int) -> Int { starts[window + 1] - starts[window] }
}

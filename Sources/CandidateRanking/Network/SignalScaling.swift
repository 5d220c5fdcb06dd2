import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What signals go through before a network sees them: `(sign(x) · ln(1 + |x|) − mean) · scale`, cut at ±``limit``.
///
/// Counts, ages and amounts of any size become numbers of about 1. A signal that is no finite number says nothing: it becomes 0, as one
/// that lies at the mean. A plain scaling, that of a counter, takes signals as they are: `(x − mean) · scale`, cut at ±``plainLimit``.
public struct SignalScaling: Sendable, Equatable {
    /// Where scaled signals are cut.
    public static let limit: Float = 5
    /// Where those of a plain scaling are.
    public static let plainLimit: Float = 1e6

    /// Of each signal, in logarithms; of a plain scaling as it is.
    public let mean: [Float]
    /// One over each signal's standard deviation in logarithms; 0 for a signal that never differs, or that a plain scaling passes over.
    public let scale: [Float]
    /// Whether signals are taken as they are, without a logarithm.
    public let isPlain: Bool

    /// Makes a scaling; there are as many scales as means, all of them finite.
    public init(mean: [Float], scale: [Float], isPlain: Bool = false) {
        precondition(mean.count == scale.count, "\(mean.count) means and \(scale.count) scales")
        (self.mean, self.scale, self.isPlain) = (mean, scale, isPlain)
    }

    /// Where scaled signals of this kind are cut.
    private var bound: Float { isPlain ? Self.plainLimit : Self.limit }

    /// Signals of a candidate.
    public var width: Int { mean.count }

    /// The scaling under which the signals of these questions' candidates have mean 0 and deviation 1.
    ///
    /// - Parameter uses: which questions count.
    public init(fitting lists: CandidateLists, uses: (_ question: Int) -> Bool = { _ in true }) {
        let width = lists.width
        // Sums of differences from the first value seen, so that a small deviation beside a large mean is not rounded away.
        var origins = [Double](repeating: .nan, count: width)
        var counts = [Double](repeating: 0, count: width), sums = counts, squares = counts
        var rows: [Float] = []
        for question in 0..<lists.count where uses(question) {
            let candidates = lists.candidates(of: question)
            rows = [Float](repeating: 0, count: candidates.count * width)
            lists.signals.withUnsafeBufferPointer { signals in
                rows.withUnsafeMutableBufferPointer { out in
                    guard let from = signals.baseAddress, let to = out.baseAddress else { return }
                    Self.compress(from + candidates.lowerBound * width, count: out.count, into: to)
                    for row in stride(from: 0, to: out.count, by: width) {
                        for signal in 0..<width where out[row + signal].isFinite {
                            let value = Double(out[row + signal])
                            if counts[signal] == 0 { origins[signal] = value }
                            counts[signal] += 1
                            sums[signal] += value - origins[signal]
                            squares[signal] += (value - origins[signal]) * (value - origins[signal])
                        }
                    }
                }
            }
        }
        isPlain = false
        mean = (0..<width).map { counts[$0] > 0 ? Float(origins[$0] + sums[$0] / counts[$0]) : 0 }
        scale = (0..<width).map { signal in
            guard counts[signal] > 0 else { return 0 }
            let offset = sums[signal] / counts[signal]
            let deviation = max(0, squares[signal] / counts[signal] - offset * offset).squareRoot()
            // Below this a Float of that size cannot tell the values apart.
            return deviation > 1e-6 * max(1, abs(origins[signal] + offset)) ? Float(1 / deviation) : 0
        }
    }

    /// The scaled signals of candidates.
    ///
    /// - Parameters:
    ///   - signals: `[candidates, width]`, row-major.
    ///   - out: the same, finite whatever `signals` holds.
    package func apply(_ signals: UnsafePointer<Float>, candidates: Int, into out: UnsafeMutablePointer<Float>) {
        let bound = bound
        if isPlain {
            for place in 0..<candidates * width { out[place] = signals[place].isFinite ? signals[place] : .nan }
        } else {
            Self.compress(signals, count: candidates * width, into: out)
        }
        mean.withUnsafeBufferPointer { mean in
            scale.withUnsafeBufferPointer { scale in
                for row in 0..<candidates {
                    let values = out + row * mean.count
                    for signal in 0..<mean.count {
                        let scaled = (values[signal] - mean[signal]) * scale[signal]
                        values[signal] = scaled == scaled ? min(max(scaled, -bound), bound) : 0
                    }
                }
            }
        }
    }

    /// `out = sign(x) · ln(1 + |x|)`; NaN where x is not finite.
    private static func compress(_ x: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>) {
        // The logarithm goes from one place to another: in place the kernel could not take several numbers at once.
        withUnsafeTemporaryAllocation(of: Float.self, capacity: blockNumbers) { block in
            guard let raised = block.baseAddress else { return }
            for from in stride(from: 0, to: count, by: blockNumbers) {
                let size = min(blockNumbers, count - from), x = x + from, out = out + from
                for place in 0..<size { raised[place] = 1 + abs(x[place]) }
                Kernels.apply(.log, raised, into: out, count: size)
                for place in 0..<size {
                    // What 1 + |x| lost by rounding is put back by the quotient, so that small rates keep their digits.
                    let size = abs(x[place]), kept = raised[place] - 1
                    let logarithm = kept > 0 ? out[place] * (size / kept) : size
                    out[place] = size <= .greatestFiniteMagnitude ? (x[place] < 0 ? -logarithm : logarithm) : .nan
                }
            }
        }
    }

    /// A block of so many numbers lies on the stack.
    private static let blockNumbers = 256

    /// The scaled signals of one candidate, computed the plain way in double precision.
    package func reference(_ signals: [Float]) -> [Double] {
        signals.indices.map { signal in
            guard signals[signal].isFinite else { return 0 }
            let x = Double(signals[signal]), logarithm = log1p(abs(x))
            let taken = isPlain ? x : x < 0 ? -logarithm : logarithm
            return min(max((taken - Double(mean[signal])) * Double(scale[signal]), -Double(bound)), Double(bound))
        }
    }
}

import ContentModel
import Tensors

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Histories of several users as the tower reads them: the entries of user i are `starts[i]..<starts[i + 1]`, newest first.
package struct HistoryBatch {
    /// Where each history begins, and the end of the last.
    package let starts: UnsafePointer<Int>
    /// Row of each entry in `vectors`.
    package let rows: UnsafePointer<Int32>
    /// Type of each entry: 1 click, 2 add to cart, 3 purchase.
    package let types: UnsafePointer<UInt8>
    /// Bucket of the time to the newest entry; see ``TimeBuckets/gap(milliseconds:)``.
    package let gaps: UnsafePointer<UInt8>
    /// `[rows, d]`
    package let vectors: UnsafePointer<Float>

    /// Histories over arrays that the caller keeps.
    package init(
        starts: UnsafePointer<Int>, rows: UnsafePointer<Int32>, types: UnsafePointer<UInt8>, gaps: UnsafePointer<UInt8>,
        vectors: UnsafePointer<Float>
    ) {
        (self.starts, self.rows, self.types, self.gaps, self.vectors) = (starts, rows, types, gaps, vectors)
    }
}

/// Buckets of times between interactions.
package enum TimeBuckets {
    /// Of a history entry, by the time to the newest one: 0 below a minute, then one bucket for each doubling.
    @inlinable package static func gap(milliseconds: Int64) -> UInt8 { doubling(milliseconds, unit: 60_000, count: TowerShape.gapCount) }

    /// Of a user, by the time since the newest entry: 0 below half an hour, then one bucket for each doubling.
    @inlinable package static func idle(milliseconds: Int64) -> UInt8 {
        doubling(milliseconds, unit: 1_800_000, count: TowerShape.idleCount)
    }

    /// Of an entry whose predecessor is not known: the longest.
    package static let unknownGap = UInt8(TowerShape.gapCount - 1)

    /// The bucket of a gap between two times.
    @inlinable package static func gap(from earlier: Int64, to later: Int64) -> UInt8 { gap(milliseconds: difference(later, earlier)) }

    /// The bucket of an idle time between two times.
    @inlinable package static func idle(from earlier: Int64, to later: Int64) -> UInt8 { idle(milliseconds: difference(later, earlier)) }

    /// The time between two times, at the ends of the range where it does not fit.
    @inlinable package static func difference(_ later: Int64, _ earlier: Int64) -> Int64 {
        let (value, overflow) = later.subtractingReportingOverflow(earlier)
        return overflow ? (later < earlier ? 0 : .max) : value
    }

    /// Powers of two of `unit`, the last bucket for all that is longer.
    @inlinable package static func doubling(_ milliseconds: Int64, unit: Int64, count: Int) -> UInt8 {
        let units = UInt64(max(0, milliseconds) / unit) + 1
        return UInt8(min(count - 1, 63 - units.leadingZeroBitCount))
    }
}

/// The pooled user tower: K weighted means of the history and the user's attributes into ``UserNetwork``.
///
/// Head k weighs entry j by softmax over (position_k[j] + type_k[type_j] + gap_k[gap_j]) against an empty entry of vector zero, so
/// that a short history pulls towards the attributes.
package struct PooledUserTower {
    /// Where the parameters lie in the block.
    package let layout: DenseLayout
    /// The dense block; valid for the life of the value.
    package let dense: UnsafePointer<Float>
    /// What turns the pools into the vector.
    package let network: UserNetwork
    /// Weights below it add nothing that a Float would notice.
    static let negligibleWeight: Float = 1e-6

    /// The pools of one history into `input` (K·d floats, overwritten) and the weights into `attention` (K·length floats, head by head).
    package func pool(
        _ batch: HistoryBatch, entry start: Int, length: Int, attention: UnsafeMutablePointer<Float>,
        input: UnsafeMutablePointer<Float>
    ) {
        let shape = layout.shape, d = shape.dimension, n = shape.historyLength
        let positions = dense + layout.offset(.attentionPositions), types = dense + layout.offset(.attentionTypes)
        let gaps = dense + layout.offset(.attentionGaps), empty = dense + layout.offset(.attentionEmpty)
        input.update(repeating: 0, count: shape.heads * d)
        guard length > 0 else { return }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: length + 1) { buffer in
            guard let logits = buffer.baseAddress else { return }
            for head in 0..<shape.heads {
                let type = types + head * TowerShape.typeCount, gap = gaps + head * TowerShape.gapCount, place = positions + head * n
                for j in 0..<length {
                    logits[j] = place[j] + type[Int(batch.types[start + j])] + gap[Int(batch.gaps[start + j])]
                }
                logits[length] = empty[head]
                Kernels.softmax(logits, into: logits, count: length + 1)
                (attention + head * length).update(from: logits, count: length)
            }
        }
        for head in 0..<shape.heads {
            Kernels.poolRows(
                batch.vectors, stride: d, rows: batch.rows + start, count: length, weights: attention + head * length,
                above: Self.negligibleWeight, columns: d, into: input + head * d)
        }
    }

    /// The way back through the pools of one history.
    ///
    /// - Parameters:
    ///   - input, outer: the pools and their gradient, K·d floats each.
    ///   - vectorGradient: gradient of the item vectors `[rows, d]`, added to.
    ///   - gradient: the dense block's gradient, added to.
    package func poolBackward(
        _ batch: HistoryBatch, entry start: Int, length: Int, attention: UnsafePointer<Float>, outer: UnsafePointer<Float>,
        vectorGradient: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>
    ) {
        guard length > 0 else { return }
        let shape = layout.shape, d = shape.dimension, heads = shape.heads
        let positions = gradient + layout.offset(.attentionPositions), types = gradient + layout.offset(.attentionTypes)
        let gaps = gradient + layout.offset(.attentionGaps), empty = gradient + layout.offset(.attentionEmpty)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: heads * length) { buffer in
            guard let slopes = buffer.baseAddress else { return }
            Kernels.poolRowsBackward(
                batch.vectors, stride: d, rows: batch.rows + start, count: length, pools: heads, weights: attention,
                above: Self.negligibleWeight, columns: d, outer: outer, slopes: slopes, into: vectorGradient)
            for head in 0..<heads {
                let weights = attention + head * length, slope = slopes + head * length
                // Softmax: dlogit_j = α_j (slope_j − Σ α slope); the empty entry's vector is zero, so its slope is too.
                let mean = Kernels.dot(weights, slope, count: length)
                var used: Float = 0
                for j in 0..<length {
                    let weight = weights[j]
                    used += weight
                    let value = weight * (slope[j] - mean)
                    positions[head * shape.historyLength + j] += value
                    types[head * TowerShape.typeCount + Int(batch.types[start + j])] += value
                    gaps[head * TowerShape.gapCount + Int(batch.gaps[start + j])] += value
                }
                empty[head] -= max(0, 1 - used) * mean
            }
        }
    }
}

/// Attribute tokens of users as rows of the user token table.
package struct UserTokens: Sendable {
    /// Where the tokens of each user begin, and the end of the last.
    package var starts: [Int] = [0]
    /// Rows of the user token table.
    package var buckets: [Int32] = []

    /// The weight of each token. Fixed, so that a missing or unknown attribute changes nothing about the others.
    package static let weight: Float = 0.5

    /// Hashes the tokens of many users and leaves out those that fewer than `minimumUsers` of them have: a postcode that one
    /// user has would stand in for the user. Their rows stay zero, so serving need not know which they are.
    ///
    /// - Parameter isKnown: rows that a model learned before are kept however few have them now.
    package init(_ users: [[String]], buckets count: Int, minimumUsers: Int = 1, isKnown: (Int32) -> Bool = { _ in false }) {
        let all = users.map { Self.buckets(of: $0, count: count) }
        var counts = [Int](repeating: 0, count: count)
        for tokens in all { for token in tokens { counts[Int(token)] += 1 } }
        for tokens in all {
            buckets += tokens.filter { counts[Int($0)] >= minimumUsers || isKnown($0) }
            starts.append(buckets.count)
        }
    }

    /// The rows of a user's tokens, ascending and distinct.
    package static func buckets(of tokens: [String], count: Int) -> [Int32] {
        guard !tokens.isEmpty else { return [] }
        return Array(Set(tokens.map { FeatureHash.bucket(FeatureHash.hash($0.utf8, field: .user), of: count) })).sorted()
    }
}

extension PooledUserTower {
    /// The tower that a configuration describes.
    package init(_ configuration: TowerConfiguration, layout: DenseLayout, dense: UnsafePointer<Float>) {
        self.init(layout: layout, dense: dense, network: UserNetwork(configuration, layout: layout, dense: dense))
    }
}

extension UserTokens {
    /// The tokens of all users, borrowed for parallel loops: arrays would be counted by every thread at each access.
    package struct Rows {
        let starts: UnsafeBufferPointer<Int>
        let buckets: UnsafeBufferPointer<Int32>

        /// The token rows of a user row; none for −1.
        package subscript(user: Int32) -> UnsafeBufferPointer<Int32> { UnsafeBufferPointer(rebasing: buckets[range(of: user)]) }

        /// Where the tokens of a user row stand; nowhere for −1.
        package func range(of user: Int32) -> Range<Int> { user < 0 ? 0..<0 : starts[Int(user)]..<starts[Int(user) + 1] }
    }

    /// Lends the tokens while `body` runs.
    package func withRows<Result>(_ body: (Rows) -> Result) -> Result {
        starts.withUnsafeBufferPointer { starts in
            buckets.withUnsafeBufferPointer { buckets in body(Rows(starts: starts, buckets: buckets)) }
        }
    }

    /// Where the tokens of a user row stand in ``buckets``; nowhere for −1.
    package func range(of user: Int32) -> Range<Int> { user < 0 ? 0..<0 : starts[Int(user)]..<starts[Int(user) + 1] }
}

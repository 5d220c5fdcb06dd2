/// Why processes that train together cannot go on together.
public struct RankError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence: which process, what is wrong, and what to do.
    public var description: String

    /// Makes an error from its sentence.
    public init(_ description: String) { self.description = description }
}

/// The processes that train one model together, each a rank, numbered from 0.
///
/// Calls are collective: every rank makes the same calls in the same order, each from one thread, and a call returns once this rank has
/// what it needs. Memory is the caller's for the length of the call.
public protocol RankGroup: AnyObject {
    /// This process, from 0.
    var rank: Int { get }
    /// How many there are.
    var size: Int { get }

    /// Sends block r of `send` to rank r, and takes rank r's block for this one into block r of `receive`.
    ///
    /// - Parameters:
    ///   - send, receive: `size` blocks of `blockBytes`; they do not overlap.
    /// - Throws: where a rank is lost.
    func exchange(_ send: UnsafeRawPointer, into receive: UnsafeMutableRawPointer, blockBytes: Int) throws(RankError)

    /// Sends each rank its part of `send`, and takes the ranks' parts for this one into `receive`, both in the order of the ranks.
    ///
    /// - Parameters:
    ///   - sent: bytes for each rank; received: bytes from each, which are what that rank sends.
    /// - Throws: where a rank is lost.
    func exchange(
        _ send: UnsafeRawPointer, bytes sent: [Int], into receive: UnsafeMutableRawPointer, bytes received: [Int]
    ) throws(RankError)

    /// Gives every rank what all of them have, one after the other in the order of the ranks.
    ///
    /// - Parameters:
    ///   - send: `bytes[rank]` bytes. - receive: room for the sum of `bytes`; apart from `send`.
    ///   - bytes: of each rank, the same on all of them.
    /// - Throws: where a rank is lost.
    func gather(_ send: UnsafeRawPointer, into receive: UnsafeMutableRawPointer, bytes: [Int]) throws(RankError)

    /// Gives every rank the bytes of rank 0. The others may wait for it as long as it takes.
    ///
    /// - Throws: where a rank is lost.
    func broadcast(_ bytes: UnsafeMutableRawPointer, count: Int) throws(RankError)
}

/// One process that trains alone: what it exchanges is what it has.
public final class SingleRank: RankGroup {
    /// A group of one.
    public init() {}

    /// The only rank.
    public var rank: Int { 0 }
    /// One.
    public var size: Int { 1 }

    /// Hands itself its own block.
    public func exchange(_ send: UnsafeRawPointer, into receive: UnsafeMutableRawPointer, blockBytes: Int) {
        receive.copyMemory(from: send, byteCount: blockBytes)
    }

    /// Hands itself its own bytes.
    public func exchange(_ send: UnsafeRawPointer, bytes sent: [Int], into receive: UnsafeMutableRawPointer, bytes received: [Int]) {
        receive.copyMemory(from: send, byteCount: sent[0])
    }

    /// Hands itself its own bytes.
    public func gather(_ send: UnsafeRawPointer, into receive: UnsafeMutableRawPointer, bytes: [Int]) {
        receive.copyMemory(from: send, byteCount: bytes[0])
    }

    /// Nobody else is there.
    public func broadcast(_ bytes: UnsafeMutableRawPointer, count: Int) {}
}

extension RankGroup {
    /// Whether there is anybody to exchange with.
    public var isShared: Bool { size > 1 }

    /// The contiguous part of `0..<count` that a rank takes; parts differ by at most one.
    public func part(of count: Int, rank: Int) -> Range<Int> { count * rank / size..<count * (rank + 1) / size }

    /// This rank's part of `0..<count`.
    public func part(of count: Int) -> Range<Int> { part(of: count, rank: rank) }

    /// Whether a flag is raised on any rank.
    public func isRaisedAnywhere(_ flag: Bool) throws(RankError) -> Bool {
        guard isShared else { return flag }
        return try gathered([flag ? 1 : 0] as [UInt8], counts: [Int](repeating: 1, count: size)).contains(1)
    }

    /// The values of all ranks in their order, where rank r has `counts[r]` of them.
    public func gathered<Value: BitwiseCopyable>(_ values: [Value], counts: [Int]) throws(RankError) -> [Value] {
        precondition(counts.count == size && counts[rank] == values.count, "\(values.count) values of rank \(rank) for counts of \(counts)")
        guard isShared, let first = values.first ?? Self.zero(counts) else { return values }
        let stride = MemoryLayout<Value>.stride
        var all = [Value](repeating: first, count: counts.reduce(0, +)), failure: RankError?
        values.withUnsafeBytes { send in
            all.withUnsafeMutableBytes { receive in
                guard let to = receive.baseAddress else { return }
                do throws(RankError) {
                    try gather(send.baseAddress ?? UnsafeRawPointer(to), into: to, bytes: counts.map { $0 * stride })
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
        return all
    }

    /// The values of all ranks in their order, where ranks may have different numbers of them; one message more.
    public func gathered<Value: BitwiseCopyable>(_ values: [Value]) throws(RankError) -> (values: [Value], counts: [Int]) {
        guard isShared else { return (values, [values.count]) }
        let counts = try gathered([Int64(values.count)], counts: [Int](repeating: 1, count: size)).map { Int($0) }
        return (try gathered(values, counts: counts), counts)
    }

    /// What the ranks have for this one, in their order.
    ///
    /// - Parameters:
    ///   - values: for each rank in their order, `counts[r]` for rank r; receiving: how many come from each.
    func exchanged<Value: BitwiseCopyable>(_ values: [Value], counts: [Int], receiving: [Int]) throws(RankError) -> [Value] {
        precondition(counts.reduce(0, +) == values.count, "\(values.count) values for counts of \(counts)")
        let stride = MemoryLayout<Value>.stride
        var failure: RankError?
        let result = [Value](unsafeUninitializedCapacity: max(1, receiving.reduce(0, +))) { buffer, count in
            values.withUnsafeBytes { send in
                guard let to = buffer.baseAddress.map({ UnsafeMutableRawPointer($0) }) else { return }
                do throws(RankError) {
                    try exchange(
                        send.baseAddress ?? UnsafeRawPointer(to), bytes: counts.map { $0 * stride }, into: to,
                        bytes: receiving.map { $0 * stride })
                    count = receiving.reduce(0, +)
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
        return result
    }

    /// The bytes that rank 0 has; what others give is not looked at.
    public func broadcast(_ bytes: [UInt8]) throws(RankError) -> [UInt8] {
        guard isShared else { return bytes }
        var count = Int64(bytes.count)
        try withUnsafeMutablePointer(to: &count) { (pointer) throws(RankError) in
            try broadcast(UnsafeMutableRawPointer(pointer), count: MemoryLayout<Int64>.size)
        }
        var result = rank == 0 ? bytes : [UInt8](repeating: 0, count: Int(count)), failure: RankError?
        result.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            do throws(RankError) { try broadcast(start, count: Int(count)) } catch { failure = error }
        }
        if let failure { throw failure }
        return result
    }

    /// All bits zero, for ranks without a value of their own; nil where no rank has one.
    private static func zero<Value: BitwiseCopyable>(_ counts: [Int]) -> Value? {
        guard counts.contains(where: { $0 > 0 }) else { return nil }
        return withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { buffer in
            UnsafeMutableRawBufferPointer(buffer).initializeMemory(as: UInt8.self, repeating: 0)
            return buffer[0]
        }
    }
}

import Foundation
import TowerTraining

/// Ranks as threads of one process that exchange through memory; one may be lost on purpose.
public final class MemoryRanks: @unchecked Sendable {
    // Everything mutable is read and written under the condition's lock.
    private let condition = NSCondition()
    private var blocks: [[UInt8]?]
    private var taken = 0, round = 0, isLost = false
    let size: Int

    init(size: Int) {
        self.size = size
        blocks = [[UInt8]?](repeating: nil, count: size)
    }

    /// Runs `body` as each rank on a thread of its own; the results in the order of the ranks.
    public static func run<Result: Sendable>(_ size: Int, _ body: @escaping @Sendable (Rank) throws -> Result) throws -> [Result] {
        let meeting = MemoryRanks(size: size), results = Results<Result>(size)
        let threads = (0..<size).map { rank in
            let thread = Thread { results.set(rank, Swift.Result { try body(Rank(meeting, rank)) }) }
            thread.stackSize = 8 << 20
            thread.start()
            return thread
        }
        withExtendedLifetime(threads) { results.wait() }
        return try results.values.map { try $0.get() }
    }

    /// Everybody's bytes, once everybody has brought theirs.
    fileprivate func meet(_ rank: Int, _ bytes: [UInt8]) throws(RankError) -> [[UInt8]] {
        condition.lock()
        defer { condition.unlock() }
        while blocks[rank] != nil, !isLost { condition.wait() }
        blocks[rank] = bytes
        let now = round
        condition.broadcast()
        while !isLost, round == now, blocks.contains(where: { $0 == nil }) { condition.wait() }
        guard !isLost else { throw RankError("a rank is lost") }
        let all = blocks.map { $0 ?? [] }
        taken += 1
        if taken == size {
            taken = 0
            round += 1
            blocks = [[UInt8]?](repeating: nil, count: size)
            condition.broadcast()
        }
        return all
    }

    fileprivate func lose() {
        condition.lock()
        isLost = true
        condition.broadcast()
        condition.unlock()
    }

    /// One of them.
    public final class Rank: RankGroup {
        public let rank: Int
        private let meeting: MemoryRanks
        public private(set) var calls = 0
        /// The call at which this rank is lost.
        public var lostAt = Int.max

        init(_ meeting: MemoryRanks, _ rank: Int) {
            self.meeting = meeting
            self.rank = rank
        }

        public var size: Int { meeting.size }

        private func meet(_ bytes: UnsafeRawPointer, _ count: Int) throws(RankError) -> [[UInt8]] {
            try meet(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
        }

        private func meet(_ bytes: [UInt8]) throws(RankError) -> [[UInt8]] {
            calls += 1
            if calls == lostAt { meeting.lose() }
            return try meeting.meet(rank, bytes)
        }

        public func exchange(_ send: UnsafeRawPointer, into receive: UnsafeMutableRawPointer, blockBytes: Int) throws(RankError) {
            for (from, bytes) in try meet(send, size * blockBytes).enumerated() {
                bytes.withUnsafeBytes {
                    if let start = $0.baseAddress {
                        (receive + from * blockBytes).copyMemory(from: start + rank * blockBytes, byteCount: blockBytes)
                    }
                }
            }
        }

        public func exchange(
            _ send: UnsafeRawPointer, bytes sent: [Int], into receive: UnsafeMutableRawPointer, bytes received: [Int]
        ) throws(RankError) {
            // What each rank sends to whom goes before the bytes.
            var message = sent.flatMap { count in withUnsafeBytes(of: Int64(count)) { Array($0) } }
            message += Array(UnsafeRawBufferPointer(start: send, count: sent.reduce(0, +)))
            let all = try meet(message)
            var place = 0
            for (from, bytes) in all.enumerated() {
                let counts = bytes.withUnsafeBytes { bytes in
                    (0..<size).map { Int(bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) }
                }
                precondition(
                    counts[rank] == received[from], "rank \(from) sent \(counts[rank]) bytes where rank \(rank) expects \(received[from])")
                let start = 8 * size + counts[..<rank].reduce(0, +)
                bytes.withUnsafeBytes {
                    if let first = $0.baseAddress { (receive + place).copyMemory(from: first + start, byteCount: counts[rank]) }
                }
                place += counts[rank]
            }
        }

        public func gather(_ send: UnsafeRawPointer, into receive: UnsafeMutableRawPointer, bytes: [Int]) throws(RankError) {
            var place = 0
            for (from, block) in try meet(send, bytes[rank]).enumerated() {
                precondition(block.count == bytes[from], "rank \(from) sent \(block.count) bytes where rank \(rank) expects \(bytes[from])")
                block.withUnsafeBytes { if let start = $0.baseAddress { (receive + place).copyMemory(from: start, byteCount: $0.count) } }
                place += block.count
            }
        }

        public func broadcast(_ bytes: UnsafeMutableRawPointer, count: Int) throws(RankError) {
            let all = try meet(bytes, count)
            all[0].withUnsafeBytes { if let start = $0.baseAddress { bytes.copyMemory(from: start, byteCount: count) } }
        }
    }

    private final class Results<Result>: @unchecked Sendable {
        // Read and written under the condition's lock.
        private let condition = NSCondition()
        private var found: [Swift.Result<Result, any Error>?]

        init(_ count: Int) { found = [Swift.Result<Result, any Error>?](repeating: nil, count: count) }

        var values: [Swift.Result<Result, any Error>] { found.compactMap { $0 } }

        func set(_ index: Int, _ value: Swift.Result<Result, any Error>) {
            condition.lock()
            found[index] = value
            condition.broadcast()
            condition.unlock()
        }

        func wait() {
            condition.lock()
            while found.contains(where: { $0 == nil }) { condition.wait() }
            condition.unlock()
        }
    }
}

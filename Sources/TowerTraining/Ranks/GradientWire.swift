import Tensors
import TowerModel

/// Floats on their way between ranks. Every rank ends with the same bits, whatever its place.
final class GradientWire {
    private let ranks: any RankGroup
    private let isCompressed: Bool
    private var send: UnsafeMutableRawPointer, receive: UnsafeMutableRawPointer
    private var sendBytes = 64, receiveBytes = 64
    /// Bytes that this rank handed to others, without what the network adds.
    private(set) var sentBytes = 0

    init(_ ranks: any RankGroup, compression: GradientCompression) {
        self.ranks = ranks
        isCompressed = compression == .bfloat16
        send = .allocate(byteCount: sendBytes, alignment: 64)
        receive = .allocate(byteCount: receiveBytes, alignment: 64)
    }

    deinit {
        send.deallocate()
        receive.deallocate()
    }

    private var width: Int { isCompressed ? 2 : 4 }

    /// Replaces buffers, taken as one row of floats, by their sum over the ranks, added in the order of the ranks: each rank adds up its
    /// share of the row and hands the sums on, so that a rank sends about twice the row however many ranks there are.
    func sum(_ buffers: [(start: UnsafeMutablePointer<Float>, count: Int)]) throws(RankError) {
        let total = buffers.reduce(0) { $0 + $1.count }, size = ranks.size
        guard size > 1, total > 0 else { return }
        let block = (total + size - 1) / size, blockBytes = block * width
        prepare(send: size * blockBytes, receive: size * blockBytes)
        var place = 0
        for (start, count) in buffers {
            pack(start, count: count, into: send + place * width)
            place += count
        }
        (send + place * width).initializeMemory(as: UInt8.self, repeating: 0, count: (size * block - place) * width)
        try ranks.exchange(send, into: receive, blockBytes: blockBytes)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * block) { buffer in
            guard let sums = buffer.baseAddress else { return }
            unpack(receive, count: block, into: sums)
            for rank in 1..<size {
                unpack(receive + rank * blockBytes, count: block, into: sums + block)
                Kernels.axpy(1, sums + block, into: sums, count: block)
            }
            pack(sums, count: block, into: send)
        }
        try ranks.gather(send, into: receive, bytes: [Int](repeating: blockBytes, count: size))
        sentBytes += 2 * (size - 1) * blockBytes
        place = 0
        for (start, count) in buffers {
            unpack(receive + place * width, count: count, into: start)
            place += count
        }
    }

    /// The floats of all ranks in their order into `target`, which grows to hold them; `counts[r]` are of rank r.
    func gather(_ floats: UnsafePointer<Float>, counts: [Int], into target: inout FloatBuffer) throws(RankError) {
        let total = counts.reduce(0, +), own = counts[ranks.rank]
        grow(&target, to: total)
        guard total > 0 else { return }
        prepare(send: own * width, receive: total * width)
        pack(floats, count: own, into: send)
        try ranks.gather(send, into: receive, bytes: counts.map { $0 * width })
        sentBytes += (ranks.size - 1) * own * width
        unpack(receive, count: total, into: target.start)
    }

    /// Floats for each rank, `counts[r]` for rank r, and the floats for this one of all ranks in their order into `target`, which grows to
    /// hold them; `receiving[r]` come from rank r.
    func exchange(_ floats: UnsafePointer<Float>, counts: [Int], receiving: [Int], into target: inout FloatBuffer) throws(RankError) {
        let sent = counts.reduce(0, +), received = receiving.reduce(0, +)
        grow(&target, to: received)
        prepare(send: sent * width, receive: received * width)
        pack(floats, count: sent, into: send)
        try ranks.exchange(send, bytes: counts.map { $0 * width }, into: receive, bytes: receiving.map { $0 * width })
        sentBytes += (sent - counts[ranks.rank]) * width
        unpack(receive, count: received, into: target.start)
    }

    /// The values of all ranks in their order.
    func gather<Value: BitwiseCopyable>(_ values: [Value], counts: [Int]) throws(RankError) -> [Value] {
        sentBytes += (ranks.size - 1) * values.count * MemoryLayout<Value>.stride
        return try ranks.gathered(values, counts: counts)
    }

    private func pack(_ floats: UnsafePointer<Float>, count: Int, into bytes: UnsafeMutableRawPointer) {
        guard isCompressed else {
            bytes.copyMemory(from: floats, byteCount: 4 * count)
            return
        }
        let halves = bytes.bindMemory(to: UInt16.self, capacity: count)
        for index in 0..<count {
            let bits = floats[index].bitPattern
            // Adding may carry into the exponent, which is what rounding up to the next power of two means. What is not finite stays so.
            halves[index] = bits & 0x7F80_0000 == 0x7F80_0000
                ? UInt16(bits >> 16) | (bits & 0x007F_FFFF == 0 ? 0 : 0x40)
                : UInt16((bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
        }
    }

    private func unpack(_ bytes: UnsafeRawPointer, count: Int, into floats: UnsafeMutablePointer<Float>) {
        guard isCompressed else {
            UnsafeMutableRawPointer(floats).copyMemory(from: bytes, byteCount: 4 * count)
            return
        }
        let halves = bytes.bindMemory(to: UInt16.self, capacity: count)
        for index in 0..<count { floats[index] = Float(bitPattern: UInt32(halves[index]) << 16) }
    }

    private func prepare(send: Int, receive: Int) {
        if sendBytes < send {
            self.send.deallocate()
            sendBytes = send + send / 8
            self.send = .allocate(byteCount: sendBytes, alignment: 64)
        }
        if receiveBytes < receive {
            self.receive.deallocate()
            receiveBytes = receive + receive / 8
            self.receive = .allocate(byteCount: receiveBytes, alignment: 64)
        }
    }
}

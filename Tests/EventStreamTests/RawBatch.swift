import Foundation

/// A record batch written byte by byte (Kafka's format v2), to hold what a well-behaved producer never writes.
struct RawBatch {
    var offsetDeltas: [Int64]
    var values: [String]

    private func big<T: FixedWidthInteger>(_ number: T) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

    private func varint(_ number: Int64) -> [UInt8] {
        var rest = UInt64(bitPattern: (number << 1) ^ (number >> 63))
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private var bytes: [UInt8] {
        var records: [UInt8] = []
        for (delta, value) in zip(offsetDeltas, values) {
            // Attributes, time delta, offset delta, no key, the value, no headers.
            let body = [0] + varint(0) + varint(delta) + varint(-1) + varint(Int64(value.utf8.count)) + Array(value.utf8) + varint(0)
            records += varint(Int64(body.count)) + body
        }
        let time: Int64 = 1_700_000_000_000
        // From the attributes to the end. The checksum before it is not looked at by default.
        let last = Int32(offsetDeltas.last ?? 0)
        let rest = big(Int16(0)) + big(last) + big(time) + big(time) + big(Int64(-1)) + big(Int16(-1)) + big(Int32(-1))
        let counted = rest + big(Int32(values.count)) + records
        let framed = big(Int32(0)) + [2] + big(UInt32(0)) + counted
        return big(Int64(0)) + big(Int32(framed.count)) + framed
    }

    /// Sends a Produce request, version 3, and waits for its answer.
    func produce(topic: String, port: UInt16) throws {
        func text(_ s: String) -> [UInt8] { big(Int16(s.utf8.count)) + Array(s.utf8) }
        let batch = bytes
        let header = big(Int16(0)) + big(Int16(3)) + big(Int32(7)) + text("raw")
        let target = big(Int32(1)) + text(topic) + big(Int32(1)) + big(Int32(0)) + big(Int32(batch.count)) + batch
        let body = header + big(Int16(-1)) + big(Int16(1)) + big(Int32(5_000)) + target
        let request = big(Int32(body.count)) + body
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0, send(descriptor, request, request.count, 0) == request.count else {
            throw TimedOut(what: "no connection to port \(port)")
        }
        var answer = [UInt8](repeating: 0, count: 256)
        guard recv(descriptor, &answer, answer.count, 0) > 0 else { throw TimedOut(what: "no answer to a Produce request") }
    }
}

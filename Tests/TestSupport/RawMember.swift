#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A member of a consumer group as bytes on a connection of its own, for what no Kafka client can be brought to do at will.
public final class RawMember {
    /// What a broker says to one that joins.
    public struct Joined: Sendable {
        /// 0 where it did.
        public var error: Int16
        public var generation: Int32
        public var leader: String
        public var member: String
    }

    private let descriptor: Int32
    private let group: String
    private var correlation: Int32 = 0

    /// Connects to a broker.
    ///
    /// - Parameter address: `127.0.0.1:port`.
    public init(_ address: String, group: String, limitSeconds: Int = 30) throws {
        self.group = group
        #if canImport(Glibc)
        let stream = Int32(SOCK_STREAM.rawValue)
        #else
        let stream = SOCK_STREAM
        #endif
        descriptor = socket(AF_INET, stream, 0)
        guard descriptor >= 0 else { throw TestDatabase.Failure("no socket: \(errno)") }
        var patience = timeval(tv_sec: limitSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = (address.split(separator: ":").last.flatMap { UInt16($0) } ?? 0).bigEndian
        place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw TestDatabase.Failure("\(address) refuses connections: errno \(errno)") }
    }

    deinit { close(descriptor) }

    /// Asks to join, without waiting for the answer.
    public func join(as member: String, protocol name: String = "range") throws {
        let body =
            Self.string(group) + Self.bytes(Int32(6_000)) + Self.bytes(Int32(300_000)) + Self.string(member) + Self.bytes(Int16(-1))
            + Self.string("consumer") + Self.bytes(Int32(1)) + Self.string(name) + Self.bytes(Int32(4)) + [0, 0, 0, 0]
        try send(api: 11, version: 5, body)
    }

    /// Asks for the member's assignment, without waiting for the answer.
    public func sync(as member: String, generation: Int32) throws {
        let body = Self.string(group) + Self.bytes(generation) + Self.string(member) + Self.bytes(Int16(-1)) + Self.bytes(Int32(0))
        try send(api: 14, version: 3, body)
    }

    /// The answer to a join.
    public func joined() throws -> Joined {
        var answer = try receive()[...]
        // The time to hold back.
        _ = Self.number(&answer, 4)
        let error = Int16(truncatingIfNeeded: Self.number(&answer, 2)), generation = Int32(truncatingIfNeeded: Self.number(&answer, 4))
        let names = (0..<3).map { _ in Self.text(&answer) }
        return Joined(error: error, generation: generation, leader: names[1], member: names[2])
    }

    /// The error in the answer to a question for the assignment.
    public func synced() throws -> Int16 {
        var answer = try receive()[...]
        _ = Self.number(&answer, 4)
        return Int16(truncatingIfNeeded: Self.number(&answer, 2))
    }

    private func send(api: Int16, version: Int16, _ body: [UInt8]) throws {
        correlation += 1
        let request = Self.bytes(api) + Self.bytes(version) + Self.bytes(correlation) + Self.string("raw") + body
        let whole = Self.bytes(Int32(request.count)) + request
        guard write(descriptor, whole, whole.count) == whole.count else { throw TestDatabase.Failure("the broker hung up") }
    }

    /// The next answer, from after its correlation id.
    private func receive() throws -> [UInt8] {
        func read(_ count: Int) throws -> [UInt8] {
            var bytes: [UInt8] = []
            while bytes.count < count {
                var part = [UInt8](repeating: 0, count: count - bytes.count)
                let got = recv(descriptor, &part, part.count, 0)
                guard got > 0 else { throw TestDatabase.Failure(got == 0 ? "the broker hung up" : "no answer in time") }
                bytes += part.prefix(got)
            }
            return bytes
        }
        var header = try read(8)[...]
        return try read(Self.number(&header, 4) - 4)
    }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

    private static func string(_ text: String) -> [UInt8] { bytes(Int16(text.utf8.count)) + Array(text.utf8) }

    /// An unsigned number of `count` bytes; what is missing counts as 0.
    private static func number(_ rest: inout ArraySlice<UInt8>, _ count: Int) -> Int {
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
    }

    private static func text(_ rest: inout ArraySlice<UInt8>) -> String {
        let count = number(&rest, 2)
        defer { rest = rest.dropFirst(count) }
        return String(decoding: rest.prefix(count), as: UTF8.self)
    }
}

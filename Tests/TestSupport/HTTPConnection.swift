import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// An HTTP answer.
public struct HTTPAnswer: Sendable {
    /// 200 and so on.
    public var status: Int
    /// Header lines as they came, without the status line.
    public var headers: [String]
    /// The body as text.
    public var body: String

    /// The body as a JSON object; empty where it is none.
    public var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:]
    }
}

/// The smallest HTTP/1.1 client that a test needs: one request a connection, blocking, on loopback.
public struct HTTPConnection: Sendable {
    /// The port on 127.0.0.1.
    public var port: UInt16

    /// Names the port; nothing is opened yet.
    public init(port: UInt16) { self.port = port }

    /// Sends a request and reads the whole answer.
    ///
    /// - Throws: `TestDatabase.Failure` where the connection is refused, breaks, or says nothing for `limit` seconds.
    public func send(
        _ method: String, _ path: String, body: String? = nil, headers: [String: String] = [:], limit: Int = 20
    ) throws -> HTTPAnswer {
        #if canImport(Glibc)
        let stream = Int32(SOCK_STREAM.rawValue)
        #else
        let stream = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, stream, 0)
        guard descriptor >= 0 else { throw TestDatabase.Failure("no socket: \(errno)") }
        defer { close(descriptor) }
        var patience = timeval(tv_sec: limit, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw TestDatabase.Failure("port \(port) refuses connections: errno \(errno)") }
        var request = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        if let body {
            let isNamed = headers.keys.contains { $0.lowercased() == "content-type" }
            request += (isNamed ? "" : "Content-Type: application/json\r\n") + "Content-Length: \(body.utf8.count)\r\n"
        }
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        request += "\r\n" + (body ?? "")
        var left = Array(request.utf8)[...]
        while !left.isEmpty {
            let sent = left.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard sent > 0 else { throw TestDatabase.Failure("\(method) \(path): the connection broke while sending") }
            left = left.dropFirst(sent)
        }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw TestDatabase.Failure("\(method) \(path): no answer within \(limit) s") }
            if count == 0 { break }
            received += buffer[..<count]
        }
        return try Self.parse(received, of: "\(method) \(path)")
    }

    private static func parse(_ bytes: [UInt8], of request: String) throws -> HTTPAnswer {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let split = text.range(of: "\r\n\r\n") else {
            throw TestDatabase.Failure("\(request): the connection was closed without an answer")
        }
        var lines = text[..<split.lowerBound].components(separatedBy: "\r\n")
        let words = lines.removeFirst().split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { throw TestDatabase.Failure("\(request): no status line") }
        let body = String(text[split.upperBound...])
        let length = lines.first { $0.lowercased().hasPrefix("content-length:") }.flatMap {
            Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces))
        }
        if let length, length != body.utf8.count, !request.hasPrefix("HEAD") {
            throw TestDatabase.Failure("\(request): the answer breaks off after \(body.utf8.count) of \(length) bytes")
        }
        return HTTPAnswer(status: status, headers: lines, body: body)
    }
}

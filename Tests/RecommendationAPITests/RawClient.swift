import Dispatch
import Foundation
import Logging
import RecommendationAPI
import ServiceLifecycle
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

extension TestService {
    /// Runs a server in a group, hands over its port, and shuts it down gracefully.
    func serve(
        _ body: @escaping @Sendable (_ port: Int, _ stop: @escaping @Sendable () async -> Void) async throws -> Void
    ) async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        var configuration = configuration
        configuration.port = 0
        let logged = logged
        let server = RecommendationServer(
            operations: operations, configuration: configuration, logger: Logger(label: "test") { _ in logged.handler() },
            onListening: { port.yield($0) })
        let group = ServiceGroup(services: [server], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.makeAsyncIterator()
            let number = try #require(await iterator.next())
            do {
                try await body(number) { await group.triggerGracefulShutdown() }
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}

/// A socket that sends what no client would. It blocks threads of its own, never those of the service.
final class RawClient: Sendable {
    private let descriptor: Int32
    #if canImport(Glibc)
    private static let noSignal: Int32 = 0x4000  // MSG_NOSIGNAL
    #else
    private static let noSignal: Int32 = 0
    #endif
    private static let threads = DispatchQueue(label: "raw-clients", attributes: .concurrent)

    /// - Parameter receiveBytes: how much the system takes in before anybody reads; nil for what it likes.
    init(port: Int, receiveBytes: Int32? = nil) throws {
        #if canImport(Glibc)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        try #require(descriptor >= 0)
        var patience = timeval(tv_sec: 300, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        if var receiveBytes { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBytes, socklen_t(MemoryLayout<Int32>.size)) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        try #require(connected == 0)
    }

    deinit { close(descriptor) }

    private func blocking<Value: Sendable>(_ work: @escaping @Sendable (Int32) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Self.threads.async { [self] in continuation.resume(returning: work(descriptor)) }
        }
    }

    /// Sends all of the text, or as much as the other side takes.
    func send(_ text: String) async {
        await blocking { descriptor in
            var left = Array(text.utf8)[...]
            while !left.isEmpty {
                let sent = left.withUnsafeBytes { sendto(descriptor, $0.baseAddress, $0.count, Self.noSignal, nil, 0) }
                guard sent > 0 else { return }
                left = left.dropFirst(sent)
            }
        }
    }

    /// Everything until the other side closes, or breaks off.
    func receiveAll() async -> String { await receive { _ in false } }

    /// What comes until it holds `end`.
    func receive(until end: String) async -> String { await receive { $0.contains(end) } }

    /// Whether the other side has closed; waits until it does or sends something.
    func isClosed() async -> Bool { await receive { !$0.isEmpty }.isEmpty }

    private func receive(_ isEnough: @escaping @Sendable (String) -> Bool) async -> String {
        await blocking { descriptor in
            var received: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                received += buffer[..<count]
                if received.count < 1 << 20, isEnough(String(decoding: received, as: UTF8.self)) { break }
            }
            return String(decoding: received, as: UTF8.self)
        }
    }

    /// Sends a request and reads until the other side closes.
    static func ask(_ port: Int, _ text: String) async throws -> String {
        let client = try RawClient(port: port)
        await client.send(text)
        return await client.receiveAll()
    }

    /// Asks for a path in the ordinary way.
    static func get(_ port: Int, _ path: String) async throws -> String {
        try await ask(port, "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    }
}

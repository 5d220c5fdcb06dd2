import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A door in front of a server on loopback: what goes through it can be cut off and let in again, as when the server restarts.
public final class Gate: @unchecked Sendable {
    // Everything mutable is read and written under the lock.
    private let lock = NSLock()
    private let target: UInt16
    private var listener: Int32 = -1
    private var open: Set<Int32> = []
    /// Connections through which nothing passes any more, and whether new ones are like that.
    private var silent: Set<Int32> = []
    private var isSilent = false
    /// Connections whose bytes wait at the gate.
    private var held: Set<Int32> = []

    /// Where clients connect.
    public private(set) var port: UInt16 = 0

    /// Opens the door to a port on 127.0.0.1.
    public init(to target: UInt16) throws {
        self.target = target
        try letIn()
    }

    deinit { cutOff() }

    /// Ends every connection; new ones are refused.
    public func cutOff() {
        let descriptors = lock.withLock {
            defer { listener = -1 }
            return (listener, open)
        }
        if descriptors.0 >= 0 {
            shutdown(descriptors.0, Int32(SHUT_RDWR))
            close(descriptors.0)
        }
        for descriptor in descriptors.1 { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    /// Lets nothing pass any more through the connections that are there, without ending them, as a network does that drops packets.
    public func silence(newConnections: Bool) {
        lock.withLock {
            silent.formUnion(open)
            isSilent = newConnections
        }
    }

    /// Lets nothing pass for now through the connections that are there, and nothing at all through new ones.
    public func hold() {
        lock.withLock {
            held.formUnion(open)
            isSilent = true
        }
    }

    /// Lets pass what was held, as a network does that was only slow. New connections stay silent.
    public func release() { lock.withLock { held = [] } }

    /// Lets new connections pass again. Those that fell silent stay so.
    public func speak() { lock.withLock { isSilent = false } }

    /// Whether the gate still holds a connection; once it is cut off, or its client has gone, it does not.
    private func isOpen(_ descriptor: Int32) -> Bool {
        var state = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&state, 1, 0) >= 0 && Int32(state.revents) & Int32(POLLHUP | POLLERR) == 0 && lock.withLock { listener >= 0 }
    }

    private func isSilent(_ descriptor: Int32) -> Bool { lock.withLock { silent.contains(descriptor) } }
    private func isHeld(_ descriptor: Int32) -> Bool { lock.withLock { held.contains(descriptor) } }

    /// Lets connections in again, on the same port.
    public func letIn() throws {
        let descriptor = Self.socket()
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = Self.loopback(port)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard bound == 0, listen(descriptor, 64) == 0 else { throw TestDatabase.Failure("no gate: errno \(errno)") }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        port = UInt16(bigEndian: address.sin_port)
        lock.withLock { listener = descriptor }
        Thread { [weak self, target] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else { return }
                var address = Self.loopback(target)
                let server = Self.socket()
                let connected = withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
                guard connected == 0, let gate = self else {
                    close(client)
                    close(server)
                    continue
                }
                gate.join(client, server)
            }
        }.start()
    }

    private func join(_ client: Int32, _ server: Int32) {
        lock.withLock {
            open.formUnion([client, server])
            if isSilent { silent.formUnion([client, server]) }
        }
        let pair = DispatchGroup()
        for (from, to) in [(client, server), (server, client)] {
            pair.enter()
            Thread { [weak self] in
                var buffer = [UInt8](repeating: 0, count: 65_536)
                copying: while true {
                    let count = read(from, &buffer, buffer.count)
                    guard count > 0 else { break }
                    // Nothing is read any more either, so that the sender's buffers fill.
                    if self?.isSilent(from) == true {
                        while self?.isOpen(from) == true { usleep(50_000) }
                        break
                    }
                    while self?.isHeld(from) == true, self?.isOpen(from) == true { usleep(50_000) }
                    var sent = 0
                    while sent < count {
                        let more = buffer[sent..<count].withUnsafeBytes { send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                        guard more > 0 else { break copying }
                        sent += more
                    }
                }
                shutdown(from, Int32(SHUT_RDWR))
                shutdown(to, Int32(SHUT_RDWR))
                pair.leave()
            }.start()
        }
        Thread { [weak self] in
            pair.wait()
            self?.lock.withLock {
                _ = self?.open.subtract([client, server])
                _ = self?.silent.subtract([client, server])
                _ = self?.held.subtract([client, server])
            }
            close(client)
            close(server)
        }.start()
    }

    private static func socket() -> Int32 {
        #if canImport(Glibc)
        Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        Darwin.socket(AF_INET, SOCK_STREAM, 0)
        #endif
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

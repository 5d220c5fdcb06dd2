#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Whether only this machine can reach what listens on an address.
public enum LoopbackAddress {
    /// True where every address that `host` stands for is loopback: 127.0.0.0/8, `::1`, and the former written as IPv6.
    ///
    /// Names are resolved as the service resolves them to listen, since `127.example.org` may lie anywhere. One that does not resolve is
    /// not loopback.
    public static func isAll(of host: String) -> Bool {
        guard !host.isEmpty, !host.utf8.contains(0) else { return false }
        var hints = addrinfo()
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        hints.ai_flags = AI_PASSIVE
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &first) == 0, first != nil else { return false }
        defer { freeaddrinfo(first) }
        var next = first
        while let found = next {
            guard let address = found.pointee.ai_addr, isLoopback(address) else { return false }
            next = found.pointee.ai_next
        }
        return true
    }

    private static func isLoopback(_ address: UnsafePointer<sockaddr>) -> Bool {
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            let number = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr
            return UInt32(bigEndian: number) >> 24 == 127
        case AF_INET6:
            let bytes = withUnsafeBytes(of: UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self).sin6_addr) { Array($0) }
            let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 127]
            return bytes == [UInt8](repeating: 0, count: 15) + [1] || bytes.starts(with: mapped)
        default: return false
        }
    }
}

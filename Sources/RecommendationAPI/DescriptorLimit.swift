#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// How many files and sockets the process may have open at once.
public enum DescriptorLimit {
    #if canImport(Glibc)
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
    private static let resource = RLIMIT_NOFILE
    #endif

    /// Raises the limit to the hard one, as far as the system lets it, and gives back the limit that is in force then.
    @discardableResult
    public static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 1_024 }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(resource, &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// What is said at the start where the limit leaves room for fewer connections than the settings ask for, or nil.
    ///
    /// - Parameters:
    ///   - room: connections that the limit leaves room for.
    ///   - maxConnections: `http.max_connections`, nil where nobody set it: then each request that is answered at once needs one.
    package static func shortage(room: Int, maxConnections: Int?, maxConcurrentRequests: Int) -> String? {
        let advice = "that many are taken; raise it for more"
        if let maxConnections {
            guard maxConnections > room else { return nil }
            return "http.max_connections is \(maxConnections), and the limit of open files (ulimit -n) leaves room for \(room): \(advice)"
        }
        guard maxConcurrentRequests > room else { return nil }
        return "the limit of open files (ulimit -n) leaves room for \(room) connections, fewer than http.max_concurrent_requests "
            + "(\(maxConcurrentRequests)): \(advice)"
    }

    /// The most connections that leave room for all else that a process opens (databases, brokers, files, timers of the runtime): a
    /// quarter of the descriptors, at least 64 and at most 512, is kept for that.
    public static func connections(ofDescriptors descriptors: Int) -> Int {
        max(1, descriptors - min(512, max(64, descriptors / 4)))
    }
}

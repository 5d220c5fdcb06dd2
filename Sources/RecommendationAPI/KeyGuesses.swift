import NIOCore
import Synchronization

/// Slows down whoever guesses keys: an address that sent too many wrong ones waits.
///
/// While it waits a right key of it is refused, too, or else the answer would tell which guess was right; but not a key that opened the
/// service from that address before, so that nobody behind the same proxy keeps others out. The tables have a fixed size: addresses beyond
/// it share places, at random for the process.
package final class KeyGuesses: Sendable {
    /// Places for addresses that sent wrong keys, and as many for addresses with a key that opened.
    package static let places = 4_096
    /// Wrong keys a second that an address may send in the long run.
    package static let wrongPerSecond = 1
    /// Wrong keys that it may send at once before that.
    package static let burst = 20
    /// Time between two sentences at least.
    private static let tellEvery = Duration.seconds(60)

    private let wrong: RateLimit
    /// Hashes of addresses with the number of a caller whose key opened the service from there.
    private let opened = AtomicCounters(count: places)
    private let told = Mutex<(at: ContinuousClock.Instant?, refused: Int)>((nil, 0))

    /// Tables without an entry.
    package init(now: ContinuousClock.Instant) {
        wrong = RateLimit(requestsPerSecond: Self.wrongPerSecond, burstRequests: Self.burst, callers: Self.places, now: now)
    }

    /// What stands for an address: an IPv4 address, or the first 64 bits of an IPv6 one, which one caller has for itself. nil where a
    /// connection has none.
    package static func origin(_ address: SocketAddress?) -> UInt64? {
        var hasher = Hasher()
        switch address {
        case .v4(let address): withUnsafeBytes(of: address.address.sin_addr) { hasher.combine(bytes: $0) }
        case .v6(let address):
            withUnsafeBytes(of: address.address.sin6_addr) { bytes in
                let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
                hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: isMapped ? bytes[12...] : bytes[..<8]))
            }
        default: return nil
        }
        return UInt64(truncatingIfNeeded: hasher.finalize())
    }

    /// A wrong key came.
    /// - Returns: the seconds that its address has to wait, or nil where it may try again at once.
    package func wrongKey(from origin: UInt64, now: ContinuousClock.Instant) -> Int? {
        wrong.admit(caller: Self.place(origin), now: now)
    }

    /// A right key came.
    /// - Returns: the seconds that its address has to wait, or nil where the key opens.
    package func rightKey(of caller: Int, from origin: UInt64, now: ContinuousClock.Instant) -> Int? {
        var hasher = Hasher()
        hasher.combine(origin)
        hasher.combine(caller)
        let mark = UInt64(truncatingIfNeeded: hasher.finalize()) | 1, place = Self.place(mark >> 1)
        let known = opened[place]
        if known == mark { return nil }
        if let wait = wrong.wait(caller: Self.place(origin), now: now) { return wait }
        _ = opened.exchange(place, from: known, to: mark)
        return nil
    }

    /// A sentence for the log about a refusal, at most every minute: how many there were since the last one.
    package func tell(_ address: SocketAddress?, now: ContinuousClock.Instant) -> String? {
        let refused: Int? = told.withLock { told in
            told.refused += 1
            if let at = told.at, at.duration(to: now) < Self.tellEvery { return nil }
            defer { told = (now, 0) }
            return told.refused
        }
        return refused.map { count in
            "keys are being guessed, the last one from \(address?.ipAddress ?? "an unknown address"): \(count) "
                + "\(count == 1 ? "request was" : "requests were") refused with 429 since this was told last"
        }
    }

    private static func place(_ hash: UInt64) -> Int { Int(hash % UInt64(places)) }
}

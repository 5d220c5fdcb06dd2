/// When a role gives back what it has freed: once it has grown by a part of what it had after the last time.
///
/// A backlog comes in batches many times as large as those of a calm hour, floods bring connections, bodies and answers, and items come in
/// waves: the allocator keeps the pages of their many small pieces until it is told to let go of them.
public struct GrowthWatch: Sendable {
    /// Growth that is left alone, in percent of what the process had.
    public static let leastGrowthPercent = 5
    /// Growth that is left alone in any case, in bytes.
    public static let leastGrowthBytes = 2 << 20
    /// Time between two looks at least: what a look leads to takes milliseconds.
    public static let pause = Duration.seconds(20)

    private var base: Int?
    private var lookedAt: ContinuousClock.Instant?

    /// A watch that has seen nothing yet.
    public init() {}

    /// Called as often as it suits the caller; true where it is time to give back.
    ///
    /// - Parameter bytes: what the process has; asked at most every ``pause``.
    public mutating func isDue(at now: ContinuousClock.Instant, bytes: () -> Int?) -> Bool {
        if let lookedAt, lookedAt.duration(to: now) < Self.pause { return false }
        lookedAt = now
        guard let bytes = bytes() else { return false }
        // What went by itself is not waited for a second time.
        let least = min(base ?? bytes, bytes)
        base = least
        return bytes - least >= max(Self.leastGrowthBytes, least / 100 * Self.leastGrowthPercent)
    }

    /// Told what was left.
    public mutating func gaveBack(bytes: Int?) { base = bytes ?? base }
}

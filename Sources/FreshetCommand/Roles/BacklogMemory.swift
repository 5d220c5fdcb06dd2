/// When ingest gives back what it has freed: a backlog comes in batches many times as large as those of a calm hour, and glibc keeps the
/// pages of their many small pieces.
struct BacklogMemory {
    /// Time between two returns at least; each takes milliseconds.
    static let pause = Duration.seconds(30)
    /// Records between two returns at least.
    static let leastRecords = 5_000

    private var returnedRecords = 0
    private var returnedAt: ContinuousClock.Instant?

    /// Told at every poll how many records there were so far; true where it is time to give back.
    mutating func isDue(records: Int, at now: ContinuousClock.Instant) -> Bool {
        guard let last = returnedAt else {
            returnedAt = now
            return false
        }
        guard records - returnedRecords >= Self.leastRecords, last.duration(to: now) >= Self.pause else { return false }
        returnedRecords = records
        returnedAt = now
        return true
    }
}

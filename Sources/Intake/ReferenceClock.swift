import Interactions

/// What time it is when a record is judged by whether it lies in the future.
///
/// A machine's own clock may be minutes off, and would make dead letters of live events or take what lies ahead. So PostgreSQL's clock
/// counts, which all consumers share; between two looks at it the time goes on by the monotonic clock, so that steps of the wall clock
/// change nothing. Where the broker dates records itself, that time is a third witness, and the middle one of the three counts.
public struct ReferenceClock: Sendable {
    /// From which difference on somebody should be told.
    public static let toleranceMilliseconds: Int64 = 5_000

    private var anchor: (database: EventTime, at: ContinuousClock.Instant)?
    private var toldMilliseconds: Int64 = 0

    /// A clock that knows only the machine's.
    public init() {}

    /// Whether the database was asked.
    public var isSet: Bool { anchor != nil }

    /// How long ago the database was asked; nil: never.
    public func age(at instant: ContinuousClock.Instant = .now) -> Duration? { anchor.map { $0.at.duration(to: instant) } }

    /// Takes what the database said, and when.
    public mutating func set(database: EventTime, at instant: ContinuousClock.Instant = .now) { anchor = (database, instant) }

    /// The database's time; nil where it was not asked.
    public func database(at instant: ContinuousClock.Instant = .now) -> EventTime? {
        anchor.map { EventTime(milliseconds: $0.database.milliseconds + Int64($0.at.duration(to: instant) / .milliseconds(1))) }
    }

    /// What time it is.
    ///
    /// - Parameters:
    ///   - local: the machine's own clock.
    ///   - appended: when the broker took the record at hand, where it says so.
    public func now(local: EventTime, appended: EventTime? = nil, at instant: ContinuousClock.Instant = .now) -> EventTime {
        guard let database = database(at: instant) else { return max(local, appended ?? local) }
        // An old record only says that it is later than then.
        guard let appended, appended > min(local, database) else { return database }
        return max(min(local, database), min(max(local, database), appended))
    }

    /// How far the machine's clock is ahead of the database's, in milliseconds; negative: behind.
    public func aheadMilliseconds(local: EventTime, at instant: ContinuousClock.Instant = .now) -> Int64 {
        database(at: instant).map { local.milliseconds - $0.milliseconds } ?? 0
    }

    /// A sentence where the two clocks differ by more than ``toleranceMilliseconds`` and nobody was told of so much; nil otherwise.
    public mutating func disagreement(local: EventTime, at instant: ContinuousClock.Instant = .now) -> String? {
        let ahead = aheadMilliseconds(local: local, at: instant)
        guard abs(ahead) > Self.toleranceMilliseconds else {
            toldMilliseconds = 0
            return nil
        }
        guard abs(ahead - toldMilliseconds) > Self.toleranceMilliseconds else { return nil }
        toldMilliseconds = ahead
        return """
            this machine's clock is \(abs(ahead) / 1_000) s \(ahead < 0 ? "behind" : "ahead of") PostgreSQL's; what lies in the future is \
            measured by PostgreSQL's: set both clocks by a time server
            """
    }
}

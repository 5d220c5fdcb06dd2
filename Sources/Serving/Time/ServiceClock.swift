import Console
import Intake
import Interactions
import Synchronization

/// What time it is for records that come in over HTTP: PostgreSQL's time, as for the consumer that reads them, so that a machine whose
/// clock is off neither refuses what is live nor dates it wrongly.
package final class ServiceClock: Sendable {
    private let reference = Mutex(ReferenceClock())

    /// The machine's own time.
    package init() {}

    /// What time it is; the machine's own time until the database was asked.
    package func now() -> EventTime { reference.withLock { $0.now(local: .now) } }

    /// How far the machine's clock is ahead of the database's, in seconds; negative: behind.
    package var aheadSeconds: Double { reference.withLock { Double($0.aheadMilliseconds(local: .now)) / 1_000 } }

    /// Takes what the database said; a sentence where the clocks differ and nobody was told yet.
    package func set(database: EventTime, at instant: ContinuousClock.Instant) -> String? {
        reference.withLock { clock in
            clock.set(database: database, at: instant)
            return clock.disagreement(local: .now)
        }
    }
}

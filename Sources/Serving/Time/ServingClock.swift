import Interactions

/// What 'now' means to the learned and the decayed: the wall clock, or the newest accepted event.
package final class ServingClock: Sendable {
    private let dataClock: SnapshotCell<EventTime?>

    /// A wall clock when `followsData` is false.
    package init(followsData: Bool) {
        self.followsData = followsData
        dataClock = SnapshotCell(nil)
    }

    private let followsData: Bool
    /// The clock on the wall, as PostgreSQL has it.
    package let wall = ServiceClock()

    /// What time it is.
    package var now: EventTime {
        followsData ? dataClock.current ?? wall.now() : wall.now()
    }

    /// Tells the newest accepted event's time.
    package func advance(to time: EventTime?) {
        guard let time else { return }
        dataClock.replace(by: time)
    }
}

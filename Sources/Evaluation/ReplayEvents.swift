/// Events in the order of time, as a replay walks them.
public struct ReplayEvents: Sendable {
    /// One event.
    public struct Event: Sendable, Equatable {
        /// Rows of user and item.
        public var user, item: Int32
        /// The type's number, as the caller counts them.
        public var type: UInt8
        /// Milliseconds since 1970.
        public var time: Int64
        /// What the event is worth, such as the money that was paid; in any unit, 0 for nothing.
        public var gain: Double

        /// Makes an event.
        public init(user: Int32, item: Int32, type: UInt8 = 1, time: Int64, gain: Double = 0) {
            self.gain = gain
            self.user = user
            self.item = item
            self.type = type
            self.time = time
        }
    }

    /// Ascending by time; events of one time in the order in which they were given.
    public let all: [Event]

    /// Sorts the events by time. Those of one user at one time keep their order.
    public init(_ events: [Event]) {
        let order = events.indices.sorted { events[$0].time != events[$1].time ? events[$0].time < events[$1].time : $0 < $1 }
        all = order.map { events[$0] }
    }

    /// The place of the first event later than `time`.
    public func firstPlace(after time: Int64) -> Int {
        var low = 0, high = all.count
        while low < high {
            let middle = (low + high) / 2
            if all[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The events of one instant, by user.
    ///
    /// What happened at one instant has no order that a program may use, so everybody's items are predicted before any of them is
    /// learned. Of one user they are one question with several right answers: events of one user at the same time (the same second,
    /// where a log has whole seconds) are one group.
    public struct Instant: Sendable {
        /// Milliseconds since 1970.
        public var time: Int64
        /// Places of the events in ``ReplayEvents/all``.
        public var places: Range<Int>
        /// The places of each user's events, users in the order of their first one.
        public var groups: [(user: Int32, places: [Int])]
    }

    /// The instant that begins at `place`. An instant is never cut: it may reach beyond a bound that a caller has in mind.
    public func instant(at place: Int) -> Instant {
        let time = all[place].time
        var end = place
        var groups: [(user: Int32, places: [Int])] = []
        var known: [Int32: Int] = [:]
        while end < all.count, all[end].time == time {
            let user = all[end].user
            if let group = known[user] {
                groups[group].places.append(end)
            } else {
                known[user] = groups.count
                groups.append((user, [end]))
            }
            end += 1
        }
        return Instant(time: time, places: place..<end, groups: groups)
    }
}

/// What one user did so far.
public struct ReplayUser: Sendable {
    /// The item row of each event, oldest first.
    public private(set) var items: [Int32] = []
    /// The type of each event, in the order of ``items``.
    public private(set) var types: [UInt8] = []
    /// The time of each event, in milliseconds since 1970.
    public private(set) var times: [Int64] = []
    /// What was paid, in minor units; 0 where nothing was, and at most the largest number.
    public private(set) var paid: [UInt32] = []
    /// Items that the rules keep out of this user's answers.
    public private(set) var excluded: Set<Int32> = []

    /// Nobody's past.
    public init() {}

    /// Adds an event; `excludes` keeps its item out of later answers.
    package mutating func append(_ event: ReplayEvents.Event, excludes: Bool) {
        items.append(event.item)
        types.append(event.type)
        times.append(event.time)
        paid.append(UInt32(min(max(event.gain, 0), Double(UInt32.max))))
        if excludes { excluded.insert(event.item) }
    }
}

/// Something that ranks items for users while events go by: a rival, or a whole recommender.
public protocol ReplayRanker {
    /// The name in reports.
    var name: String { get }
    /// The best `count` item rows for a user at a time, best first, without those that `isExcluded` names.
    mutating func rank(_ count: Int, for user: Int32, past: borrowing ReplayUser, at time: Int64, isExcluded: (Int32) -> Bool) throws
        -> [Int32]
    /// Takes in an event that has just happened. `past` is the user's without it. Events come in the order of time.
    mutating func learn(_ event: ReplayEvents.Event, past: borrowing ReplayUser) throws
}

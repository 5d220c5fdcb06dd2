import Interactions

extension Shop {
    /// A past log: what users did with the lists of an ordinary shop, which mixes what is popular, what is new, and the categories
    /// that the user likes.
    ///
    /// - Parameters:
    ///   - count: How many events; visits are spread evenly over the time.
    ///   - start: No event is before it.
    ///   - end: No event is after it.
    ///   - body: Takes the events in the order of time; ids and offsets follow that order.
    public mutating func history(
        events count: Int, from start: EventTime, to end: EventTime, _ body: (Interaction) throws -> Void
    ) rethrows {
        precondition(start <= end, "a history from \(start.rfc3339()) to \(end.rfc3339()) runs backwards")
        let first = eventCount
        var pending: [Interaction] = []
        var nextSort = 256
        var made = 0
        var given: Int64 = 0
        let span = Double(end.milliseconds - start.milliseconds)

        func give(_ event: Interaction) throws {
            // Visits overlap: the numbers are given in the order of time.
            var event = event
            event.position.offset = first + given
            event.eventID = "sim\(String(seed, radix: 36))-\(first + given)"
            event.payloadHash = event.contentHash()
            given += 1
            try body(event)
        }

        while made < count {
            let now = start.milliseconds + Int64(span * Double(made) / Double(count))
            // Later visits begin no earlier, so that what lies before this one is complete.
            if pending.count >= nextSort {
                pending.sort(by: Self.isEarlier)
                let complete = pending.prefix { $0.time.milliseconds < now }.count
                for event in pending[..<complete] { try give(event) }
                pending.removeFirst(complete)
                // Waits until the rest has doubled, so that sorting stays cheap however many visits overlap.
                nextSort = 256 + 2 * pending.count
            }
            let visit = shopper(nextAt: EventTime(milliseconds: now))
            var clock = now
            for _ in 0..<visit.lists where made < count {
                for event in pastList(visit, at: clock) where made < count {
                    var event = event
                    event.time = min(event.time, end)
                    clock = max(clock, event.time.milliseconds)
                    pending.append(event)
                    made += 1
                }
                clock += 10_000
            }
        }
        pending.sort(by: Self.isEarlier)
        for event in pending { try give(event) }
        eventCount = first + given
    }

    /// A past log as an array, in the order of time.
    public mutating func history(events count: Int, from start: EventTime, to end: EventTime) -> [Interaction] {
        var events: [Interaction] = []
        events.reserveCapacity(count)
        history(events: count, from: start, to: end) { events.append($0) }
        return events
    }

    private static func isEarlier(_ left: Interaction, _ right: Interaction) -> Bool {
        (left.time, left.position.offset) < (right.time, right.position.offset)
    }

    /// One list of the ordinary shop and what comes of it.
    private mutating func pastList(_ visit: ShopVisit, at time: Int64) -> [Interaction] {
        let taste = taste(of: visit.userID)
        var shown: [Int] = []
        for _ in 0..<configuration.slateItems {
            if let row = browse(taste, at: time), !shown.contains(row) { shown.append(row) }
        }
        let itemIDs = shown.map { items[$0].record.itemID }
        let at = EventTime(milliseconds: time)
        guard configuration.logsImpressions else {
            return react(userID: visit.userID, sessionID: visit.sessionID, shown: itemIDs, at: at)
        }
        let requestID = "r\(visit.sessionID)-\(eventCount)"
        var events: [Interaction] = []
        for (slot, itemID) in itemIDs.enumerated() {
            events.append(
                interaction(
                    .impression, userID: visit.userID, itemID: itemID, at: time, sessionID: visit.sessionID,
                    requestID: requestID, slot: Int32(slot)))
        }
        return events
            + react(userID: visit.userID, sessionID: visit.sessionID, shown: itemIDs, requestID: requestID, at: at)
    }
}

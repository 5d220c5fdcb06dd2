import Interactions

/// Events that count for their items and whose user is not kept: `counted_events` holds of each a digest of its id and time, so that a
/// repeat counts once, and nothing that leads to a person.
enum CountedEvents {
    /// SQL: the day and the digest of rows `n` of `event_time` and `event_id`.
    private static let key = """
        (n.event_time at time zone 'UTC')::date as day,
        substring(sha256(convert_to(n.event_id || ' ' || extract(epoch from n.event_time)::numeric(30, 6)::text, 'UTF8')) for 16) as digest
        """

    /// Of events whose key occurs once among them, those that were neither stored nor counted before; they are counted from now on.
    static func count(_ events: [Interaction], _ connection: Connection) throws(StoreError) -> Set<Int> {
        if events.isEmpty { return [] }
        let rows = try connection.run(
            """
            select n.place, n.day::text, encode(n.digest, 'hex') from (
                select n.place, n.event_time, n.event_id, \(key) from \(source)
            ) n
            where not exists (select from interactions i where i.event_time = n.event_time and i.event_id = n.event_id collate "C")
            order by n.day, n.digest
            """, parameters(events))
        if rows.count == 0 { return [] }
        var keys = Parameters()
        keys.add(count: rows.count, text: { rows.string($0, 1) })
        keys.add(count: rows.count, text: { rows.string($0, 2) })
        let counted = try connection.run(
            """
            insert into counted_events (day, digest)
            select day::date, decode(digest, 'hex') from unnest($1::text[], $2::text[]) n(day, digest) on conflict do nothing
            returning encode(digest, 'hex')
            """, keys)
        if counted.count == rows.count { return Set((0..<rows.count).map { Int(rows.int64($0, 0) ?? 1) - 1 }) }
        let new = Set((0..<counted.count).map { counted.string($0, 0) ?? "" })
        return Set((0..<rows.count).filter { new.contains(rows.string($0, 2) ?? "") }.map { Int(rows.int64($0, 0) ?? 1) - 1 })
    }

    /// Those of the events that were counted before.
    static func known(among events: [Interaction], _ connection: Connection) throws(StoreError) -> Set<Int> {
        if events.isEmpty { return [] }
        let rows = try connection.run(
            """
            select n.place from (select n.place, \(key) from \(source)) n
            where exists (select from counted_events c where c.day = n.day and c.digest = n.digest)
            """, parameters(events))
        return Set((0..<rows.count).map { Int(rows.int64($0, 0) ?? 1) - 1 })
    }

    private static let source = "unnest($1::timestamptz[], $2::text[]) with ordinality n(event_time, event_id, place)"

    private static func parameters(_ events: [Interaction]) -> Parameters {
        var parameters = Parameters()
        parameters.add(count: events.count, time: { events[$0].time })
        parameters.add(count: events.count, text: { events[$0].eventID })
        return parameters
    }
}

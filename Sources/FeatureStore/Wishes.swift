import Interactions

/// What people wish of personalisation: a register of its own beside their records, in which the newest word of a person holds for all
/// their ids.
///
/// A record without `personalised` changes nothing, so that a sender who does not know of it takes no wish back. What is stored when
/// somebody says no stays for the export, an erasure, and a later yes; nobody reads it meanwhile.
enum Wishes {
    /// Users that name an id as theirs and are followed from it: one that more name is nobody's in particular.
    static let namingUsersLimit = 100
    /// Ids of one person that are followed.
    static let idsLimit = 10_000

    /// What somebody said of an id.
    struct Wish: Equatable {
        var userID: String
        var isPersonalised: Bool
        var time: EventTime
    }

    /// SQL: a condition that leaves out the rows, called `row`, of users who do not want personalisation; nothing where there are none.
    static func visible(_ row: String, _ connection: Connection) throws(StoreError) -> String {
        guard try connection.run("select exists (select from wishes where not personalised)").bool(0, 0) else { return "" }
        return " and not exists (select from wishes w where w.user_id = \(row).user_id and not w.personalised)"
    }

    /// Whether the wishes, or ids that are joined now, may change what holds for an id: only alone among commits, then.
    ///
    /// - Parameter joined: ids that records or events name as those of one person, the user's own first.
    static func mayChange(_ wishes: [Wish], joined: [[String]], _ ledger: WishLedger) -> Bool {
        let isSaid = wishes.contains { wish in
            let known = ledger[wish.userID]
            return wish.isPersonalised ? known.map { !$0.isPersonalised } ?? false : known.map(\.isPersonalised) ?? true
        }
        return isSaid || joined.contains { isMixed($0, ledger) }
    }

    /// Whether something holds for some of the ids that does not hold for all.
    private static func isMixed(_ ids: [String], _ ledger: WishLedger) -> Bool {
        if ledger.isEmpty { return false }
        let against = ids.count { ledger[$0].map { !$0.isPersonalised } ?? false }
        return against > 0 && against < ids.count
    }

    /// Writes wishes and takes them over for all ids of each person, in the open transaction; records are written before.
    static func write(
        _ wishes: [Wish], joined: [[String]], ledger: inout WishLedger, batch: IngestBatch, _ connection: Connection
    ) throws(StoreError) {
        let changes = mayChange(wishes, joined: joined, ledger)
        if !wishes.isEmpty { try say(wishes, connection) }
        guard changes else { return }
        var seeds = Set(wishes.map(\.userID))
        for ids in joined where isMixed(ids, ledger) { if let first = ids.first { seeds.insert(first) } }
        for seed in seeds.sorted() { try spread(from: seed, connection) }
        try ledger.refresh(connection, batch: batch)
    }

    /// Stores what was said of ids themselves, where it is not older than what is known.
    private static func say(_ wishes: [Wish], _ connection: Connection) throws(StoreError) {
        let sorted = wishes.sorted { $0.userID < $1.userID }
        try set(sorted, own: true, where: "n.wished_at >= w.wished_at", connection)
    }

    /// Sets rows. What changes for an id gets a new number.
    private static func set(_ wishes: [Wish], own: Bool, where condition: String, _ connection: Connection) throws(StoreError) {
        if wishes.isEmpty { return }
        var rows = Parameters()
        rows.add(count: wishes.count, text: { wishes[$0].userID })
        rows.add(count: wishes.count) { wishes[$0].isPersonalised ? Int64(1) : 0 }
        rows.add(count: wishes.count, time: { wishes[$0].time })
        rows.add(own)
        let source = "unnest($1::text[], $2::int8[], $3::timestamptz[]) n(user_id, said, wished_at)"
        try connection.run(
            """
            insert into wishes (user_id, personalised, wished_at, own)
            select user_id, said = 1, wished_at, $4 from \(source) order by user_id collate "C" on conflict do nothing
            """, rows)
        try connection.run(
            """
            update wishes w set wished_at = n.wished_at, own = $4 from \(source)
            where w.user_id = n.user_id collate "C" and w.personalised = (n.said = 1) and \(condition)
                and (w.wished_at, w.own) is distinct from (n.wished_at, $4)
            """, rows)
        try connection.run(
            """
            update wishes w set personalised = n.said = 1, wished_at = n.wished_at, own = $4, wish_id = default,
                lifted_at = case when n.said = 1 then greatest(n.wished_at, w.wished_at) else w.lifted_at end
            from \(source)
            where w.user_id = n.user_id collate "C" and w.personalised <> (n.said = 1) and \(condition)
            """, rows)
    }

    /// The newest that was said of any id of a person holds for all of them; of two at one moment the no.
    private static func spread(from seed: String, _ connection: Connection) throws(StoreError) {
        var id = Parameters()
        id.add(seed)
        let rows = try connection.run(
            """
            with recursive naming(id, depth) as (
                select $1::text collate "C", 0
                union
                select n.user_id, depth + 1 from naming m cross join lateral (
                    select user_id from users where aliases @> array[m.id collate "default"] and aliases <> '{}'
                    limit \(namingUsersLimit)) n
                where depth < 2
            ), person(id, depth) as (
                select id, 0 from naming
                union
                select alias collate "C", depth + 1 from person p join users u on u.user_id = p.id cross join unnest(u.aliases) alias
                where depth < 3
            ), met as materialized (select id from person limit \(idsLimit))
            select n.id, w.personalised, w.wished_at, w.own from (select distinct id from met) n left join wishes w on w.user_id = n.id
            """, id)
        var newest: (isPersonalised: Bool, time: EventTime)?
        for row in 0..<rows.count where rows.bool(row, 3) {
            guard let time = rows.time(row, 2) else { continue }
            let isPersonalised = rows.bool(row, 1)
            if let known = newest, known.time > time || known.time == time && isPersonalised { continue }
            newest = (isPersonalised, time)
        }
        guard let newest else { return }
        let others = (0..<rows.count).filter { row in
            rows.isNull(row, 1) ? !newest.isPersonalised : rows.bool(row, 1) != newest.isPersonalised
        }.compactMap { rows.string($0, 0) }.sorted()
        let wishes = others.map { Wish(userID: $0, isPersonalised: newest.isPersonalised, time: newest.time) }
        try set(wishes, own: false, where: "true", connection)
    }
}

extension StoreQueries {
    /// What holds for an id: whether what is done under it may be read and kept; nil where nobody said anything.
    public func wish(of userID: String) throws(StoreError) -> Bool? {
        try pool.reading { (connection) throws(StoreError) in
            var id = Parameters()
            id.add(userID)
            let rows = try connection.run("select personalised from wishes where user_id = $1", id)
            return rows.count == 0 ? nil : rows.bool(0, 0)
        }
    }
}

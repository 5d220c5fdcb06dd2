import Interactions

/// Stores ids that events joined to users: they stand beside those of the user's record, and a record that comes later replaces only its
/// own. Someone without a record gets a bare one, which any record replaces.
enum IdentityWriter {
    /// An identity with the time that counts for it.
    struct Dated {
        var identity: Identity
        var time: EventTime
    }

    /// SQL: the time of a record that nobody sent.
    private static let never = "timestamptz '1970-01-01 00:00:00+00'"

    /// SQL: the ids that a row of `users` holds: those of its record, given as a JSON list, then those that events joined, the newest
    /// first, within ``UserStateReader/aliasesLimit``.
    static func aliases(of userID: String, record: String) -> String {
        """
        array(select alias from (
            select a.alias, 0 as part, a.place, null::timestamptz as since
            from jsonb_array_elements_text(\(record)::jsonb) with ordinality a(alias, place)
            union all
            select i.alias, 1, 0, i.identified_at from identities i
            where i.user_id = \(userID) collate "C" and not \(record)::jsonb ? i.alias
            ) both_kinds order by part, place, since desc, alias limit \(UserStateReader.aliasesLimit))
        """
    }

    /// Writes identities whose ids were not erased since, in the open transaction.
    ///
    /// - Returns: users to whom an id was joined that was not theirs before.
    @discardableResult
    static func write(_ identities: [Dated], ledger: ErasureLedger, _ connection: Connection) throws(StoreError) -> Set<String> {
        var newest: [Pair: EventTime] = [:]
        for dated in identities {
            let pair = Pair(userID: dated.identity.userID, alias: dated.identity.alias)
            guard pair.userID != pair.alias, !ledger.covers(pair.userID, dated.time), !ledger.covers(pair.alias, dated.time) else {
                continue
            }
            newest[pair] = max(dated.time, newest[pair] ?? dated.time)
        }
        if newest.isEmpty { return [] }
        let rows = newest.sorted { ($0.key.userID, $0.key.alias) < ($1.key.userID, $1.key.alias) }
        var values = Parameters()
        values.add(count: rows.count, text: { rows[$0].key.userID })
        values.add(count: rows.count, text: { rows[$0].key.alias })
        values.add(count: rows.count, time: { rows[$0].value })
        try connection.run(
            """
            insert into identities as t (user_id, alias, identified_at)
            select * from unnest($1::text[], $2::text[], $3::timestamptz[]) on conflict (user_id, alias) do update
            set identified_at = excluded.identified_at where t.identified_at < excluded.identified_at
            """, values)
        return try join(Array(Set(rows.map(\.key.userID))).sorted(), connection)
    }

    /// Puts the ids that events joined to users into their records; returns whose became others.
    @discardableResult
    static func join(_ userIDs: [String], _ connection: Connection) throws(StoreError) -> Set<String> {
        if userIDs.isEmpty { return [] }
        var ids = Parameters()
        ids.add(userIDs)
        let joined = try connection.run(
            """
            insert into users as t (user_id, attributes, aliases, updated_at)
            select user_id, null, (array_agg(alias order by identified_at desc, alias))[1:\(UserStateReader.aliasesLimit)], \(never)
            from identities where user_id = any($1) group by user_id order by user_id
            on conflict (user_id) do update set aliases = (t.aliases || array(
                select alias from unnest(excluded.aliases) with ordinality n(alias, place) where not alias = any(t.aliases)
                order by place))[1:\(UserStateReader.aliasesLimit)]
            where not t.aliases @> excluded.aliases and cardinality(t.aliases) < \(UserStateReader.aliasesLimit)
            returning user_id
            """, ids)
        return Set((0..<joined.count).compactMap { joined.string($0, 0) })
    }

    private struct Pair: Hashable {
        let userID: String, alias: String
    }
}

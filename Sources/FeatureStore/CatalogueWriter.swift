import Interactions

/// Writes changes of items: the newest record wins, and the catalogue's version moves when anything changed.
enum CatalogueWriter {
    /// The channel on which a commit that changed items tells the new version.
    static let channel = "freshet_catalogue"

    private static let fields = """
        item_id, title, description, categories, tags, price_micros, currency, attributes, embedding, published_at, updated_at, \
        hidden, deleted, item_group_id, available_from, available_until, stock
        """
    private static let fieldCount: Int16 = 17

    /// SQL: when the row `t` was stored.
    private static let storedAt = """
        coalesce((select max(c.committed_at) from item_changes c
            where c.item_id = t.item_id and c.catalogue_version = t.catalogue_version), t.created_at)
        """

    static func createStaging(_ connection: Connection) throws(StoreError) {
        try connection.execute(
            """
            create temp table staged_items (
                item_id text collate "C", title text, description text, categories text[], tags text[], price_micros bigint,
                currency text, attributes jsonb, embedding real[], published_at timestamptz, updated_at timestamptz,
                hidden boolean, deleted boolean, item_group_id text, available_from timestamptz, available_until timestamptz,
                stock integer
            ) on commit delete rows
            """)
    }

    /// Applies the changes in the open transaction.
    ///
    /// - Returns: the new version of the catalogue, or nil when every change was older than what is stored.
    static func write(
        _ changes: [(change: RecordChange<ItemRecord>, origin: RecordOrigin)], buffer: WireBuffer, _ connection: Connection,
        _ summary: inout IngestSummary
    ) throws(StoreError) -> Int64? {
        // Deletions are cut to the moment of the transaction.
        let now = try connection.run("select now()").time(0, 0) ?? EventTime(milliseconds: DatabaseTime.latest)
        // The newest change of each item; of equal times the later arrival.
        var newest: [String: (record: ItemRecord, time: EventTime, isDeleted: Bool)] = [:]
        for (change, origin) in changes {
            let (record, time, isDeleted): (ItemRecord, EventTime, Bool) =
                switch change {
                case .upsert(let record): (record, RecordTime.ofRecord(record.updatedAt, origin), false)
                case .delete(let id, let at): (ItemRecord(itemID: id), min(RecordTime.ofDeletion(at, origin) ?? now, now), true)
                }
            // What a clock ahead dated after now does not outlive a deletion that came after it.
            if let known = newest[record.itemID], known.time > time, !(isDeleted && known.time > now) { continue }
            newest[record.itemID] = (record, time, isDeleted)
        }
        let rows = newest.values.sorted { $0.record.itemID < $1.record.itemID }
        var next = 0
        try connection.copyIn("copy staged_items (\(fields)) from stdin (format binary)", buffer: buffer) { buffer in
            while next < rows.count, buffer.count < Connection.copyChunkBytes, !buffer.isOverfull {
                append(rows[next].record, rows[next].time, rows[next].isDeleted, to: buffer)
                next += 1
            }
            return next < rows.count
        }
        // One row for all: transactions that change items follow each other, so versions become visible in their order.
        let state = try connection.run("select version + 1 from catalogue_state for update")
        guard state.count == 1, let version = state.int64(0, 0) else {
            throw StoreError(
                .schemaTooOld, "\(connection.place): catalogue_state has no row — restore it or run freshet migrate on a fresh database")
        }
        var stamp = Parameters()
        stamp.add(version)
        let changed = try connection.run(
            """
            insert into items as t (\(fields), catalogue_version)
            select \(fields), $1 from staged_items order by item_id
            on conflict (item_id) do update set
                title = excluded.title, description = excluded.description, categories = excluded.categories,
                tags = excluded.tags, price_micros = excluded.price_micros, currency = excluded.currency,
                attributes = excluded.attributes, embedding = excluded.embedding, published_at = excluded.published_at,
                updated_at = excluded.updated_at, hidden = excluded.hidden, deleted = excluded.deleted,
                item_group_id = case when excluded.deleted then t.item_group_id else excluded.item_group_id end,
                available_from = excluded.available_from, available_until = excluded.available_until, stock = excluded.stock,
                catalogue_version = excluded.catalogue_version
            where case when excluded.deleted then \(RecordTime.removes("t", at: "excluded.updated_at"))
                else \(RecordTime.replaces("t", at: "excluded.updated_at", stored: storedAt)) end
            """, stamp
        ).affected
        if changed == 0 { return nil }
        try connection.run(
            """
            insert into item_changes
                (item_id, catalogue_version, title, description, categories, tags, price_micros, currency, attributes, published_at,
                 updated_at, hidden, deleted, item_group_id, available_from, available_until, stock)
            select item_id, catalogue_version, title, description, categories, tags, price_micros, currency, attributes, published_at,
                 updated_at, hidden, deleted, item_group_id, available_from, available_until, stock
            from items where catalogue_version = $1 order by item_id
            """, stamp)
        try connection.run("update catalogue_state set version = $1", stamp)
        try connection.run("select 1 from pg_notify('\(channel)', $1::bigint::text)", stamp)
        summary.itemsChanged = changed
        return version
    }

    private static func append(_ item: ItemRecord, _ updatedAt: EventTime, _ isDeleted: Bool, to buffer: WireBuffer) {
        buffer.append(fieldCount)
        buffer.appendField(item.itemID)
        buffer.appendField(item.title)
        buffer.appendField(item.description)
        buffer.appendField(item.categories)
        buffer.appendField(item.tags)
        buffer.appendField(item.priceMicros)
        buffer.appendField(item.currency)
        buffer.appendField(json: item.attributes)
        buffer.appendField(item.embedding)
        buffer.appendField(item.publishedAt.map(DatabaseTime.microseconds))
        buffer.appendField(DatabaseTime.microseconds(updatedAt))
        buffer.appendField(item.hidden)
        buffer.appendField(isDeleted)
        buffer.appendField(item.groupID)
        buffer.appendField(item.availableFrom.map(DatabaseTime.microseconds))
        buffer.appendField(item.availableUntil.map(DatabaseTime.microseconds))
        buffer.appendField(item.stock)
    }
}

import Interactions

/// Writes changes of items: the newest record wins, and the catalogue's version moves when anything changed.
enum CatalogueWriter {
    /// The channel on which a commit that changed items tells the new version.
    static let channel = "freshet_catalogue"

    private static let fields = """
        item_id, title, description, categories, tags, price_micros, currency, attributes, embedding, published_at, updated_at, \
        hidden, deleted, item_group_id, available_from, available_until, stock
        """
    private static let fieldCount: Int16 = 21
    /// What is staged beside the fields: of rows that patches change, which fields, by their bits in `PatchedFields`; null of whole ones.
    private static let stagedFields = fields + ", changed, field_times, is_new, is_light"
    /// The columns of fields that patches change, with their bits.
    private static let patchedColumns: [(column: String, bit: Int64)] = {
        let columns = ["price": "price_micros"]
        var result = ItemRecord.patchFields.enumerated().map { place, field in
            (column: columns[field.name] ?? field.name, bit: PatchedFields(place: place).rawValue)
        }
        result.append((column: "attributes", bit: PatchedFields.attributes(of: ItemRecord.self).rawValue))
        return result
    }()
    /// A change of nothing but price, stock and the like is kept in the history of changes once in this time: feeds of prices may change a
    /// million items a day.
    static let lightHistoryEvery = "interval '1 hour'"

    /// SQL: when the row `t` was stored.
    private static let storedAt = """
        coalesce((select max(c.committed_at) from item_changes c
            where c.item_id = t.item_id and c.catalogue_version = t.catalogue_version), t.created_at)
        """

    static func createStaging(_ connection: Connection) throws(StoreError) {
        try connection.execute(
            """
            create temp table staged_items (
                item_id text collate "C" primary key, title text, description text, categories text[], tags text[], price_micros bigint,
                currency text, attributes jsonb, embedding real[], published_at timestamptz, updated_at timestamptz,
                hidden boolean, deleted boolean, item_group_id text, available_from timestamptz, available_until timestamptz,
                stock integer, changed bigint, field_times jsonb, is_new boolean, is_light boolean
            ) on commit delete rows
            """)
    }

    /// Applies the changes in the open transaction.
    ///
    /// - Parameter letters: gets the patches that cannot be taken, or wait no longer.
    /// - Returns: the new version of the catalogue, or nil when every change was older than what is stored.
    static func write(
        _ changes: [(change: RecordChange<ItemRecord>, origin: RecordOrigin)], patches rules: PatchRules, buffer: WireBuffer,
        _ connection: Connection, _ summary: inout IngestSummary, letters: inout [RejectedRecord]
    ) throws(StoreError) -> Int64? {
        // Deletions are cut to the moment of the transaction.
        let now = try connection.run("select now()").time(0, 0) ?? EventTime(milliseconds: DatabaseTime.latest)
        var changes = ItemChanges(changes, now: now)
        let rows = changes.newest.values.sorted { $0.record.itemID < $1.record.itemID }
        try stage(rows.count, buffer, connection) { place, buffer in
            append(rows[place].record, rows[place].time, rows[place].isDeleted, to: buffer)
            for _ in 0..<4 { buffer.appendNull() }
        }
        // One row for all: transactions that change items follow each other, so versions become visible in their order.
        let state = try connection.run("select version + 1 from catalogue_state for update")
        guard state.count == 1, let version = state.int64(0, 0) else {
            throw StoreError(
                .schemaTooOld, "\(connection.place): catalogue_state has no row — restore it or run freshet migrate on a fresh database")
        }
        let merged = try mergeStaged(&changes, rules, now: now, buffer, connection)
        letters += merged.letters
        var stamp = Parameters()
        stamp.add(version)
        var changed = try connection.run(
            """
            insert into items as t (\(fields), catalogue_version)
            select \(fields), $1 from staged_items where changed is null order by item_id
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
        if !merged.rows.isEmpty { changed += try writeMerged(stamp, connection) }
        if changed == 0 { return nil }
        try connection.run(
            """
            insert into item_changes
                (item_id, catalogue_version, title, description, categories, tags, price_micros, currency, attributes, published_at,
                 updated_at, hidden, deleted, item_group_id, available_from, available_until, stock)
            select item_id, catalogue_version, title, description, categories, tags, price_micros, currency, attributes, published_at,
                 updated_at, hidden, deleted, item_group_id, available_from, available_until, stock
            from items i where catalogue_version = $1\(merged.rows.contains(where: \.isLight) ? withoutRepeats : "") order by item_id
            """, stamp)
        try connection.run("update catalogue_state set version = $1", stamp)
        try connection.run("select 1 from pg_notify('\(channel)', $1::bigint::text)", stamp)
        summary.itemsChanged = changed
        return version
    }

    /// SQL: a condition that leaves out items `i` of which only price, stock and the like changed, soon after their last change.
    private static let withoutRepeats = """
         and not (exists (select from staged_items s where s.item_id = i.item_id and s.is_light)
            and coalesce((select c.committed_at > now() - \(lightHistoryEvery) from item_changes c where c.item_id = i.item_id
                order by c.change_id desc limit 1), false))
        """

    private static func stage(
        _ count: Int, _ buffer: WireBuffer, _ connection: Connection, _ write: (Int, WireBuffer) -> Void
    ) throws(StoreError) {
        if count == 0 { return }
        var next = 0
        try connection.copyIn("copy staged_items (\(stagedFields)) from stdin (format binary)", buffer: buffer) { buffer in
            while next < count, buffer.count < Connection.copyChunkBytes, !buffer.isOverfull {
                write(next, buffer)
                next += 1
            }
            return next < count
        }
    }

    /// Merges patches, and whole records of items that were patched, with what is stored, and stages what comes of it.
    private static func mergeStaged(
        _ changes: inout ItemChanges, _ rules: PatchRules, now: EventTime, _ buffer: WireBuffer, _ connection: Connection
    ) throws(StoreError) -> PatchedItems {
        let patched = changes.newest.isEmpty ? [] : try PatchedItems.among(connection)
        if !patched.isEmpty {
            var ids = Parameters()
            ids.add(patched)
            try connection.run("delete from staged_items where item_id = any($1)", ids)
            changes.merge(patched)
        }
        let merged = try PatchedItems(changes, rules, now: now, connection)
        try stage(merged.rows.count, buffer, connection) { place, buffer in
            let row = merged.rows[place]
            append(row.state.values, row.state.base.time ?? .earliestWritable, row.isDeleted, to: buffer)
            buffer.appendField(row.changed.rawValue)
            buffer.appendField(json: row.state.times.json(of: ItemRecord.self))
            buffer.appendField(row.isNew)
            buffer.appendField(row.isLight)
        }
        return merged
    }

    /// Writes the merged rows: of known items only what changed, so that texts and vectors stay where they are.
    private static func writeMerged(_ stamp: Parameters, _ connection: Connection) throws(StoreError) -> Int {
        let columns = patchedColumns.map { column, bit in
            // As with whole records, what is deleted stays in its group.
            let kept = column == "item_group_id" ? "when s.deleted then t.item_group_id " : ""
            return "\(column) = case \(kept)when s.changed & \(bit) <> 0 then s.\(column) else t.\(column) end"
        }
        let updated = try connection.run(
            """
            update items t set \(columns.joined(separator: ", ")),
                updated_at = s.updated_at, deleted = s.deleted, field_times = s.field_times, catalogue_version = $1
            from staged_items s where s.changed is not null and not s.is_new and t.item_id = s.item_id
            """, stamp
        ).affected
        return updated
            + (try connection.run(
                """
                insert into items (\(fields), field_times, catalogue_version)
                select \(fields), field_times, $1 from staged_items where changed is not null and is_new order by item_id
                """, stamp
            ).affected)
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

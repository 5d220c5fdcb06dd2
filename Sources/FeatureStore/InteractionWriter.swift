import Interactions

/// What became of a batch's interactions.
struct StoredInteractions {
    /// Indices of the interactions that were stored now, by (time, event id).
    var kept: [Int32] = []
    /// Indices of the interactions that count for their items now and are kept of nobody.
    var unnamed: [Int32] = []
    /// Whether of a user in ``unnamed`` other interactions are kept.
    var isMixed = false
    /// Whether every interaction of the batch was stored now.
    var isWhole = true
    var duplicates = 0
    var erased = 0
    /// Indices of the interactions whose key holds another payload.
    var conflicts: [Int32] = []

    var count: Int { kept.count }
}

/// Stores interactions, each key once.
///
/// Fresh batches go by binary COPY straight into the table. A key that is there already ends that COPY; the batch is
/// then copied into a temporary table and inserted from there with `on conflict do nothing`, which costs more. When
/// repeats are frequent, as in a replay, the next batches take that way at once.
struct InteractionWriter {
    /// How many batches at most take the staging way after repeats were met, before COPY is tried again.
    static let stagedBatchesLimit = 64

    private var stagedBatchesLeft = 0
    private var stagedBatchesNext = 1

    private static let columns = """
        event_time, event_id, type, user_id, item_id, price_micros, amount_minor, currency, quantity, session_id, \
        request_id, slot, model_version, context, source_partition, source_offset, payload_hash
        """
    private static let columnCount: Int16 = 17

    static func createStaging(_ connection: Connection) throws(StoreError) {
        try connection.execute(
            """
            create temp table staged_interactions (
                event_time timestamptz, event_id text collate "C", type smallint, user_id text, item_id text,
                price_micros bigint, amount_minor bigint, currency text, quantity integer, session_id text, request_id text,
                slot integer, model_version integer, context json, source_partition integer, source_offset bigint,
                payload_hash bigint, ordinal integer
            ) on commit delete rows
            """)
    }

    /// Stores `interactions` in the open transaction. `meanwhile` runs while the database still works, if at all.
    mutating func store(
        _ interactions: [Interaction], ledger: ErasureLedger, wishes: WishLedger, buffer: WireBuffer, _ connection: Connection,
        meanwhile: () -> Void
    ) throws(StoreError) -> StoredInteractions {
        var stored = StoredInteractions()
        if interactions.isEmpty { return stored }
        stored.kept = Self.uniqueByKey(interactions, &stored)
        if !ledger.isEmpty {
            let before = stored.kept.count
            stored.kept.removeAll { ledger.covers(interactions[Int($0)].userID, interactions[Int($0)].time) }
            stored.erased = before - stored.kept.count
        }
        try Self.leaveOutNames(interactions, wishes, &stored, connection)
        if !stored.kept.isEmpty {
            if stagedBatchesLeft > 0 {
                stagedBatchesLeft -= 1
                try stage(interactions, &stored, buffer, connection)
                if stored.duplicates + stored.conflicts.count == 0 { stagedBatchesNext = 1 }
            } else if try !copy(
                interactions, stored.kept, buffer, connection, { if stored.kept.count == interactions.count { meanwhile() } })
            {
                stagedBatchesLeft = stagedBatchesNext
                stagedBatchesNext = min(Self.stagedBatchesLimit, stagedBatchesNext * 2)
                try stage(interactions, &stored, buffer, connection)
            }
        }
        stored.isWhole = stored.kept.count == interactions.count
        return stored
    }

    /// Takes out of what is kept the events whose user is not to be kept, and counts those that are new.
    private static func leaveOutNames(
        _ interactions: [Interaction], _ wishes: WishLedger, _ stored: inout StoredInteractions, _ connection: Connection
    ) throws(StoreError) {
        let unnamed = stored.kept.filter { !wishes.keeps(interactions[Int($0)].userID, at: interactions[Int($0)].time) }
        if !unnamed.isEmpty {
            let out = Set(unnamed)
            stored.kept.removeAll { out.contains($0) }
            let new = try CountedEvents.count(unnamed.map { interactions[Int($0)] }, connection)
            for (place, index) in unnamed.enumerated() {
                if new.contains(place) { stored.unnamed.append(index) } else { stored.duplicates += 1 }
            }
        }
        if wishes.isEmpty { return }
        // Who allows it again may have done something meanwhile that comes once more.
        let again = stored.kept.filter { wishes[interactions[Int($0)].userID] != nil }
        if again.isEmpty { return }
        let known = try CountedEvents.known(among: again.map { interactions[Int($0)] }, connection)
        if !known.isEmpty {
            let out = Set(known.map { again[$0] })
            stored.kept.removeAll { out.contains($0) }
            stored.duplicates += out.count
        }
        let unnamedUsers = Set(stored.unnamed.map { interactions[Int($0)].userID })
        stored.isMixed = again.contains { unnamedUsers.contains(interactions[Int($0)].userID) }
    }

    /// Indices in the order of the key, each key once. Sorted writers wait for each other in one direction only, and the
    /// key's index grows at its end.
    private static func uniqueByKey(_ interactions: [Interaction], _ stored: inout StoredInteractions) -> [Int32] {
        var order: [(time: Int64, index: Int32)] = []
        order.reserveCapacity(interactions.count)
        for index in interactions.indices { order.append((interactions[index].time.milliseconds, Int32(index))) }
        order.sort { ($0.time, $0.index) < ($1.time, $1.index) }
        var kept: [Int32] = []
        kept.reserveCapacity(order.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count && order[end].time == order[start].time { end += 1 }
            if end == start + 1 {
                kept.append(order[start].index)
            } else {
                // Events of one millisecond: few, except in data whose clock is coarse. Ids are compared by their bytes, as
                // the database does: Swift's `==` takes some different ones as equal.
                let group = order[start..<end].map(\.index).sorted {
                    let (left, right) = (interactions[Int($0)].eventID.utf8, interactions[Int($1)].eventID.utf8)
                    return left.elementsEqual(right) ? $0 < $1 : left.lexicographicallyPrecedes(right)
                }
                var last: Int32 = -1
                for index in group {
                    if last >= 0 && interactions[Int(last)].eventID.utf8.elementsEqual(interactions[Int(index)].eventID.utf8) {
                        if interactions[Int(last)].payloadHash == interactions[Int(index)].payloadHash {
                            stored.duplicates += 1
                        } else {
                            stored.conflicts.append(index)
                        }
                    } else {
                        kept.append(index)
                        last = index
                    }
                }
            }
            start = end
        }
        return kept
    }

    /// Copies straight into the table. False when a key was there already; nothing is stored then.
    private func copy(
        _ interactions: [Interaction], _ kept: [Int32], _ buffer: WireBuffer, _ connection: Connection, _ meanwhile: () -> Void
    ) throws(StoreError) -> Bool {
        try connection.execute("savepoint direct")
        do throws(StoreError) {
            var next = 0
            try connection.copyIn("copy interactions (\(Self.columns)) from stdin (format binary)", buffer: buffer, meanwhile: meanwhile) {
                buffer in
                while next < kept.count, buffer.count < Connection.copyChunkBytes, !buffer.isOverfull {
                    buffer.append(Self.columnCount)
                    Self.append(interactions[Int(kept[next])], to: buffer)
                    next += 1
                }
                return next < kept.count
            }
        } catch {
            guard error.code == .uniqueViolation else { throw error }
            try connection.execute("rollback to savepoint direct; release savepoint direct")
            return false
        }
        try connection.execute("release savepoint direct")
        return true
    }

    /// Copies into the temporary table, inserts what is new and finds what was there.
    private func stage(
        _ interactions: [Interaction], _ stored: inout StoredInteractions, _ buffer: WireBuffer, _ connection: Connection
    ) throws(StoreError) {
        var next = 0
        let kept = stored.kept
        try connection.copyIn("copy staged_interactions (\(Self.columns), ordinal) from stdin (format binary)", buffer: buffer) { buffer in
            while next < kept.count, buffer.count < Connection.copyChunkBytes, !buffer.isOverfull {
                buffer.append(Self.columnCount + 1)
                Self.append(interactions[Int(kept[next])], to: buffer)
                buffer.appendField(Int32(next))
                next += 1
            }
            return next < kept.count
        }
        let inserted = try connection.run(
            """
            insert into interactions (\(Self.columns))
            select \(Self.columns) from staged_interactions order by ordinal on conflict do nothing
            """
        ).affected
        if inserted == kept.count { return }
        // What this transaction did not write was there before. The lateral limit keeps it a look-up by key for each row.
        let repeats = try connection.run(
            """
            select s.ordinal, i.payload_hash from staged_interactions s cross join lateral (
                select payload_hash from interactions i
                where i.event_time = s.event_time and i.event_id = s.event_id and i.committed_by <> pg_current_xact_id() limit 1) i
            """)
        var repeated: Set<Int32> = [], others: [Int32] = []
        for row in 0..<repeats.count {
            let ordinal = repeats.int32(row, 0) ?? 0
            repeated.insert(ordinal)
            if repeats.int64(row, 1) == Int64(bitPattern: interactions[Int(kept[Int(ordinal)])].payloadHash) {
                stored.duplicates += 1
            } else {
                others.append(ordinal)
            }
        }
        if !others.isEmpty {
            let same = try Self.sameContent(others, connection) { interactions[Int(kept[Int($0)])] }
            stored.duplicates += same.count
            for ordinal in others where !same.contains(ordinal) { stored.conflicts.append(kept[Int(ordinal)]) }
        }
        stored.kept = kept.indices.filter { !repeated.contains(Int32($0)) }.map { kept[$0] }
    }

    /// Of staged events whose key holds another hash, those whose stored row says the same: an older version may have hashed it
    /// otherwise. The content that is stored is hashed anew, as today's decoder does.
    private static func sameContent(
        _ ordinals: [Int32], _ connection: Connection, _ interaction: (Int32) -> Interaction
    ) throws(StoreError) -> Set<Int32> {
        var wanted = Parameters()
        wanted.add(ordinals)
        let rows = try connection.run(
            """
            select s.ordinal, i.type, i.user_id, i.item_id, i.price_micros, i.amount_minor, i.currency, i.quantity, i.session_id,
                i.request_id, i.slot, i.model_version, i.context
            from staged_interactions s cross join lateral (
                select * from interactions i
                where i.event_time = s.event_time and i.event_id = s.event_id and i.committed_by <> pg_current_xact_id() limit 1) i
            where s.ordinal = any($1)
            """, wanted)
        var same: Set<Int32> = []
        for row in 0..<rows.count {
            guard let ordinal = rows.int32(row, 0),
                let type = rows.int16(row, 1).flatMap({ InteractionType(rawValue: UInt8(clamping: $0)) })
            else { continue }
            let sent = interaction(ordinal)
            let known = Interaction(
                eventID: sent.eventID, type: type, userID: rows.string(row, 2) ?? "", itemID: rows.string(row, 3) ?? "", time: sent.time,
                priceMicros: rows.int64(row, 4), amountMinor: rows.int64(row, 5), currency: rows.string(row, 6),
                quantity: rows.int32(row, 7) ?? 1,
                sessionID: rows.string(row, 8), requestID: rows.string(row, 9), slot: rows.int32(row, 10),
                modelVersion: rows.int32(row, 11),
                context: rows.string(row, 12), position: sent.position)
            if known.contentHash() == sent.payloadHash { same.insert(ordinal) }
        }
        return same
    }

    private static func append(_ interaction: borrowing Interaction, to buffer: WireBuffer) {
        buffer.appendField(DatabaseTime.microseconds(interaction.time))
        buffer.appendField(interaction.eventID)
        buffer.appendField(Int16(interaction.type.rawValue))
        buffer.appendField(interaction.userID)
        buffer.appendField(interaction.itemID)
        buffer.appendField(interaction.priceMicros)
        buffer.appendField(interaction.amountMinor)
        buffer.appendField(interaction.currency)
        buffer.appendField(interaction.quantity)
        buffer.appendField(interaction.sessionID)
        buffer.appendField(interaction.requestID)
        buffer.appendField(interaction.slot)
        buffer.appendField(interaction.modelVersion)
        buffer.appendField(interaction.context)
        buffer.appendField(interaction.position.partition)
        buffer.appendField(interaction.position.offset)
        buffer.appendField(Int64(bitPattern: interaction.payloadHash))
    }
}

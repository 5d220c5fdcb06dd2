import Interactions

extension StoreQueries {
    /// Tells each user of the ledger of erasures with the time up to which they are erased, and each who does not want personalisation
    /// with the end of all times: nothing of theirs may be learned from.
    public func forEachErasure(_ each: (String, EventTime) throws(StoreError) -> Void) throws(StoreError) {
        try pool.withConnection { (connection) throws(StoreError) in
            let end = "timestamptz '9999-12-31 00:00:00+00'"
            try connection.copyOut(
                """
                copy (select user_id, \(ErasureLedger.field) from erasures
                    union all select user_id, \(end) from wishes where not personalised) to stdout (format binary)
                """
            ) { (row) throws(StoreError) in
                if let userID = try row.string(), let time = try row.time() { try each(userID, time) }
            }
        }
    }

    /// Grows with every erasure, and with every change of whom may be learned from; 0 before the first.
    public func newestErasure() throws(StoreError) -> Int64 {
        try pool.withConnection { (connection) throws(StoreError) in
            try connection.run(
                """
                select (select coalesce(max(erasure_id), 0) from erasures)
                    + (select coalesce(max(wish_id), 0) from wishes where not personalised or lifted_at is not null)
                """).int64(0, 0) ?? 0
        }
    }
}

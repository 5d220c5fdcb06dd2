import Interactions

extension StoreQueries {
    /// Tells each user of the ledger of erasures with the time up to which they are erased.
    public func forEachErasure(_ each: (String, EventTime) throws(StoreError) -> Void) throws(StoreError) {
        try pool.withConnection { (connection) throws(StoreError) in
            try connection.copyOut("copy (select user_id, \(ErasureLedger.field) from erasures) to stdout (format binary)") {
                (row) throws(StoreError) in
                if let userID = try row.string(), let time = try row.time() { try each(userID, time) }
            }
        }
    }

    /// Grows with every erasure; 0 before the first.
    public func newestErasure() throws(StoreError) -> Int64 {
        try pool.withConnection { (connection) throws(StoreError) in
            try connection.run("select coalesce(max(erasure_id), 0) from erasures").int64(0, 0) ?? 0
        }
    }
}

import Interactions

/// A line of a file that is a dead letter.
public struct RefusedLine: Sendable, Equatable {
    /// The dead letter's id.
    public var id: Int64
    /// Counted from 0.
    public var line: Int64
}

extension StoreQueries {
    /// The lines of a file that were refused and never sent again, in the order of the file. What only the database
    /// refused, such as an event whose id was there with another payload, is left out: no other reading of the line changes that.
    ///
    /// - Parameters:
    ///   - source: the file, as its dead letters name it.
    ///   - after: only lines behind this one, for the next page.
    public func refusedLines(ofFile source: String, after line: Int64, limit: Int) throws(StoreError) -> [RefusedLine] {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(source)
            parameters.add(Position.filePartition)
            parameters.add(line)
            parameters.add([RejectionCode.conflictingDuplicate, .refusedByDatabase].map(\.rawValue))
            parameters.add(Int32(clamping: limit))
            let rows = try connection.run(
                """
                select id, "offset" from dead_letters
                where source = $1 and partition = $2 and "offset" > $3 and replayed_at is null and code <> all($4)
                order by "offset" limit $5
                """, parameters)
            return (0..<rows.count).map { RefusedLine(id: rows.int64($0, 0) ?? 0, line: rows.int64($0, 1) ?? 0) }
        }
    }
}

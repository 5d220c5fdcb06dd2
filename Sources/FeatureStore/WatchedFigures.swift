/// What each server looks at every few seconds.
public struct WatchedFigures: Sendable, Equatable {
    /// How far ingest is, by topic and partition.
    public var offsets: [StoredOffset]
    /// How many users' rows are still to be removed, though their deletion is committed; they are hidden meanwhile.
    public var openErasures: Int
    /// What the gate refused.
    public var refusals: ModelRefusals
    /// What came back, and what of it matches no purchase.
    public var returns: ReturnTally
    /// How many people were erased since they had been silent for long.
    public var idleErasures: Int

    /// Makes figures.
    public init(
        offsets: [StoredOffset], openErasures: Int, refusals: ModelRefusals, returns: ReturnTally = ReturnTally(), idleErasures: Int = 0
    ) {
        self.offsets = offsets
        self.openErasures = openErasures
        self.refusals = refusals
        self.returns = returns
        self.idleErasures = idleErasures
    }
}

extension StoreQueries {
    /// What ``offsets()``, ``openErasures()`` and ``modelRefusals()`` say, of one moment, by one statement; and what came back.
    public func watchedFigures() throws(StoreError) -> WatchedFigures {
        try pool.reading { (connection) throws(StoreError) in
            let rows = try connection.run(Self.watchedFiguresStatement)
            // Without an offset there is one row with figures and nothing of a topic.
            let offsets = (0..<rows.count).filter { rows.string($0, 0) != nil }.map { StoredOffset(rows, $0) }
            return WatchedFigures(
                offsets: offsets, openErasures: Int(rows.int64(0, 9) ?? 0), refusals: ModelRefusals(rows, 0, from: 10),
                returns: try ReturnTally.all(connection), idleErasures: Int(rows.int64(0, 15) ?? 0))
        }
    }

    private static let watchedFiguresStatement = """
        with \(ModelRefusals.refusedInARow), refusals as (\(ModelRefusals.statement))
        select \(StoredOffset.fields), (select count(*) from open_erasures) as open_erasures,
            refused, refused_in_a_row, refused_version, refused_at, refusal,
            (select count(*) from erasures where idle) as idle_erasures
        from refusals left join stream_offsets on true
        order by topic, partition
        """
}

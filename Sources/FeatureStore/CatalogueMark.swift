/// Where a catalogue stood: its version, and the history that the version belongs to.
///
/// Each version draws a lineage by chance when it is committed. A backup that was restored, a standby that was behind, or another
/// database may come to the same number again, but never to the same lineage.
public struct CatalogueMark: Sendable, Equatable {
    /// Raised by every commit that changed an item.
    public var version: Int64
    /// Drawn for this version.
    public var lineage: Int64

    /// Makes a mark; without arguments that of a database without a catalogue.
    public init(version: Int64 = 0, lineage: Int64 = 0) {
        self.version = version
        self.lineage = lineage
    }
}

/// What a reader that stands at a mark has to take over.
public enum CatalogueReading: Sendable {
    /// Nothing has changed.
    case unchanged
    /// Items that changed since, deleted ones too, with the other members of their groups, and the mark that they lead to.
    case changes([CatalogueItem], CatalogueMark)
    /// The database's catalogue does not go on from the reader's mark, or went on for too long: every item that is there, and
    /// the deleted members of groups.
    case everything([CatalogueItem], CatalogueMark)
}

extension StoreQueries {
    /// How many versions a reader may be behind; beyond that it reads everything. What the migration's trigger keeps.
    public static let keptVersionsLimit: Int64 = 65_536

    /// Where the catalogue is.
    public func catalogueMark() throws(StoreError) -> CatalogueMark {
        try pool.reading { (connection) throws(StoreError) in try Self.mark(connection).current }
    }

    /// What a reader at `mark` does not have; nil is one that has read nothing, which gets everything.
    ///
    /// Memory: the returned items.
    public func catalogue(after mark: CatalogueMark?) throws(StoreError) -> CatalogueReading {
        try pool.reading { (connection) throws(StoreError) in
            // Most looks find nothing: they cost one statement.
            if let mark, try Self.mark(connection).current == mark { return .unchanged }
            return try connection.transaction("begin isolation level repeatable read read only") { () throws(StoreError) in
                let (current, known) = try Self.mark(connection, at: mark?.version)
                if let mark, current == mark { return .unchanged }
                let goesOn = mark.map { $0.version < current.version && known == $0.lineage } ?? false
                let rows = goesOn ? Self.changes(after: mark?.version ?? 0) : Self.everything
                var items: [CatalogueItem] = []
                try connection.copyOut("copy (\(rows)) to stdout (format binary)") {
                    (row) throws(StoreError) in items.append(try CatalogueItem(&row))
                }
                return goesOn ? .changes(items, current) : .everything(items, current)
            }
        }
    }

    /// SQL: what is there, and deleted members of groups, since what they were bought for still counts for the group.
    private static let everything = "select \(itemFields) from items where not deleted or item_group_id is not null"

    /// SQL: what changed, and who else is in the groups of these, since a group is what its members say together.
    private static func changes(after version: Int64) -> String {
        """
        select \(itemFields) from items where catalogue_version > \(version)
        union all
        select \(itemFields) from items where catalogue_version <= \(version) and item_group_id in
            (select item_group_id from items where catalogue_version > \(version) and item_group_id is not null)
        """
    }

    /// Every item that is there, deleted members of groups too, and where the catalogue was at that moment.
    public func catalogue() throws(StoreError) -> (items: [CatalogueItem], mark: CatalogueMark) {
        switch try catalogue(after: nil) {
        case .changes(let items, let mark), .everything(let items, let mark): return (items, mark)
        case .unchanged: return ([], try catalogueMark())
        }
    }

    /// The lineage of a version in this database's history; nil where the history does not have it, or not any more.
    public func lineage(ofVersion version: Int64) throws(StoreError) -> Int64? {
        try pool.reading { (connection) throws(StoreError) in try Self.mark(connection, at: version).known }
    }

    /// Where the catalogue is, and the lineage that it knows of a version.
    private static func mark(
        _ connection: Connection, at version: Int64? = nil
    ) throws(StoreError) -> (current: CatalogueMark, known: Int64?) {
        var asked = Parameters()
        asked.add(version ?? -1)
        let row = try connection.run(
            """
            select (select version from catalogue_state), (select lineage from catalogue_state),
                (select lineage from catalogue_versions where version = $1)
            """, asked)
        return (CatalogueMark(version: row.int64(0, 0) ?? 0, lineage: row.int64(0, 1) ?? 0), row.int64(0, 2))
    }
}

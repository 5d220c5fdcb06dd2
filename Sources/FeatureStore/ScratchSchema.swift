/// A schema of its own for a measurement or a trial: migrated, empty, and dropped with the object.
///
/// Its ``url`` is that of the database with the search path set, so that everything else works in it unchanged.
public final class ScratchSchema {
    /// The database's URL, with this schema in front.
    public let url: String
    private let databaseURL: String
    private let name: String

    /// Makes the schema and brings it to the newest version.
    ///
    /// - Parameter name: lower-case letters, digits and underscores.
    /// - Throws: ``StoreError``; `conflict` where a schema of that name exists.
    public init(databaseURL: String, name: String) throws(StoreError) {
        precondition(
            !name.isEmpty && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 },
            "a scratch schema is named \(name); use lower-case letters, digits and underscores")
        self.databaseURL = databaseURL
        self.name = name
        if databaseURL.hasPrefix("postgres") {
            url = databaseURL + (databaseURL.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(name)"
        } else {
            url = databaseURL + " options='-csearch_path=\(name)'"
        }
        try Connection(url: databaseURL, role: "freshet scratch").execute("create schema \(name)")
        try Migrator(url: url).migrate()
    }

    deinit {
        // What cannot be dropped now is left to whoever made the database.
        try? Connection(url: databaseURL, role: "freshet scratch").execute("drop schema if exists \(name) cascade")
    }
}

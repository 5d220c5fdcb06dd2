/// Why the database could not do what was asked.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure, for callers that decide by it.
    public enum Code: String, Sendable {
        case invalidURL = "invalid_url"
        case unreachable
        case authentication
        case missingDatabase = "missing_database"
        case tooManyConnections = "too_many_connections"
        case serverTooOld = "server_too_old"
        case connectionLost = "connection_lost"
        case timedOut = "timed_out"
        case serialization
        case deadlock
        case uniqueViolation = "unique_violation"
        case insufficientPrivilege = "insufficient_privilege"
        case diskFull = "disk_full"
        case readOnly = "read_only"
        case schemaTooOld = "schema_too_old"
        case schemaTooNew = "schema_too_new"
        case migrationEdited = "migration_edited"
        case lostOwnership = "lost_ownership"
        case otherCluster = "other_cluster"
        case offsetMismatch = "offset_mismatch"
        case trainingInProgress = "training_in_progress"
        case notFound = "not_found"
        case conflict
        case overloaded
        case closed
        case malformedAnswer = "malformed_answer"
        /// The server cannot hold a value: a text, number or time that its type does not take, or a key that is too long for an index.
        case refusedData = "refused_data"
        case statement
    }

    /// The kind of failure.
    public var code: Code
    /// Whether the same call may succeed later without a change of configuration or data.
    public var isRetriable: Bool
    /// What was wrong, where, and what to do about it. Never holds the password.
    public var message: String
    /// PostgreSQL's five-character code, where the server gave one.
    public var sqlState: String?

    /// Makes an error.
    public init(_ code: Code, isRetriable: Bool = false, sqlState: String? = nil, _ message: String) {
        self.code = code
        self.isRetriable = isRetriable
        self.sqlState = sqlState
        self.message = message
    }

    public var description: String { message }

    /// Whether it says something of the data that was to be stored, so that other data may be taken.
    var isOfData: Bool { code == .refusedData || code == .uniqueViolation }
}

extension StoreError {
    /// The error for a SQLSTATE that a statement or a connection attempt ended with.
    ///
    /// - Parameters:
    ///   - sqlState: PostgreSQL's code, or nil when the server sent none.
    ///   - text: the server's primary message.
    ///   - place: what was being done and where, such as `saving a batch to 127.0.0.1:5432/freshet`.
    init(sqlState: String?, text: String, place: String) {
        func make(_ code: Code, _ retriable: Bool, _ advice: String) -> StoreError {
            StoreError(
                code, isRetriable: retriable, sqlState: sqlState,
                "\(place): \(text)" + (advice.isEmpty ? "" : " — \(advice)"))
        }
        switch sqlState ?? "" {
        case "28P01", "28000":
            self = make(.authentication, false, "check the user and the password in database.url and the server's pg_hba.conf")
        case "3D000":
            self = make(.missingDatabase, false, "create the database (createdb NAME) or correct database.url")
        case "53300":
            self = make(.tooManyConnections, true, "raise max_connections or run fewer roles")
        case "53100", "53200", "53400", "53000":
            self = make(.diskFull, true, "free disk space or memory on the database server")
        case "58030":
            self = make(.diskFull, true, "the database server cannot read or write its files: look at its disk and its log")
        case "40001": self = make(.serialization, true, "")
        case "40P01": self = make(.deadlock, true, "")
        case "55P03", "57014": self = make(.timedOut, true, "look for long statements or locks in pg_stat_activity")
        case "25P03", "25P04":
            self = make(.connectionLost, true, "the server ended a transaction that had stood still or lasted for too long")
        case "57P05":
            self = make(.connectionLost, true, "the server ended a connection that had stood still for too long")
        case "26000":
            self = make(
                .connectionLost, true,
                "the server has forgotten what this connection prepared: a pooler must hand out sessions, not transactions")
        case "0A000" where text.contains("cached plan"):
            self = make(.connectionLost, true, "a table was changed meanwhile")
        case "57P04": self = make(.missingDatabase, false, "the database was dropped; create it or correct database.url")
        case "57P01", "57P02", "57P03", "08000", "08001", "08003", "08004", "08006", "08007", "40003":
            self = make(.connectionLost, true, "the server is stopping, starting or restarting")
        case "23505": self = make(.uniqueViolation, false, "")
        case "25006": self = make(.readOnly, true, "database.url must name the primary, not a replica; each attempt connects anew")
        case "42501": self = make(.insufficientPrivilege, false, "grant the rights or use another role in database.url")
        case "42P01", "42703", "42883": self = make(.schemaTooOld, false, "run freshet migrate")
        // Data exceptions, broken constraints, limits such as that of an index row, a view's check, what a trigger raises, and a row
        // that a statement would touch twice.
        case let state where ["22", "23", "54", "44", "21", "09", "P0"].contains(state.prefix(2)): self = make(.refusedData, false, "")
        default: self = make(.statement, false, "")
        }
    }
}

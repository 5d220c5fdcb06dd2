/// Why a record was not accepted. The raw value is what the database and the dead-letter topic carry.
public enum RejectionCode: String, Sendable, CaseIterable {
    case malformedJSON = "malformed_json"
    case notAnObject = "not_an_object"
    case invalidUTF8 = "invalid_utf8"
    case controlCharacter = "control_character"
    case tooLarge = "too_large"
    case tooDeep = "too_deep"
    case missingField = "missing_field"
    case wrongType = "wrong_type"
    case outOfRange = "out_of_range"
    case unknownType = "unknown_type"
    case timeTooEarly = "time_too_early"
    case timeInFuture = "time_in_future"
    case tooManyElements = "too_many_elements"
    case conflictingDuplicate = "conflicting_duplicate"
    case erasedUser = "erased_user"
    /// A row of another system's file of which no record could be made: the dead letter holds the row as it stands there.
    case malformedRow = "malformed_row"
    /// A patch of an item of which no record came while it waited.
    case unknownItem = "unknown_item"
    /// The database cannot hold it: a safety net behind everything that decoding checks.
    case refusedByDatabase = "refused_by_database"
}

/// A refused record's reason: a value, not an exception.
public struct Rejection: Error, Sendable, Equatable {
    /// Why the record was refused.
    public var code: RejectionCode
    /// The field at fault, where one is: `timestamp`, `items[3].item_id`.
    public var field: String?
    /// A sentence for a person: what was wrong and what would be right.
    public var detail: String

    /// Makes a rejection.
    public init(_ code: RejectionCode, field: String? = nil, _ detail: String) {
        self.code = code
        self.field = field
        self.detail = detail
    }
}

/// Where a record came from, for derived ids, ordering and dead letters.
public struct RecordOrigin: Sendable, Equatable {
    /// The topic, or `file:NAME` for a backfill.
    public var source: String
    /// The identity of the Kafka cluster, or empty for a file.
    public var cluster: String
    /// Where the record stands in its source.
    public var position: Position
    /// The time that the broker or the file gives the record, where it does.
    public var recordTime: EventTime?
    /// Whether that time is the one that a change event states of its row, rather than that of the broker or the file.
    public var isTimeOfChange = false

    /// Makes an origin.
    public init(source: String, cluster: String, position: Position, recordTime: EventTime? = nil) {
        self.source = source
        self.cluster = cluster
        self.position = position
        self.recordTime = recordTime
    }
}

/// A refused record with what is needed to look at it and to send it again.
public struct RejectedRecord: Sendable, Equatable {
    /// Where the record came from.
    public var origin: RecordOrigin
    /// The record's key in Kafka; nil where it has none.
    public var key: [UInt8]?
    /// The id of the user whom the record names, where one can be read: an erasure finds it by this as by its key.
    public var userID: [UInt8]?
    /// The record's bytes, cut at the configured bound.
    public var payload: [UInt8]
    /// The size before the cut.
    public var payloadBytes: Int
    /// Why it was refused.
    public var rejection: Rejection

    /// Makes a rejected record.
    public init(
        origin: RecordOrigin, key: [UInt8]?, userID: [UInt8]? = nil, payload: [UInt8], payloadBytes: Int, rejection: Rejection
    ) {
        self.origin = origin
        self.key = key
        self.userID = userID
        self.payload = payload
        self.payloadBytes = payloadBytes
        self.rejection = rejection
    }
}

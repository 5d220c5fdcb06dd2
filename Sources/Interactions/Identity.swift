/// What an event of type `identify` says: two ids are those of one person.
public struct Identity: Sendable, Equatable {
    /// The type of such events. A name that `ingest.event_types` maps goes before it.
    public static let type = "identify"

    /// The user's id.
    public var userID: String
    /// The id under which the person was known before, as that of a session or a device.
    public var alias: String
    /// When this was so; nil where the event does not say.
    public var time: EventTime?

    /// Makes an identity of ids that are already valid.
    public init(userID: String, alias: String, time: EventTime? = nil) {
        self.userID = userID
        self.alias = alias
        self.time = time
    }
}

extension RecordDecoder {
    /// Decodes an event of type `identify`: `{"type":"identify","user_id":…,"anonymous_id":…}`, with a `timestamp` or without;
    /// `id_space` is the space of the user's id, `anonymous_id_space` that of the other.
    ///
    /// - Parameter now: The clock against which the future is measured.
    /// - Returns: The identity; nil where the event is of another type.
    public func identity(_ bytes: UnsafeRawBufferPointer, origin: RecordOrigin, now: EventTime) -> Result<Identity?, Rejection> {
        Result { () throws(Rejection) -> Identity? in
            var (scanner, reader) = try begin(bytes, maxBytes: rules.maxRecordBytes)
            var fields: [String: JSONToken] = [:]
            try members(&scanner, bytes) { name, token in
                if Self.identityFields.contains(name) { fields[name] = token }
            }
            func token(_ name: String) -> JSONToken { fields[name] ?? JSONToken() }
            guard token("type").kind == .string, rules.typeNames[Identity.type] == nil,
                try reader.id(token("type"), "type") == Identity.type
            else { return nil }
            func id(_ field: String, _ space: String) throws(Rejection) -> String {
                let space = try reader.idSpace(token(space), space)
                return try rules.userID(reader.requiredID(token(field), of: .user, field), in: space, field: field)
            }
            return Identity(
                userID: try id("user_id", "id_space"), alias: try id("anonymous_id", "anonymous_id_space"),
                time: try updateTime(token("timestamp"), reader, origin, now: now, field: "timestamp"))
        }
    }

    private static let identityFields: Set<String> = [
        "type", "user_id", "id_space", "anonymous_id", "anonymous_id_space", "timestamp",
    ]
}

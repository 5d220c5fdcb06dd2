import Bytes

/// What an id belongs to, where the rules differ.
public enum IDSubject: Sendable {
    /// Items, events, sessions, requests, types.
    case thing
    /// Users, and their aliases: the id of somebody who is known by a session alone is longer by its prefix.
    case user
}

/// The one place that decides what an id may be. Whatever makes an id out of something else (the key of a record, a normal form, the
/// prefix of a session) asks it after making it, so that what is stored can always be read again.
extension DecodingRules {
    /// What stands before a session's id to name somebody without a user id.
    public static let sessionPrefix = "session:"

    /// The longest id of a user in bytes of UTF-8: a session's with its prefix.
    public var maxUserIDBytes: Int { maxIDBytes + Self.sessionPrefix.utf8.count }

    /// The id in the form in which it is stored.
    ///
    /// - Throws: ``Rejection`` where it is empty, too long in that form, or holds a control character (U+0000–001F, U+007F–009F).
    public func id(_ text: String, of subject: IDSubject = .thing, field: String) throws(Rejection) -> String {
        let form = idForm?.of(text) ?? text
        guard !form.isEmpty else { throw Rejection(.missingField, field: field, "is empty; it must be a non-empty string") }
        guard !isStored else { return form }
        if let scalar = form.unicodeScalars.first(where: { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }) {
            throw FieldReader.controlCharacter(scalar.value, field)
        }
        let limit = subject == .user && form.hasPrefix(Self.sessionPrefix) ? maxUserIDBytes : maxIDBytes
        guard form.utf8.count <= limit else { throw Rejection(.tooLarge, field: field, "is longer than \(limit) bytes") }
        return form
    }

    /// The id that bytes spell, such as the key of a Kafka record.
    ///
    /// - Throws: ``Rejection``, also where they are not UTF-8.
    public func id(
        validating bytes: UnsafeRawBufferPointer, of subject: IDSubject = .thing, field: String
    ) throws(Rejection) -> String {
        guard bytes.isEmpty || TextSurvey.isValidUTF8(bytes) else { throw Rejection(.invalidUTF8, field: field, "is not UTF-8") }
        return try id(String(decoding: bytes, as: UTF8.self), of: subject, field: field)
    }

    /// The user id of somebody of whom a session alone is known.
    func sessionUser(_ sessionID: String) throws(Rejection) -> String {
        try id(Self.sessionPrefix + sessionID, of: .user, field: "session_id")
    }

    /// An id made of others; where it would be longer than an id may be, a part of it and the hash of all of it.
    func composedID(_ text: String) -> String {
        guard text.utf8.count > maxIDBytes else { return text }
        var hash = PayloadHash()
        hash.combine(text)
        var reversed = PayloadHash()
        reversed.combine(String(String.UnicodeScalarView(text.unicodeScalars.reversed())))
        let tail = "~" + Hexadecimal.text(hash.value) + Hexadecimal.text(reversed.value)
        var head = ""
        for scalar in text.unicodeScalars {
            guard head.utf8.count + Unicode.UTF8.width(scalar) + tail.utf8.count <= maxIDBytes else { break }
            head.unicodeScalars.append(scalar)
        }
        return head + tail
    }

    /// Records that were accepted before and are read from where they were stored: nothing is refused for its size, its numbers or its
    /// times, since the database may write them longer than they came.
    public static let stored: DecodingRules = {
        let unbounded = 1 << 40
        var rules = DecodingRules(
            earliestTime: EventTime(milliseconds: .min), maxFutureSkewMilliseconds: .max, maxRecordBytes: unbounded,
            maxDepth: DecodingRules.deepestAllowed, maxIDBytes: unbounded, maxTextBytes: unbounded, maxTags: unbounded,
            maxEmbeddingDimension: unbounded, maxContextBytes: unbounded, maxSlateItems: unbounded)
        rules.isStored = true
        return rules
    }()
}

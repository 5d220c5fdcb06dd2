/// Users of several systems: an `id_space` keeps their ids apart, `web:7` from `app:7`.
///
/// The id of a user who has a space is stored, asked and deleted as `SPACE:ID`, as somebody of whom a session alone is known is
/// `session:ID`.
extension DecodingRules {
    /// The longest name of a space in bytes.
    public static let idSpaceLimitBytes = 32

    /// Why a text names no space; nil where it does: 1 to 32 letters of ASCII, digits, `_` and `-`, and not `session`.
    public static func problem(ofIDSpace text: String) -> String? {
        guard text != sessionPrefix.dropLast() else {
            return "is session, which is the space of people of whom a session alone is known; take another name"
        }
        let isWord = text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
        guard !text.isEmpty, text.utf8.count <= idSpaceLimitBytes, isWord else {
            return "must be 1 to \(idSpaceLimitBytes) bytes of letters (a to z, A to Z), digits, `_` and `-`"
        }
        return nil
    }

    /// What stands before the ids of a space: `web:`.
    public static func prefix(ofIDSpace space: String) -> String { space + ":" }

    /// The id of a user of a space, in the form in which it is stored.
    ///
    /// - Parameters:
    ///   - space: a name without a ``problem(ofIDSpace:)``; nil leaves the id as it is.
    ///   - field: the field that has the id.
    /// - Throws: ``Rejection`` where the two together are no id.
    func userID(_ id: String, in space: String?, field: String) throws(Rejection) -> String {
        guard let space else { return id }
        do throws(Rejection) {
            return try self.id(Self.prefix(ofIDSpace: space) + id, of: .user, field: field)
        } catch {
            guard error.code == .tooLarge else { throw error }
            throw Rejection(.tooLarge, field: field, error.detail + " with its id_space and a colon")
        }
    }
}

extension FieldReader {
    /// The space of a user's id; nil where none is named.
    ///
    /// - Throws: ``Rejection`` with the field's name where it is none.
    func idSpace(_ token: JSONToken, _ field: String = "id_space") throws(Rejection) -> String? {
        guard token.isPresent, let text = try id(token, field) else { return nil }
        if let problem = DecodingRules.problem(ofIDSpace: text) { throw Rejection(.outOfRange, field: field, problem) }
        return text
    }
}

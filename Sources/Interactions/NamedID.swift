/// Finds the id that a record names though the record cannot be decoded: cut, malformed, in another encoding, or with a field at fault.
///
/// A refused record must be found again by whom it is about. What is looked for is a member's name, in quotes or without, a colon and a
/// value; so it also reads what is nearly JSON. The first one counts.
public enum NamedID {
    /// Bytes of a record that are looked at.
    public static let searchedBytesLimit = 1 << 20
    /// Bytes of an id that are kept.
    public static let idBytesLimit = 1_024

    /// The user whom a record of an event, a slate or a user names: by `user_id`, spelled `userId` too, with its `id_space`,
    /// else by `session_id`. Bytes as they stand, with escapes resolved; nil where none can be read.
    ///
    /// - Complexity: O(bytes).
    public static func user(in bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        if let user = find("userid", in: bytes) {
            guard let space = find("idspace", in: bytes).map({ String(decoding: $0, as: UTF8.self) }),
                DecodingRules.problem(ofIDSpace: space) == nil
            else { return user }
            return Array((Array(DecodingRules.prefix(ofIDSpace: space).utf8) + user).prefix(idBytesLimit))
        }
        return find("sessionid", in: bytes).map { Array((Array(DecodingRules.sessionPrefix.utf8) + $0).prefix(idBytesLimit)) }
    }

    /// The item that a record names by `item_id`, spelled `itemId` too.
    public static func item(in bytes: UnsafeRawBufferPointer) -> [UInt8]? { find("itemid", in: bytes) }

    /// The time that a record of an event or slate names as its own: RFC 3339 or whole milliseconds since 1970; nil where none can be read.
    public static func time(in bytes: UnsafeRawBufferPointer) -> EventTime? {
        guard let found = find("timestamp", in: bytes), found.count < 64 else { return nil }
        let text = String(decoding: found, as: UTF8.self)
        return EventTime(rfc3339: text) ?? Int64(text).map { EventTime(milliseconds: $0) }
    }

    /// The value of the last of some members, each of which stands somewhere behind the one before: of `user` and `id` what
    /// `{"id":1,"user":{"id":"u1"}}` has inside. Names are taken as they are, in double quotes.
    ///
    /// - Complexity: O(bytes).
    static func value(along names: [String], in bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(searchedBytesLimit))
        var place = 0
        for name in names {
            guard let next = member(Array("\"\(name)\"".utf8), in: bytes, from: place) else { return nil }
            place = next
        }
        return names.isEmpty ? nil : value(bytes, at: afterSpace(bytes, place))
    }

    /// Where the value of the next member with a quoted name begins.
    private static func member(_ quoted: [UInt8], in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var place = start
        while place + quoted.count <= bytes.count {
            guard bytes[place] == quoted[0], bytes[place..<place + quoted.count].elementsEqual(quoted) else { place += 1; continue }
            let next = afterSpace(bytes, place + quoted.count)
            if next < bytes.count, bytes[next] == UInt8(ascii: ":") { return next + 1 }
            place += 1
        }
        return nil
    }

    /// - Parameter name: In lower case, without underscores.
    private static func find(_ name: StaticString, in bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(searchedBytesLimit))
        var place = 0
        while place < bytes.count {
            guard isLetter(bytes[place]) else { place += 1; continue }
            let start = place
            while place < bytes.count, isLetter(bytes[place]) || bytes[place] == UInt8(ascii: "_") { place += 1 }
            guard isNamed(name, bytes[start..<place]) else { continue }
            var next = place
            if next < bytes.count, bytes[next] == UInt8(ascii: "\"") || bytes[next] == UInt8(ascii: "'") { next += 1 }
            next = afterSpace(bytes, next)
            guard next < bytes.count, bytes[next] == UInt8(ascii: ":") else { continue }
            if let id = value(bytes, at: afterSpace(bytes, next + 1)) { return id }
        }
        return nil
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    private static func afterSpace(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> Int {
        var place = place
        while place < bytes.count, bytes[place] == 0x20 || (0x09...0x0D).contains(bytes[place]) { place += 1 }
        return place
    }

    private static func isNamed(_ name: StaticString, _ word: Slice<UnsafeRawBufferPointer>) -> Bool {
        // `user_id` and its like have two underscores at most.
        guard word.count <= name.utf8CodeUnitCount + 2 else { return false }
        let letters = word.lazy.filter { $0 != UInt8(ascii: "_") }.map { $0 | 0x20 }
        return name.withUTF8Buffer { letters.elementsEqual($0) }
    }

    /// A string in either quotes, or a word or number without.
    private static func value(_ bytes: UnsafeRawBufferPointer, at start: Int) -> [UInt8]? {
        guard start < bytes.count else { return nil }
        let quote = bytes[start]
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            let word = bytes[start...].prefix(idBytesLimit).prefix { $0 > 0x20 && !",;{}[]\"'".utf8.contains($0) }
            return word.isEmpty || word.elementsEqual("null".utf8) ? nil : Array(word)
        }
        var id: [UInt8] = []
        var place = start + 1
        while place < bytes.count, id.count < idBytesLimit {
            let byte = bytes[place]
            if byte == quote { break }
            if byte == UInt8(ascii: "\\") {
                append(escape: bytes, at: &place, to: &id)
            } else {
                id.append(byte)
                place += 1
            }
        }
        return id.isEmpty ? nil : id
    }

    /// Resolves one escape of JSON; what is none stays as it is.
    private static func append(escape bytes: UnsafeRawBufferPointer, at place: inout Int, to id: inout [UInt8]) {
        guard place + 1 < bytes.count else { place += 1; return }
        switch bytes[place + 1] {
        case UInt8(ascii: "n"): id.append(0x0A)
        case UInt8(ascii: "r"): id.append(0x0D)
        case UInt8(ascii: "t"): id.append(0x09)
        case UInt8(ascii: "b"): id.append(0x08)
        case UInt8(ascii: "f"): id.append(0x0C)
        case UInt8(ascii: "u"):
            guard let first = unit(bytes, place + 2) else { break }
            place += 6
            var scalar = UInt32(first)
            if (0xD800..<0xDC00).contains(first), place + 1 < bytes.count, bytes[place] == UInt8(ascii: "\\"),
                bytes[place + 1] == UInt8(ascii: "u"), let second = unit(bytes, place + 2), (0xDC00..<0xE000).contains(second)
            {
                scalar = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
                place += 6
            }
            id.append(contentsOf: Array(String(Character(Unicode.Scalar(scalar) ?? "\u{FFFD}")).utf8))
            return
        default: id.append(bytes[place + 1])
        }
        place += 2
    }

    private static func unit(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> UInt16? {
        guard start + 4 <= bytes.count else { return nil }
        var value: UInt16 = 0
        for byte in bytes[start..<start + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}

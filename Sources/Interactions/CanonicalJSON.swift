/// The one spelling of a JSON object: no white space, members in the order of their keys' bytes, of a key that occurs twice the last,
/// strings without needless escapes and in the rules' normal form. Numbers stay as they were written.
///
/// So two senders, or one sender whose library orders members by chance, give the same text, and a repeat is known as one.
struct CanonicalJSON {
    let bytes: UnsafeBufferPointer<UInt8>
    let form: IDForm?
    let scanned: ScanCount?

    /// The object at `token`, which was scanned before, in this spelling.
    ///
    /// - Complexity: O(n log n) in its bytes; one pass where it has this spelling already.
    func object(_ token: JSONToken) -> String {
        let slice = UnsafeBufferPointer(rebasing: bytes[token.start..<token.end])
        if token.traits.isDisjoint(with: [.spaced, .escaped]), form == nil || slice.allSatisfy({ $0 < 0x80 }) {
            if isOrdered(token) { return String(decoding: slice, as: UTF8.self) }
            if let text = reordered(token) { return text }
        }
        var scanner = scanner(token)
        return (try? value(&scanner)) ?? String(decoding: slice, as: UTF8.self)
    }

    /// A string with its escapes resolved, in the normal form.
    func string(_ token: JSONToken) throws(Rejection) -> String {
        guard token.traits.contains(.escaped) else {
            let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[token.start..<token.end]), as: UTF8.self)
            return form?.of(text) ?? text
        }
        var text = ""
        var scanner = scanner(token)
        var plain = scanner.at
        while scanner.at < token.end {
            guard bytes[scanner.at] == UInt8(ascii: "\\") else {
                scanner.at += 1
                continue
            }
            text += String(decoding: UnsafeBufferPointer(rebasing: bytes[plain..<scanner.at]), as: UTF8.self)
            if let scalar = Unicode.Scalar(try scanner.escape()) { text.unicodeScalars.append(scalar) }
            plain = scanner.at
        }
        text += String(decoding: UnsafeBufferPointer(rebasing: bytes[plain..<token.end]), as: UTF8.self)
        return form?.of(text) ?? text
    }

    private func scanner(_ token: JSONToken) -> JSONScanner {
        scanned?.add(token.end - token.start)
        // The text was checked when it was found, nesting included.
        return JSONScanner(bytes, from: token.start, to: token.end, maxDepth: DecodingRules.deepestAllowed)
    }

    /// The members of an object in order, by copies of their bytes; nil where the order inside one of them is wrong too. Only for text
    /// without escapes and white space.
    private func reordered(_ token: JSONToken) -> String? {
        var members: [(key: Range<Int>, end: Int)] = []
        var scanner = scanner(token), first = true
        scanner.at += 1
        do throws(Rejection) {
            while let key = try scanner.nextKey(first: &first) {
                guard try ordered(&scanner) else { return nil }
                let member = (key: key.start..<key.end, end: scanner.at)
                // Most objects have a few members: each goes to its place as it comes, and of one key the last stays.
                var place = members.count
                while place > 0, bytes[member.key].lexicographicallyPrecedes(bytes[members[place - 1].key]) { place -= 1 }
                if place > 0, bytes[members[place - 1].key].elementsEqual(bytes[member.key]) {
                    members[place - 1] = member
                } else {
                    members.insert(member, at: place)
                }
                guard members.count <= Self.membersInserted else { return nil }
            }
        } catch {
            return nil
        }
        return String(unsafeUninitializedCapacity: token.count) { text in
            text[0] = UInt8(ascii: "{")
            var count = 1
            for member in members {
                if count > 1 {
                    text[count] = UInt8(ascii: ",")
                    count += 1
                }
                for byte in bytes[(member.key.lowerBound - 1)..<member.end] {
                    text[count] = byte
                    count += 1
                }
            }
            text[count] = UInt8(ascii: "}")
            return count + 1
        }
    }

    /// Members beyond which putting each in its place would cost more than sorting.
    private static let membersInserted = 32

    /// Whether the keys of every object inside ascend. Only for text without escapes.
    private func isOrdered(_ token: JSONToken) -> Bool {
        var scanner = scanner(token)
        return (try? ordered(&scanner)) ?? false
    }

    private func ordered(_ scanner: inout JSONScanner) throws(Rejection) -> Bool {
        var first = true
        switch scanner.byte {
        case UInt8(ascii: "{"):
            scanner.at += 1
            var last: JSONToken?
            while let key = try scanner.nextKey(first: &first) {
                if let last {
                    let before = bytes[last.start..<last.end], after = bytes[key.start..<key.end]
                    guard before.lexicographicallyPrecedes(after) else { return false }
                }
                last = key
                guard try ordered(&scanner) else { return false }
            }
            return true
        case UInt8(ascii: "["):
            scanner.at += 1
            while try scanner.nextElement(first: &first) { guard try ordered(&scanner) else { return false } }
            return true
        default:
            _ = try scanner.value(depth: 0)
            return true
        }
    }

    /// Writes the value at hand anew and stands behind it.
    private func value(_ scanner: inout JSONScanner) throws(Rejection) -> String {
        scanner.skipSpace()
        var first = true
        switch scanner.byte {
        case UInt8(ascii: "{"):
            scanner.at += 1
            var members: [String: String] = [:]
            while let key = try scanner.nextKey(first: &first) { members[try string(key)] = try value(&scanner) }
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            return "{" + sorted.map { "\(JSONText.quoted($0.key)):\($0.value)" }.joined(separator: ",") + "}"
        case UInt8(ascii: "["):
            scanner.at += 1
            var elements: [String] = []
            while try scanner.nextElement(first: &first) { elements.append(try value(&scanner)) }
            return "[" + elements.joined(separator: ",") + "]"
        default:
            let token = try scanner.value(depth: 0)
            if token.kind == .string { return JSONText.quoted(try string(token)) }
            return String(decoding: UnsafeBufferPointer(rebasing: bytes[token.start..<token.end]), as: UTF8.self)
        }
    }
}

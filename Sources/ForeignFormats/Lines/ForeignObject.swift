import Bytes
import Interactions

/// The members of an object that another system wrote, found by name whatever the case of its letters. Null is the same as absent.
package struct ForeignObject {
    private var values: [String: JSONTree] = [:]

    /// The members of a value.
    ///
    /// - Throws: ``Rejection`` with code `malformed_row` where it is no object.
    package init(_ tree: JSONTree) throws(Rejection) {
        guard let members = tree.members else { throw Rejection(.malformedRow, "is no JSON object") }
        for member in members where member.value != .null { values[member.name.lowercased()] = member.value }
    }

    /// Reads a line.
    ///
    /// - Throws: ``Rejection`` with code `malformed_row` where it is no JSON object.
    init(_ row: RawRow, maxBytes: Int) throws(Rejection) {
        if let problem = row.problem, problem.code != .malformedRow { throw problem }
        let tree: JSONTree
        do throws(Rejection) {
            tree = try row.bytes.withUnsafeBytes { RecordDecoder().tree($0, maxBytes: maxBytes) }.get()
        } catch {
            throw Rejection(.malformedRow, "the line is no JSON: \(error.detail)")
        }
        guard let members = tree.members else {
            throw Rejection(.malformedRow, "the line is no JSON object: jq -c '.[]' FILE makes lines of an array")
        }
        for member in members where member.value != .null { values[member.name.lowercased()] = member.value }
    }

    /// The value under a name.
    package subscript(_ name: String) -> JSONTree? { values[name.lowercased()] }

    /// Whether there is something under a name.
    package func has(_ name: String) -> Bool { self[name] != nil }

    /// A text, or a number as its text; nil where there is none or an empty one.
    package func text(_ name: String) -> String? {
        switch self[name] {
        case .text(let text): text.isEmpty ? nil : text
        case .number(let number): number
        default: nil
        }
    }

    /// A text that must be there.
    package func required(_ name: String) throws(Rejection) -> String {
        guard let text = text(name) else {
            throw Rejection(.malformedRow, field: name, "is missing or empty; it must be a non-empty string")
        }
        return text
    }

    /// A time in RFC 3339, or nil where there is none; Go's zero time, the year 1, is none.
    package func time(_ name: String, _ times: inout ForeignTime) throws(Rejection) -> EventTime? {
        guard let text = text(name) else { return nil }
        guard case .time(let time) = times.read(text) else {
            throw Rejection(.malformedRow, field: name, "\(JSONText.quoted(String(text.prefix(64)))) is no time that is understood")
        }
        return time.milliseconds == -62_135_596_800_000 ? nil : time
    }
}

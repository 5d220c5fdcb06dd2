/// Where a value stands in somebody else's record: `payload.user.id`, `items[0].sku`, `payload."user.id"`.
///
/// Names are separated by dots; one with a dot, a bracket, a quote or a space stands in double quotes, in which `\"` and `\\` mean the
/// quote and the backslash. `[2]` is an element of an array, counted from 0. A path begins in the line where a mapping has `each`, else in
/// the record; `$.` at its front begins in the whole record in any case. `@` alone is the line itself, `$` alone the record.
public struct RecordPath: Sendable, Hashable, CustomStringConvertible {
    /// One step down.
    public enum Step: Sendable, Hashable {
        /// Into the member of an object with this name.
        case member(String)
        /// To the element of an array with this number, from 0.
        case element(Int)
    }

    /// What is wrong with a text that should be a path: a piece of a sentence, such as `has an empty name`.
    public struct Problem: Error, Sendable, Equatable {
        /// The piece of a sentence.
        public let detail: String
    }

    /// The longest path as text, in bytes.
    public static let textBytesLimit = 512
    /// The most steps of a path: as deep as records may be.
    public static let stepsLimit = DecodingRules.deepestAllowed
    /// The highest number of an element.
    public static let elementLimit = 9_999

    /// Whether it begins in the whole record where others begin in a line.
    public let isOfRecord: Bool
    /// The way down; empty for the line or the record itself.
    public let steps: [Step]
    /// The path as it was written.
    public let description: String

    /// Reads a path.
    ///
    /// - Throws: ``Problem``, a piece of a sentence about the text.
    public init(_ text: String) throws(Problem) {
        guard !text.isEmpty else { throw Problem(detail: "is empty; a path such as payload.user.id is wanted") }
        guard text.utf8.count <= Self.textBytesLimit else {
            throw Problem(detail: "is longer than \(Self.textBytesLimit) bytes, which no path may be")
        }
        var rest = Array(text.unicodeScalars)[...]
        var ofRecord = false
        if rest.first == "$" {
            ofRecord = true
            rest = rest.dropFirst()
            if rest.first == "." {
                rest = rest.dropFirst()
                if rest.isEmpty { throw Problem(detail: "ends with a dot: write the name behind it") }
            } else if let next = rest.first, next != "[" {
                throw Problem(detail: "has no dot behind $: write $.name for a name of the whole record")
            }
        } else if rest.first == "@", rest.count == 1 {
            rest = []
        }
        var steps: [Step] = [], needsName = true
        while let first = rest.first {
            switch first {
            case "[":
                steps.append(.element(try Self.element(&rest)))
                needsName = false
            case "." where !needsName:
                rest = rest.dropFirst()
                guard !rest.isEmpty else { throw Problem(detail: "ends with a dot: write the name behind it") }
                needsName = true
                continue
            default:
                guard needsName else { throw Problem(detail: "has \(first) where a dot or [ is wanted") }
                steps.append(.member(try Self.name(&rest)))
                needsName = false
            }
        }
        guard steps.count <= Self.stepsLimit else { throw Problem(detail: "has more than \(Self.stepsLimit) steps") }
        isOfRecord = ofRecord
        self.steps = steps
        description = text
    }

    /// The names on the way.
    var names: [String] {
        steps.compactMap { if case .member(let name) = $0 { name } else { nil } }
    }

    private static func element(_ rest: inout ArraySlice<Unicode.Scalar>) throws(Problem) -> Int {
        rest = rest.dropFirst()
        let digits = rest.prefix { ("0"..."9").contains($0) }
        rest = rest.dropFirst(digits.count)
        guard rest.first == "]", let number = Int(String(String.UnicodeScalarView(digits))), number <= elementLimit else {
            throw Problem(detail: "has a bracket without a number from 0 to \(elementLimit) and its end: write lines[0]")
        }
        rest = rest.dropFirst()
        return number
    }

    private static func name(_ rest: inout ArraySlice<Unicode.Scalar>) throws(Problem) -> String {
        var name = String.UnicodeScalarView()
        guard rest.first == "\"" else {
            while let next = rest.first, !".[".unicodeScalars.contains(next) {
                guard !"]\" ".unicodeScalars.contains(next), next.value >= 0x20 else {
                    let what = next.value < 0x20 ? "a control character" : "'\(next)'"
                    throw Problem(detail: "has \(what) in a name: put the name into double quotes")
                }
                name.append(next)
                rest = rest.dropFirst()
            }
            guard !name.isEmpty else { throw Problem(detail: "has an empty name") }
            return String(name)
        }
        rest = rest.dropFirst()
        while let next = rest.popFirst() {
            switch next {
            case "\"": return String(name)
            case "\\":
                guard let escaped = rest.popFirst(), escaped == "\"" || escaped == "\\" else {
                    throw Problem(detail: "has a backslash in quotes before something else than a quote or a backslash")
                }
                name.append(escaped)
            default: name.append(next)
            }
        }
        throw Problem(detail: "has a quote without its end")
    }
}

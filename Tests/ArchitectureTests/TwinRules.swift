/// Finds runs of lines that stand in the sources twice.
struct TwinRules {
    /// A run of so many lines, equal but for the white space at their ends, is a twin.
    static let leastLines = 6

    /// Two places with the same lines.
    struct Twin: CustomStringConvertible {
        var first: (path: String, line: Int)
        var second: (path: String, line: Int)
        var lines: Int
        var description: String { "\(lines) lines of \(first.path):\(first.line) stand at \(second.path):\(second.line) as well" }
    }

    /// A line that counts: what is no blank, no bracket alone and no import.
    private struct Line {
        var number: Int
        /// Equal for equal texts.
        var text: Int
    }

    private var texts: [String: Int] = [:]
    private var files: [(path: String, lines: [Line])] = []

    /// Takes in a file.
    mutating func add(_ path: String, _ source: String) {
        var lines: [Line] = []
        for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard let text = Self.evidence(line) else { continue }
            lines.append(Line(number: index + 1, text: texts[text, default: texts.count]))
            texts[text] = lines[lines.count - 1].text
        }
        files.append((path, lines))
    }

    /// The text of a line without the white space around it; nil where it says nothing: blanks, brackets, `else` and imports.
    static func evidence(_ line: Substring) -> String? {
        let text = line.drop { $0 == " " || $0 == "\t" }
        guard !text.hasPrefix("import "), !text.hasPrefix("@testable import ") else { return nil }
        let bare = text.hasPrefix("} else {") ? Substring() : text.drop { "[]{}(),;: \t\r".contains($0) }
        guard !bare.isEmpty else { return nil }
        var end = text.endIndex
        while end > text.startIndex, " \t\r".contains(text[text.index(before: end)]) { end = text.index(before: end) }
        return String(text[..<end])
    }

    /// Each run that stands a second time, once, at its full length.
    func twins() -> [Twin] {
        var places: [[Int]: (file: Int, line: Int)] = [:]
        var found: [Twin] = []
        for (number, file) in files.enumerated() {
            var index = 0
            while index + Self.leastLines <= file.lines.count {
                let key = file.lines[index..<index + Self.leastLines].map(\.text)
                guard let known = places[key] else {
                    places[key] = (number, index)
                    index += 1
                    continue
                }
                let other = files[known.file]
                var length = Self.leastLines
                while index + length < file.lines.count, known.line + length < other.lines.count,
                    file.lines[index + length].text == other.lines[known.line + length].text
                { length += 1 }
                found.append(
                    Twin(
                        first: (other.path, other.lines[known.line].number), second: (file.path, file.lines[index].number), lines: length))
                index += length
            }
        }
        return found
    }
}

/// Rules about the text of one Swift file. Each returns the violations that it finds, so that a test can plant one.
enum SourceRules {
    static let maxLines = 400

    /// A line may have so many characters.
    static let maxLineCharacters = 140

    /// Lines that are too long, as `line: count`.
    static func overlong(in text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { number, line in
            // Most lines have fewer bytes than that.
            guard line.utf8.count > maxLineCharacters, line.count > maxLineCharacters else { return nil }
            return "\(number + 1): \(line.count) characters"
        }
    }

    /// The code without comments and without the contents of one-line string literals.
    static func code(_ source: String) -> [String] {
        var inBlock = false
        return source.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if inBlock {
                if line.contains("*/") { inBlock = false }
                return ""
            }
            var plain: [UInt8] = []
            var inString = false
            var isEscaped = false
            for byte in line.utf8 {
                if inString {
                    if byte == UInt8(ascii: "\""), !isEscaped { inString = false }
                    isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
                    if inString { continue }
                } else if byte == UInt8(ascii: "\"") {
                    inString = true
                }
                plain.append(byte)
                if plain.suffix(2).elementsEqual("//".utf8) {
                    plain.removeLast(2)
                    break
                }
                if plain.suffix(2).elementsEqual("/*".utf8) {
                    inBlock = !line.contains("*/")
                    break
                }
            }
            return String(decoding: plain, as: UTF8.self)
        }
    }

    /// The lines that match, as `line: text`. Word boundaries are those of code: in `a.b` there are two words.
    static func lines(of source: String, matching pattern: Regex<Substring>) -> [String] {
        let pattern = pattern.wordBoundaryKind(.simple)
        return code(source).enumerated().compactMap { number, line in
            !line.isEmpty && line.contains(pattern) ? "\(number + 1): \(line)" : nil
        }
    }

    /// Constructs that end the process on bad input.
    static func traps(in source: String) -> [String] {
        lines(of: source, matching: /\btry!|\bas!|\bfatalError\(/)
    }

    /// Type names that say nothing about what the type is for.
    static func emptyNames(in source: String) -> [String] {
        lines(of: source, matching: /\b(?:class|struct|enum|actor|protocol|typealias)\s+\w*(?:Manager|Helper|Utils?|Utility|Utilities)\b/)
    }

    /// Clocks, randomness and I/O, which pure targets take as parameters or leave to others.
    static func impurities(in source: String) -> [String] {
        let systemNames = #/
            \b(?:fopen|fread|fwrite|printf|getenv|clock_gettime|gettimeofday|usleep|nanosleep|mmap|SystemRandomNumberGenerator
            |ContinuousClock|SuspendingClock)\b|\bTask\.sleep\b
            /#
        let freeFunctions = /(?:^|[^\w.])(?:print|debugPrint|readLine|rand|random)\(|\btime\(nil\)/
        let systemRandomness = /\.(?:randomElement|shuffle|shuffled)\(\)|\.random\((?!.*using:)/
        return lines(of: source, matching: systemNames)
            + lines(of: source, matching: freeFunctions).filter { !$0.contains("func ") }
            + lines(of: source, matching: systemRandomness)
    }

    /// `@unchecked Sendable` without a reason in the comments just above it or beside it.
    static func unexplainedSendability(in source: String) -> [String] {
        let all = source.split(separator: "\n", omittingEmptySubsequences: false)
        return all.indices.compactMap { index in
            guard all[index].contains("@unchecked Sendable"), !isComment(all[index]) else { return nil }
            let near = all[max(0, index - 14)...min(all.count - 1, index + 3)]
            let explained = near.contains { isComment($0) || $0.contains("//") }
                && near.contains {
                    $0.contains(
                        /\/\/.*(?:sendable|unchecked|thread|lock|mutex|concurren|immutable|never (?:changes|written)|one at a time|owner)/
                            .ignoresCase())
                }
            return explained ? nil : "\(index + 1): \(all[index])"
        }
    }

    /// Work that somebody meant to do later.
    static func leftovers(in text: String) -> [String] {
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK:"]
        return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { number, line in
            words.contains { line.contains($0) } ? "\(number + 1): \(line)" : nil
        }
    }

    private static func isComment(_ line: Substring) -> Bool {
        line.contains(/^\s*(?:\/\/|\*)/)
    }
}

import Foundation

/// Commands as README and the pages print them.
struct PrintedCommand: Hashable {
    /// The page, from the root of the checkout.
    var page: String
    /// The command in one line, without its comment.
    var text: String

    /// Its words; quotes are taken off.
    var words: [String] { Self.words(of: text) }

    /// Words as a shell takes them, as far as pages need it: quotes, no variables.
    static func words(of text: String) -> [String] {
        var words: [String] = [], word = "", quote: Character?, isOpen = false
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                isOpen = true
            } else if character == " " {
                if isOpen { words.append(word) }
                (word, isOpen) = ("", false)
            } else {
                word.append(character)
                isOpen = true
            }
        }
        return isOpen ? words + [word] : words
    }
}

/// Finds what pages print.
enum PrintedCommands {
    /// Every page that tells people what to type.
    static func pages(_ root: URL) throws -> [String] {
        let docs = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: "docs").path)
        return ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
            + docs.filter { $0.hasSuffix(".md") }.sorted().map { "docs/" + $0 }
    }

    /// The blocks of a page between fences: what their first line calls them, and their lines.
    static func blocks(in text: String) -> [(kind: String, lines: [String])] {
        var blocks: [(kind: String, lines: [String])] = [], open = false
        for line in text.components(separatedBy: "\n") {
            if line.hasPrefix("```") {
                if !open { blocks.append((String(line.dropFirst(3)), [])) }
                open.toggle()
            } else if open {
                blocks[blocks.count - 1].lines.append(line)
            }
        }
        return blocks
    }

    /// The commands of a page's blocks, in their order.
    static func inBlocks(_ text: String, page: String) -> [PrintedCommand] {
        blocks(in: text).flatMap { kind, lines -> [PrintedCommand] in
            guard ["", "sh", "bash", "shell", "console"].contains(kind) else { return [] }
            // A line that ends in a backslash goes on.
            let whole = lines.joined(separator: "\n").replacing("\\\n", with: " ").components(separatedBy: "\n")
            return whole.flatMap { commands(of: $0) }.compactMap { command in
                kind == "" && !isCommand(command) ? nil : PrintedCommand(page: page, text: command)
            }
        }
    }

    /// The commands in a page's sentences and tables: spans of code that begin as a command does.
    static func inSentences(_ text: String, page: String) -> [PrintedCommand] {
        spans(in: text).filter { isCommand($0) && $0.contains(" ") }.map { PrintedCommand(page: page, text: $0) }
    }

    /// Spans of code outside blocks.
    static func spans(in text: String) -> [String] {
        let prose = text.replacing(/(?s)```.*?\n```/, with: "")
        return prose.matches(of: /`([^`]+)`/).map { String($0.1).replacing(/\s+/, with: " ") }
    }

    /// Whether a line begins with a program that is ours, or that pages use on ours.
    static func isCommand(_ line: String) -> Bool {
        line.firstMatch(of: /^(freshet|curl|mpirun|swift|eval|export|install|ops\/[a-z-]+)( |$)/) != nil
    }

    private static func commands(of line: String) -> [String] {
        var text = line.trimmingCharacters(in: .whitespaces)
        if text.hasPrefix("$ ") { text.removeFirst(2) }
        // A comment begins with a # after a space, outside quotes.
        var quote: Character?, last: Character = " "
        for index in text.indices {
            let character = text[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "'" || character == "\"" {
                quote = character
            } else if character == "#", last == " " {
                text = String(text[..<index])
                break
            }
            last = character
        }
        return text.components(separatedBy: " && ").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}

import Foundation
import TestSupport

/// What `--help` says of every command.
struct Helps {
    /// By the words of the command.
    private var texts: [[String]: String] = [:]

    init(_ program: Program) throws {
        var open: [[String]] = [[]]
        while let path = open.popLast() {
            let text = try program.run(path + ["--help"]).output
            texts[path] = text
            guard let list = text.firstRange(of: "SUBCOMMANDS:") else { continue }
            for line in text[list.upperBound...].split(separator: "\n") {
                if let name = line.firstMatch(of: /^  ([a-z][a-z-]*)/) { open.append(path + [String(name.1)]) }
            }
        }
    }

    func knows(_ option: String) -> Bool { texts.values.contains { Self.names(option, in: $0) } }

    /// The words that are neither a subcommand where one is due, nor an option that is known there.
    func unknown(in words: [String]) -> [String] {
        var path: [String] = [], unknown: [String] = []
        let plain = words.map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "[]…,.;")) }
            .flatMap { $0.components(separatedBy: "|") }
        var rest = plain.filter { !$0.isEmpty }[...]
        while let word = rest.first, texts[path + [word]] != nil {
            path.append(word)
            rest = rest.dropFirst()
        }
        if path.isEmpty, let word = rest.first, word.firstMatch(of: /^[a-z]/) != nil { return [word] }
        for word in rest where word.hasPrefix("--") {
            let option = String(word.prefix { $0 == "-" || $0.isLetter || $0.isNumber })
            // Alternatives of subcommands share the options that are printed after them.
            let candidates = [path] + rest.filter { texts[path + [$0]] != nil }.map { path + [$0] }
            if !candidates.contains(where: { Self.names(option, in: texts[$0] ?? "") }) { unknown.append(option) }
        }
        return unknown
    }

    private static func names(_ option: String, in text: String) -> Bool {
        text.ranges(of: option).contains { range in
            guard range.upperBound < text.endIndex else { return true }
            let next = text[range.upperBound]
            return !next.isLetter && !next.isNumber && next != "-"
        }
    }
}

/// The keys that `freshet configuration` lists.
struct Keys {
    private let names: Set<String>
    private let sections: Set<String>
    /// Mappings, under which people choose names.
    private static let open = ["kafka.properties.", "ingest.event_types."]

    init(_ listing: String) {
        let words = listing.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
        names = Set(words.filter { $0.contains(".") || $0 == "clock" })
        sections = Set(names.compactMap { $0.split(separator: ".").first.map(String.init) })
    }

    func hasSection(of key: String) -> Bool { sections.contains(key.split(separator: ".").first.map(String.init) ?? "") }

    /// Whether the key exists; one that ends in `*` stands for those that begin like it.
    func knows(_ key: String) -> Bool {
        if Self.open.contains(where: { key.hasPrefix($0) }) { return true }
        return key.hasSuffix("*") ? names.contains { $0.hasPrefix(key.dropLast()) } : names.contains(key)
    }
}

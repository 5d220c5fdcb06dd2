/// What pages of the house say of it. Each rule returns what it finds, so that a test can plant a violation.
enum PageRules {
    /// Folders at the root of the checkout in which pages name files.
    private static let folders: Set<Substring> = ["Sources", "Tests", "docs", "ops", "migrations", "schemas", ".ci"]

    /// The texts between single backticks, line by line; blocks of code are left out.
    static func spans(in text: String) -> [String] {
        var isBlock = false
        return text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line -> [String] in
            if line.hasPrefix("```") { isBlock.toggle() }
            return isBlock ? [] : line.matches(of: /`([^`]+)`/).map { String($0.1) }
        }
    }

    /// The files and folders that a page names: from the root (`ops/test`), below `Sources` (`Intake/RecordIntake.swift`) or below `Tests`.
    ///
    /// - Parameter targets: names of folders of `Sources` and `Tests`.
    static func paths(in text: String, targets: Set<String>) -> [String] {
        spans(in: text).flatMap { $0.split(separator: " ") }.filter { word in
            guard !word.contains(where: { "<*{(\"…".contains($0) }) else { return false }
            let first = word.prefix { $0 != "/" }
            return word.contains("/") && (folders.contains(first) || targets.contains(String(first))) || word.hasSuffix(".swift")
        }.map(String.init)
    }

    /// The paths of these that are neither at the root nor below `Sources` or `Tests`.
    ///
    /// - Parameter files: all files of the checkout; a folder exists where a file lies in it.
    static func missing(_ paths: [String], files: Set<String>) -> [String] {
        var known = files
        for file in files {
            var folder = file[...]
            while let end = folder.lastIndex(of: "/") {
                folder = folder[..<end]
                if !known.insert(String(folder)).inserted { break }
            }
        }
        return paths.filter { path in
            let plain = path.hasSuffix("/") ? String(path.dropLast()) : path
            return !["", "Sources/", "Tests/"].contains { known.contains($0 + plain) }
        }
    }

    /// The types of two words or more (`RecordIntake`) that a page names, that are no target and that none of the sources declares.
    static func unknownTypes(in text: String, sources: [String], targets: Set<String> = []) -> [String] {
        let named = Set(spans(in: text).compactMap { span in
            span.wholeMatch(of: /([A-Z][a-z0-9]+[A-Z]\w+)(?:\.\w+(?:\(.*\))?)?/).map { String($0.1) }
        })
        var declared = targets
        for source in sources {
            for found in source.matches(of: /\b(?:struct|class|enum|actor|protocol|typealias)\s+(\w+)/) { declared.insert(String(found.1)) }
        }
        return named.subtracting(declared).sorted()
    }

    /// The names in the first column of the map, which stands between two headings.
    static func mapRows(in text: String) -> [String] {
        guard let start = text.firstRange(of: "## The map") else { return [] }
        let rest = text[start.upperBound...]
        let section = rest.firstRange(of: "\n## ").map { rest[..<$0.lowerBound] } ?? rest
        return section.split(separator: "\n").filter { $0.hasPrefix("| `") }.flatMap { row in
            row.dropFirst(2).prefix { $0 != "|" }.matches(of: /`(\w+)`/).map { String($0.1) }
        }
    }

    /// Commands that no command has among its subcommands; the one with `@main` is nobody's.
    static func unlistedCommands(in sources: [String]) -> [String] {
        var declared: [String] = [], listed: Set<String> = []
        for source in sources {
            for found in source.matches(of: /(@main\s+)?struct (\w+): [^{]*ParsableCommand\b/) where found.1 == nil {
                declared.append(String(found.2))
            }
            for list in source.matches(of: /(?:subcommands:|ParsableCommand\.Type\] \{|protocols \+)\s+\[([^\]]*)\]/) {
                for name in list.1.matches(of: /(\w+)\.self/) { listed.insert(String(name.1)) }
            }
        }
        return declared.filter { !listed.contains($0) }.sorted()
    }

    /// The names of the subcommands of `freshet evaluate`: what `commandName` says, else the type's name in small letters.
    static func protocols(in sources: [String]) -> [String] {
        guard let list = sources.lazy.compactMap({ $0.firstMatch(of: /protocols: \[any ParsableCommand\.Type\] \{\s+\[([^\]]*)\]/) }).first
        else { return [] }
        return list.1.matches(of: /(\w+)\.self/).map { String($0.1) }.map { type in
            for source in sources {
                guard let start = source.firstRange(of: "struct \(type): ") else { continue }
                let head = source[start.upperBound...].prefix { $0 != "@" }
                if let name = head.firstMatch(of: /commandName: "([a-z-]+)"/) { return String(name.1) }
            }
            return type.lowercased()
        }
    }
}

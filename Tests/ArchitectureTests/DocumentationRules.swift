/// Finds declarations that other targets can use and that no comment documents.
///
/// What is documented where it is required needs no second comment: a member that a protocol of ours, or one of the standard library's
/// that everybody knows, asks of a type that names the protocol. Nor do overrides, which mean what they override.
struct DocumentationRules {
    /// Members that protocols of the toolchain ask for.
    private static let known: [String: Set<String>] = [
        "Comparable": ["<", "=="], "Equatable": ["=="], "Hashable": ["==", "hash"], "Identifiable": ["id"],
        "CustomStringConvertible": ["description"], "CustomDebugStringConvertible": ["debugDescription"],
        "CustomReflectable": ["customMirror"], "Encodable": ["encode"], "Decodable": ["init"], "Codable": ["encode", "init"],
        "RandomNumberGenerator": ["next"], "IteratorProtocol": ["next"], "Sequence": ["makeIterator", "underestimatedCount"],
        "RandomAccessCollection": ["startIndex", "endIndex", "index", "subscript"], "CaseIterable": ["allCases"],
        "OptionSet": ["rawValue", "init"], "RawRepresentable": ["rawValue", "init"], "Service": ["run"],
        "ExpressibleByStringLiteral": ["init"], "ExpressibleByDictionaryLiteral": ["init"],
        "ParsableCommand": ["run", "configuration", "validate"], "AsyncParsableCommand": ["run", "configuration", "validate"],
    ]

    /// What a line declares.
    struct Declaration {
        var modifiers: Set<String>
        var keyword: String
        var name: String
    }

    /// Requirements of our own protocols, by protocol, those of inherited protocols included.
    private var requirements: [String: Set<String>] = DocumentationRules.known

    /// Learns what the protocols of some files ask for.
    init(protocolsOf sources: [String]) {
        var inherited: [String: [String]] = [:]
        for source in sources {
            var open: (name: String, indent: Int)?
            for line in source.split(separator: "\n", omittingEmptySubsequences: true) {
                let indent = line.prefix { $0 == " " }.count
                if let current = open, indent <= current.indent { open = nil }
                guard let declaration = Self.declaration(line) else { continue }
                if declaration.keyword == "protocol" {
                    open = (declaration.name, indent)
                    inherited[declaration.name] = Self.conformances(line)
                    if requirements[declaration.name] == nil { requirements[declaration.name] = [] }
                } else if let current = open, indent == current.indent + 4 {
                    requirements[current.name, default: []].insert(declaration.name)
                }
            }
        }
        for _ in 0..<3 {
            for (name, parents) in inherited {
                for parent in parents { requirements[name, default: []].formUnion(requirements[parent] ?? []) }
            }
        }
    }

    /// The declarations of a file that are public or of the package's and have no comment, as `line: text`.
    func undocumented(in source: String) -> [String] {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        var scopes: [(indent: Int, isProtocol: Bool, exempt: Set<String>)] = []
        var found: [String] = []
        for (index, line) in lines.enumerated() {
            let indent = line.prefix { $0 == " " }.count
            guard indent < line.count else { continue }
            while let scope = scopes.last, indent <= scope.indent, line[line.index(line.startIndex, offsetBy: indent)] != "}" {
                scopes.removeLast()
            }
            guard let declaration = Self.declaration(line) else { continue }
            let isVisible = !declaration.modifiers.isDisjoint(with: ["public", "package", "open"])
            let outer = scopes.last
            if ["struct", "class", "enum", "actor", "protocol", "extension"].contains(declaration.keyword) {
                let exempt = Self.conformances(Self.whole(lines, from: index)).reduce(into: Set<String>()) {
                    $0.formUnion(requirements[$1] ?? [])
                }
                scopes.append((indent, declaration.keyword == "protocol" && isVisible, exempt))
            }
            let isRequirement = outer.map { $0.isProtocol && indent == $0.indent + 4 } ?? false
            guard isVisible || isRequirement, declaration.keyword != "extension", !declaration.modifiers.contains("override"),
                outer?.exempt.contains(declaration.name) != true, !Self.isDocumented(lines, index)
            else { continue }
            found.append("\(index + 1): \(line)")
        }
        return found
    }

    /// A comment stands above, attributes and conditions between them aside.
    private static func isDocumented(_ lines: [Substring], _ index: Int) -> Bool {
        var above = index - 1
        while above >= 0, lines[above].contains(/^\s*[@#]/) { above -= 1 }
        return above >= 0 && lines[above].contains(/^\s*(?:\/\/\/|\*\/)/)
    }

    /// A declaration's head up to its brace, where that stands on a later line.
    private static func whole(_ lines: [Substring], from index: Int) -> Substring {
        var text = String(lines[index]), next = index + 1
        while !text.contains("{"), next < lines.count, next < index + 6 {
            text += lines[next]
            next += 1
        }
        return text[...]
    }

    /// The types after a declaration's colon.
    private static func conformances(_ line: Substring) -> [String] {
        let head = line.prefix { $0 != "{" }
        guard let colon = head.lastIndex(of: ":") else { return [] }
        return head[head.index(after: colon)...].split { ", &".contains($0) }.map(String.init)
    }

    /// Reads a line as a declaration.
    static func declaration(_ line: Substring) -> Declaration? {
        guard line.utf8.contains(where: { $0 != UInt8(ascii: " ") }), !line.contains("//") || line.contains(/^\s*\w/) else { return nil }
        var modifiers: Set<String> = []
        var rest = line.drop { $0 == " " }
        while true {
            if rest.hasPrefix("@") {
                guard let space = rest.firstIndex(of: " ") else { return nil }
                rest = rest[space...].drop { $0 == " " }
                continue
            }
            let word = rest.prefix { $0.isLetter || $0 == "_" || $0 == "(" || $0 == ")" }
            let plain = String(word.prefix { $0 != "(" })
            if Self.keywords.contains(plain) {
                rest = rest.dropFirst(plain.count)
                // `class func`: a modifier after all.
                if plain == "class", rest.hasPrefix(" func ") || rest.hasPrefix(" var ") {
                    rest = rest.drop { $0 == " " }
                    continue
                }
                let tail = rest.drop { $0 == " " }
                guard rest.hasPrefix(" ") || plain == "init" || plain == "subscript" else { return nil }
                let isNamed = plain != "init" && plain != "subscript"
                let name = tail.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "`" }
                let symbol = tail.prefix { $0 != "(" && $0 != " " && $0 != "<" || tail.first == "<" && $0 == "<" }
                let own = isNamed ? String(name.isEmpty ? symbol : name) : plain
                return Declaration(modifiers: modifiers, keyword: plain, name: own)
            }
            guard Self.modifiers.contains(plain), rest.count > word.count else { return nil }
            if word == plain { modifiers.insert(plain) }
            rest = rest.dropFirst(word.count).drop { $0 == " " }
        }
    }

    private static let keywords: Set<String> = [
        "struct", "class", "enum", "actor", "protocol", "extension", "func", "var", "let", "init", "subscript", "typealias",
        "associatedtype",
    ]
    private static let modifiers: Set<String> = [
        "public", "package", "open", "internal", "private", "fileprivate", "final", "static", "class", "mutating", "nonmutating",
        "nonisolated", "override", "convenience", "required", "indirect", "lazy", "weak", "unowned", "isolated", "consuming", "borrowing",
    ]
}

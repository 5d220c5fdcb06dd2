/// What `Package.swift` says about our targets, read from its text.
struct Manifest {
    struct Target: Equatable {
        var name: String
        /// Targets of this package that it depends on.
        var targets: [String]
        /// Products of other packages that it depends on.
        var products: [String]
        /// A module map or C code, by the naming rule: `C` and another capital letter.
        var isC: Bool { name.first == "C" && name.dropFirst().first?.isUppercase == true }
    }

    var targets: [Target] = []

    /// Reads the calls that declare targets: `.target(`, `.executableTarget(`, `.systemLibrary(` and `pure(`.
    init(text: String) {
        for call in [".target(", ".executableTarget(", ".systemLibrary(", "pure("] {
            var rest = text[...]
            while let start = rest.firstRange(of: call) {
                rest = rest[start.upperBound...]
                let arguments = Self.balanced(rest)
                // The function that declares `pure` itself has a parameter list instead of a name.
                guard let name = Self.strings(in: arguments).first, !arguments.hasPrefix("_ name") else { continue }
                guard !arguments.hasPrefix("name: name") else { continue }
                // What only tests use lies with the tests and ships with nothing.
                guard !arguments.contains("path: \"Tests/") else { continue }
                targets.append(Self.target(named: name, arguments: arguments))
            }
        }
    }

    subscript(name: String) -> Target? { targets.first { $0.name == name } }

    private static func target(named name: String, arguments: Substring) -> Target {
        var list = Substring()
        if let label = arguments.firstRange(of: "dependencies:") {
            list = arguments[label.upperBound...]
        } else if let comma = arguments.firstRange(of: ", ["), !arguments.contains("name:") {
            list = arguments[comma.lowerBound...]
        }
        guard let open = list.firstIndex(of: "[") else { return Target(name: name, targets: [], products: []) }
        let inside = balanced(list[list.index(after: open)...], open: "[", close: "]")
        let products = inside.matches(of: /\.product\(name: "([^"]+)"[^)]*\)/).map { String($0.1) }
        let own = strings(in: inside.replacing(/\.product\([^)]*\)/, with: "")[...])
        return Target(name: name, targets: own, products: products)
    }

    /// The text up to the bracket that closes the one before it.
    private static func balanced(_ text: Substring, open: Character = "(", close: Character = ")") -> Substring {
        var depth = 1
        for index in text.indices {
            if text[index] == open { depth += 1 }
            if text[index] == close { depth -= 1 }
            if depth == 0 { return text[..<index] }
        }
        return text
    }

    private static func strings(in text: Substring) -> [String] {
        text.matches(of: /"([^"]*)"/).map { String($0.1) }
    }
}

import Foundation

/// Rules about files that are not Swift. Each returns what it finds, so that a test can plant a violation.
enum RepositoryRules {
    /// Migrations, in name order, that do not carry the next number.
    static func misnumbered(_ names: [String]) -> [String] {
        names.sorted().enumerated().compactMap { index, name in
            guard let number = name.firstMatch(of: /^(\d{4})_[a-z0-9_]+\.sql$/).flatMap({ Int($0.1) }) else {
                return "\(name) is not named like 0001_words.sql"
            }
            return number == index + 1 ? nil : "\(name) should be number \(index + 1)"
        }
    }

    /// Whether a text is a JSON Schema that can be referred to: an object with an `$id`.
    static func isSchema(_ text: String) -> Bool {
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else { return false }
        return object["$id"] is String
    }

    /// The keys that the program declares.
    static func configurationKeys(inCode text: String) -> Set<String> {
        Set(text.matches(of: /(?m)^    case \w+ = "([a-z_.]+)"$/).map { String($0.1) })
    }

    /// The keys that open a row of a table.
    static func configurationKeys(inDocs text: String) -> Set<String> {
        Set(text.matches(of: /(?m)^\| `([a-z_.]+)` \|/).map { String($0.1) })
    }

    /// Link targets inside the repository, without their anchors.
    static func relativeLinks(in text: String) -> [String] {
        text.matches(of: /\]\(([^)#\s]+)(?:#[^)\s]*)?\)/).map { String($0.1) }.filter { !$0.contains("://") && !$0.hasPrefix("mailto:") }
    }

    /// Test files that a page names, as `SomethingTests/File.swift`.
    static func testFiles(in text: String) -> [String] {
        text.matches(of: /`(\w+Tests\/[\w\/]+\.swift)`/).map { String($0.1) }
    }
}

import Foundation
import Settings
import Testing

/// Settings from texts, as files, variables and flags would bring them.
enum Sources {
    /// Settings of files that hold these bytes, of variables and of flags.
    static func load(
        files: [Data], environment: [String: String] = [:], flags: [(key: String, value: String)] = []
    ) throws -> Configuration {
        let folder = FileManager.default.temporaryDirectory.appending(path: "freshet-settings-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let empty = folder.appending(path: "empty.yaml").path
        try Data().write(to: URL(fileURLWithPath: empty))
        var paths = [empty]
        for (number, data) in files.enumerated() {
            paths.append(folder.appending(path: "file\(number + 1).yaml").path)
            try data.write(to: URL(fileURLWithPath: paths[number + 1]))
        }
        return try Configuration.load(files: paths, environment: environment, flags: flags)
    }

    static func yaml(_ texts: String...) throws -> Configuration { try load(files: texts.map { Data($0.utf8) }) }

    static func environment(_ variables: [String: String]) throws -> Configuration { try load(files: [], environment: variables) }

    static func flags(_ flags: (String, String)...) throws -> Configuration {
        try load(files: [], flags: flags.map { (key: $0.0, value: $0.1) })
    }

    /// Expects that settings are refused in a sentence with all of some words.
    static func expectRefusal(
        saying words: String..., without secret: String? = nil, sourceLocation: SourceLocation = #_sourceLocation,
        _ load: () throws -> Configuration
    ) {
        let error = #expect(throws: ConfigurationError.self, sourceLocation: sourceLocation) { _ = try load() }
        guard let text = error?.description else { return }
        for word in words { #expect(text.contains(word), "\(text)", sourceLocation: sourceLocation) }
        if let secret { #expect(!text.contains(secret), "\(text)", sourceLocation: sourceLocation) }
        #expect(!text.contains("\n"), "one line: \(text)", sourceLocation: sourceLocation)
    }

    /// `http.port` with a text below it as a document.
    static func document(_ key: String, _ value: String) -> String {
        guard let dot = key.firstIndex(of: ".") else { return "\(key): \(value)\n" }
        return "\(key[..<dot]):\n  \(key[key.index(after: dot)...]): \(value)\n"
    }
}

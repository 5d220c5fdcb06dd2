import Foundation
import TowerModel
import Yams

/// A file of settings as a YAML document.
struct SettingsFile {
    /// A larger file is no file of settings.
    static let maxFileBytes = 1 << 20

    let path: String
    let text: String
    /// Whether every user of the machine may read it.
    let isReadByAll: Bool

    /// Reads a file, a pipe included, to its end.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the file and where.
    init(path: String) throws(ConfigurationError) {
        self.path = path
        let bytes: [UInt8]
        (bytes, isReadByAll) = try Self.bytes(path)
        guard !bytes.starts(with: [0xFF, 0xFE]), !bytes.starts(with: [0xFE, 0xFF]) else {
            throw ConfigurationError("\(path) is UTF-16, and a configuration file must be UTF-8: save it as UTF-8")
        }
        let plain = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        guard let text = String(validating: plain, as: UTF8.self) else {
            let lines = plain.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
            throw ConfigurationError("\(path):\(line + 1): a configuration file must be UTF-8, and this line is not: save it as UTF-8")
        }
        self.text = text
    }

    private static func bytes(_ path: String) throws(ConfigurationError) -> ([UInt8], isReadByAll: Bool) {
        func failure() -> ConfigurationError {
            let reason = errno == EISDIR ? "it is a folder" : String(cString: strerror(errno))
            return ConfigurationError("cannot read the configuration file \(path): \(reason)")
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure() }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure() }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = block.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            guard count > 0 else { return (bytes, SecretFile.isReadByAll(status)) }
            bytes += block[..<count]
            guard bytes.count <= maxFileBytes else {
                throw ConfigurationError(
                    "\(path) is larger than \(maxFileBytes) bytes, which no file of settings is: name another with --config")
            }
        }
    }

    /// The document's root; nil for a file that sets nothing.
    func root() throws(ConfigurationError) -> Node? {
        do {
            return try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw described(error)
        } catch {
            throw ConfigurationError("\(path) is not valid YAML")
        }
    }

    /// The library's own text repeats the line at fault, which may hold a password.
    private func described(_ error: YamlError) -> ConfigurationError {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            if problem == "but found another document" {
                return ConfigurationError(
                    "\(path):\(mark.line): a second document begins here (---); settings are one document: give two files with --config")
            }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let near = max(0, mark.line - 2)..<min(lines.count, mark.line)
            if lines[near].contains(where: { $0.prefix { $0 == " " || $0 == "\t" }.contains("\t") }) {
                return ConfigurationError("\(path):\(mark.line): a tab stands where YAML takes spaces only: indent with spaces")
            }
            let place = context.map { " (\($0.text) from line \($0.mark.line) on)" } ?? ""
            return ConfigurationError("\(path):\(mark.line): this is not valid YAML: \(problem)\(place)")
        case .reader(let problem, let offset, let value, _):
            let line = offset.map { text.prefix($0).count { $0.isNewline } + 1 }
            let shown = value > 0 ? " (U+\(String(value, radix: 16, uppercase: true)))" : ""
            return ConfigurationError("\(path)\(line.map { ":\($0)" } ?? ""): this is not valid YAML: \(problem)\(shown)")
        case .duplicatedKeysInMapping(let names, let context):
            let found = duplicate(from: context.mark.line)
            return Self.twice(found?.name ?? names.first ?? "", path: path, lines: (found?.first ?? context.mark.line, found?.second))
        default:
            return ConfigurationError("\(path) is not valid YAML")
        }
    }

    /// A name that no setting has may be a secret that stands in a name's place.
    private static func shown(_ name: String) -> String {
        let plain = Configuration.shownName(name)
        let words = Set(
            ConfigurationKey.all.flatMap { $0.name.split(separator: ".").map(String.init) } + TowerConfiguration.keys.map(\.name))
        return words.contains(plain) || plain.contains(".") ? plain : "a key"
    }

    static func twice(_ name: String, path: String, lines: (first: Int, second: Int?)) -> ConfigurationError {
        let place = lines.second.map { $0 == lines.first ? "twice in line \($0)" : "in line \(lines.first) and in line \($0)" }
            ?? "in line \(lines.first) and again below"
        return ConfigurationError("\(path): \(shown(name)) is set \(place): leave one out, or write what is below both under one")
    }

    /// The library names the first line of a key that stands twice; the second is the last one of the shortest beginning of the file
    /// that has the fault. O(lines²), for a file within ``maxLines``.
    private func duplicate(from line: Int) -> (name: String, first: Int, second: Int)? {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard lines.count <= Self.maxLines else { return nil }
        for count in max(1, line)...max(1, max(line, lines.count)) {
            do {
                _ = try Yams.compose(yaml: lines.prefix(count).joined(separator: "\n"))
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                return (names.first ?? "", context.mark.line, count)
            } catch {
                continue
            }
        }
        return nil
    }

    /// Above it only the first line of a key that stands twice is named.
    private static let maxLines = 2_000
}

import Foundation
import Serving

/// Where settings came from, to read them again.
struct ConfigurationAgain: Sendable {
    let files: [String]
    let environment: [String: String]
    let flags: [(key: String, value: String)]

    /// The lists of the service's keys.
    static let keyLists: [KeyName] = [.httpReadKeys, .httpWriteKeys, .httpAdminKeys, .httpMetricsKeys]

    /// Whether a setting is one of these lists.
    static func isKeyList(_ name: String) -> Bool { keyLists.contains { $0.rawValue == name } }

    /// The files that keys may stand in: those of the settings, and those that variables name (`FRESHET_HTTP_READ_KEYS_FILE`).
    var keyFiles: [String] {
        let named = files.isEmpty ? ["freshet.yaml"] : files
        let variables = Self.keyLists.map { $0.environmentName + "_FILE" }
        return named + variables.compactMap { environment[$0] }.filter { !$0.isEmpty }
    }

    /// Reads everything again.
    ///
    /// - Throws: `ConfigurationError`; also where a file is a pipe, which can be read once only.
    func read() throws -> Configuration {
        for path in keyFiles {
            var found = stat()
            if stat(path, &found) == 0, found.st_mode & S_IFMT != S_IFREG {
                throw ConfigurationError("\(path) is no regular file, and can be read once only: restart the server to change its keys")
            }
        }
        return try Configuration.load(files: files, environment: environment, flags: flags)
    }

    /// What changes when a file does: its identity, size and time. A mounted secret is another file behind the same name.
    var signature: [[Int]] {
        keyFiles.map { path in
            var found = stat()
            guard stat(path, &found) == 0, found.st_mode & S_IFMT == S_IFREG else { return [] }
            #if canImport(Glibc)
            let time = found.st_mtim
            #else
            let time = found.st_mtimespec
            #endif
            return [Int(truncatingIfNeeded: found.st_ino), Int(found.st_size), time.tv_sec, time.tv_nsec]
        }
    }

    /// The keys as the settings have them now, beside those that were in force.
    func keys(beside current: Configuration) throws -> KeyReload.Found {
        let found = try read()
        func others(_ configuration: Configuration) -> [String: Configuration.Value] {
            configuration.settings.filter { !Self.isKeyList($0.key) }.mapValues(\.value)
        }
        return KeyReload.Found(keys: try found.apiConfiguration().apiKeys, hasOtherChanges: others(current) != others(found))
    }
}

import Foundation

/// The value of a setting from a file: `FRESHET_DATABASE_URL_FILE=/run/secrets/database-url`.
struct SecretFile {
    /// What the name of such a variable ends with.
    static let ending = "_FILE"
    /// A larger file is no setting.
    static let maxFileBytes = 1 << 20

    /// Without the line ends at its end.
    let text: String
    /// A sentence where everybody on the machine may read the file.
    let warning: String?

    /// - Throws: ``ConfigurationError`` that names the variable and the path, and never the content.
    init(variable: String, path: String) throws(ConfigurationError) {
        guard !path.allSatisfy(\.isWhitespace) else {
            throw ConfigurationError("\(variable) is empty: name the file that holds the value, or unset it")
        }
        func refusal(_ what: String) -> ConfigurationError { ConfigurationError("\(variable) names \(path), \(what)") }
        func unreadable() -> ConfigurationError {
            refusal("which cannot be read: \(errno == EISDIR ? "it is a folder" : String(cString: strerror(errno)))")
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw unreadable() }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw unreadable() }
        var bytes: [UInt8] = [], block = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = block.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable() }
            guard count > 0 else { break }
            bytes += block[..<count]
            guard bytes.count <= Self.maxFileBytes else {
                throw refusal("which is larger than \(Self.maxFileBytes) bytes: that is no value of a setting")
            }
        }
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw refusal("which is not UTF-8") }
        guard !text.allSatisfy(\.isWhitespace) else { throw refusal("which is empty: write the value into it, or unset the variable") }
        self.text = text
        warning = Self.isReadByAll(status)
            ? "\(variable): every user of this machine may read \(path); take the right away: chmod o-r" : nil
    }

    /// Whether a file, and no pipe, may be read by every user of the machine.
    static func isReadByAll(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFREG && status.st_mode & S_IROTH != 0 }

    /// The settings of librdkafka whose own names end so: their variables hold the path itself.
    private static let ownNames: Set<String> = [
        "sasl.oauthbearer.assertion.file", "sasl.oauthbearer.assertion.private.key.file", "sasl.oauthbearer.assertion.jwt.template.file",
    ]

    /// The variable whose value a file brings; nil for a variable that means itself.
    static func target(of variable: String) -> String? {
        guard variable.hasSuffix(ending), variable.count > ending.count else { return nil }
        if variable.hasPrefix("FRESHET_KAFKA_PROPERTIES_"),
            ownNames.contains(variable.dropFirst(25).lowercased().replacing("_", with: "."))
        { return nil }
        // A type of events may be named so; these are no secrets.
        if variable.hasPrefix("FRESHET_INGEST_EVENT_TYPES_") { return nil }
        return String(variable.dropLast(ending.count))
    }
}

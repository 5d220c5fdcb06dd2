import Interactions

/// Takes secrets out of texts that pass through from elsewhere: errors of libraries, lines of logs, what a command was called with.
///
/// Two nets: the secrets that the settings hold, wherever they stand, and what looks like one, such as the password of a URL.
public struct Redaction: Sendable, Equatable {
    /// What stands in a secret's place.
    public static let mark = "…"
    /// A secret shorter than this is no secret, and would take harmless words with it.
    public static let leastSecretBytes = 4

    private var secrets: [String]

    /// - Parameters:
    ///   - secrets: in any order; of one with lines, such as a private key, each line.
    ///   - words: what is no secret though it may be one of `secrets`: the user, the host, the database of a URL.
    public init(_ secrets: some Sequence<String> = [], butNot words: Set<String> = []) {
        var found: Set<String> = []
        for secret in secrets {
            let lines = secret.split(whereSeparator: \.isNewline)
            for part in lines.count > 1 ? lines.filter({ $0.utf8.count >= 16 && !$0.hasPrefix("-----") }) : [secret[...]] {
                let text = String(part.trimmingSpaces)
                if text.utf8.count >= Self.leastSecretBytes, !words.contains(text), !Self.ordinary.contains(text.lowercased()) {
                    found.insert(text)
                }
            }
        }
        // The longest first: one secret may be a part of another.
        self.secrets = found.sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
    }

    /// Words of our own sentences, which people also take for passwords of trials.
    private static let ordinary: Set<String> = [
        "freshet", "postgres", "postgresql", "password", "secret", "null", "true", "false", "localhost", "admin", "read", "write", "reader",
        "writer", "metrics", "test", "user", "root", "guest", "demo",
    ]

    /// The text without secrets.
    public func applied(to text: String) -> String {
        var result = text
        for secret in secrets where result.contains(secret) { result = Self.without(secret, result) }
        // Most lines have neither.
        if result.contains("://") {
            result = result.replacing(/([A-Za-z][A-Za-z0-9+.\-]*:\/\/[^\s:@\/]*:)[^\s]+@/) { "\($0.output.1)\(Self.mark)@" }
        }
        if result.contains("=") {
            result = result.replacing(/(?i)((?:password|passphrase|secret|jaas\.config)\s?=\s?)(?:'[^']*'|"[^"]*"|[^\s'",;&]+)/) {
                "\($0.output.1)\(Self.mark)"
            }
        }
        return result
    }

    /// A short secret is one where it stands alone: as a part of a word it is more likely the word's.
    private static func without(_ secret: String, _ text: String) -> String {
        if secret.utf8.count >= alwaysHiddenBytes { return text.replacing(secret, with: mark) }
        func isPart(_ character: Character?) -> Bool { character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false }
        var result = "", rest = text[...], before: Character?
        while let range = rest.firstRange(of: secret) {
            result += rest[..<range.lowerBound]
            let last = rest[..<range.lowerBound].last ?? before, next = rest[range.upperBound...].first
            result += isPart(last) || isPart(next) ? secret : mark
            before = secret.last
            rest = rest[range.upperBound...]
        }
        return result + rest
    }

    /// A secret of so many bytes is hidden wherever it stands.
    private static let alwaysHiddenBytes = 10

    /// Both nets together.
    public func merging(_ other: Redaction) -> Redaction { Redaction(secrets + other.secrets) }
}

/// What of a connection string is secret.
enum ConnectionSecrets {
    /// Passwords, as they are written and as they are meant, and what a misread URL would take for its host, port or path.
    static func secrets(in url: String) -> (secrets: [String], words: Set<String>) {
        var secrets: [String] = [], words: Set<String> = []
        var rest = url[...]
        if let scheme = url.firstRange(of: "://") {
            rest = url[scheme.upperBound...]
            let query = rest.firstIndex(of: "?").map { rest[$0...] } ?? ""
            if let at = rest.lastIndex(of: "@") {
                let login = rest[..<at]
                if let colon = login.firstIndex(of: ":") {
                    let password = String(login[login.index(after: colon)...])
                    secrets += [password, unescaped(password)] + password.split(whereSeparator: { "/?#@:".contains($0) }).map(String.init)
                    words.insert(String(login[..<colon]))
                } else {
                    words.insert(String(login))
                }
                let place = rest[rest.index(after: at)...].prefix { $0 != "?" }
                words.formUnion(place.split(whereSeparator: { "/:,".contains($0) }).map(String.init))
            }
            for pair in query.dropFirst().split(separator: "&") { add(pair, to: &secrets, &words, isEscaped: true) }
        } else {
            for pair in conninfoWords(rest) { add(pair, to: &secrets, &words, isEscaped: false) }
        }
        return (secrets, words)
    }

    private static func add(_ pair: some StringProtocol, to secrets: inout [String], _ words: inout Set<String>, isEscaped: Bool) {
        guard let equals = pair.firstIndex(of: "=") else { return }
        let value = String(pair[pair.index(after: equals)...])
        if pair[..<equals].lowercased().contains("password") {
            secrets += isEscaped ? [value, unescaped(value)] : [value]
        } else {
            words.insert(isEscaped ? unescaped(value) : value)
        }
    }

    /// `key=value` words, values in single quotes where they have spaces.
    private static func conninfoWords(_ text: Substring) -> [String] {
        var result: [String] = [], word = "", isQuoted = false, isEscaped = false
        for character in text {
            if isEscaped { word.append(character); isEscaped = false; continue }
            switch character {
            case "\\": isEscaped = true
            case "'": isQuoted.toggle()
            case " " where !isQuoted, "\n" where !isQuoted, "\t" where !isQuoted:
                if word.hasSuffix("=") || word.isEmpty { continue }
                result.append(word)
                word = ""
            default: word.append(character)
            }
        }
        return word.isEmpty ? result : result + [word]
    }

    /// `%40` as `@`.
    private static func unescaped(_ text: String) -> String {
        var bytes: [UInt8] = [], rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension ConfigurationKey {
    /// Whether an entry of a mapping is a secret: of librdkafka's settings passwords, keys and tokens.
    static func isSecret(entry: String) -> Bool {
        let name = entry.lowercased()
        return ["password", "passphrase", "secret", "jaas", "token", "ssl.key", "oauthbearer.config", "private.key.pem", "credential"]
            .contains { name.contains($0) }
            && !name.hasSuffix(".location") && !name.hasSuffix(".url") && !name.hasSuffix(".file")
    }

    /// Whether values of this key are never printed.
    var isSecret: Bool {
        switch kind {
        case .secret, .keys: true
        default: false
        }
    }
}

extension Configuration {
    /// What takes the secrets of these settings out of texts.
    public var redaction: Redaction {
        var secrets: [String] = [], words: Set<String> = []
        for (name, setting) in settings {
            let found = Self.secrets(of: name, setting.value)
            secrets += found.secrets
            words.formUnion(found.words)
        }
        return Redaction(secrets, butNot: words)
    }

    /// What of a key's value is secret, and what stands beside it and is not.
    private static func secrets(of name: String, _ value: Value) -> (secrets: [String], words: Set<String>) {
        guard let key = ConfigurationKey.byName[name] else { return ([], []) }
        switch value {
        case .scalar(let text) where key.isSecret: return name == "database.url" ? ConnectionSecrets.secrets(in: text) : ([text], [])
        case .list(let items) where key.isSecret: return (items, [])
        case .map(let entries) where key.id != .ingestTopics:
            return (entries.filter { ConfigurationKey.isSecret(entry: $0.key) }.map(\.value), [])
        default: return ([], [])
        }
    }

    /// The keys with something secret that a file set last, in order.
    func secretKeys(from path: String) -> [String] {
        settings.filter { name, setting in
            (setting.source == path || setting.source.hasPrefix(path + ":"))
                && !Self.secrets(of: name, setting.value).secrets.allSatisfy(\.isEmpty)
        }.keys.sorted()
    }

    /// The same before the settings are known, or where they are wrong: of what variables and `--set` bring.
    public static func redaction(environment: [String: String], flags: [(key: String, value: String)]) -> Redaction {
        var secrets: [String] = [], words: Set<String> = []
        func add(_ key: String, _ value: String) {
            if key == "database.url" {
                let found = ConnectionSecrets.secrets(in: value)
                secrets += found.secrets
                words.formUnion(found.words)
            } else if ConfigurationKey.byName[key]?.isSecret == true
                || key.hasPrefix("kafka.properties.") && ConfigurationKey.isSecret(entry: key)
            {
                secrets += [value] + value.split(whereSeparator: { ",[]".contains($0) }).map { String($0.trimmingSpaces) }
            }
        }
        for (variable, value) in environment where variable.hasPrefix("FRESHET_") && !variable.hasSuffix(SecretFile.ending) {
            if let key = ConfigurationKey.all.first(where: { $0.environmentName == variable }) {
                add(key.name, value)
            } else if variable.hasPrefix("FRESHET_KAFKA_PROPERTIES_") {
                add("kafka.properties." + variable.dropFirst(25).lowercased().replacing("_", with: "."), value)
            }
        }
        for flag in flags { add(String(flag.key.trimmingSpaces), flag.value) }
        return Redaction(secrets, butNot: words)
    }

    /// Whether a key, or an entry of a mapping, holds a secret.
    public static func isSecret(_ key: String) -> Bool {
        ConfigurationKey.byName[key]?.isSecret == true || mapEntry(of: key).map { ConfigurationKey.isSecret(entry: $0.name) } == true
    }

    /// What a person wrote where a name was wanted, as far as it can be one: behind it may stand a secret, with `=`, `:` or a space
    /// forgotten.
    public static func shownName(_ text: String) -> String {
        let plain = text.trimmingSpaces
        let name = plain.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) || "._-".contains($0) }
        guard name.count < plain.count else { return plain.count == text.count && !text.isEmpty ? text : JSONText.quoted(text) }
        return String(name) + mark
    }

    private static var mark: String { Redaction.mark }
}

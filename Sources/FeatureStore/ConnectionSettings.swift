import CLibPQ

/// A parsed `database.url`: what libpq connects with, and a name for messages that never holds the password.
struct ConnectionSettings: Sendable {
    /// How long one attempt to connect may take, unless the URL says `connect_timeout`.
    static let connectTimeoutSeconds = 10
    /// Session settings that every connection starts with. JIT compilation never pays for statements this short.
    static let sessionSettings = "set jit = off; set client_min_messages = warning; set timezone = 'UTC'; set datestyle = 'ISO'"

    /// What notices a peer that is gone without a word, unless the URL says otherwise: probes after 10 s of silence, three of them 5 s
    /// apart, and 20 s for what was sent and is not acknowledged.
    static let silenceOptions = [
        ("keepalives", "1"), ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
        ("tcp_user_timeout", "20000"),
    ]
    /// The longest time that a URL may give an attempt to connect.
    private static let connectTimeoutLimitSeconds = 3_600

    private(set) var options: [(keyword: String, value: String)] = []
    /// `host:port/database`.
    private(set) var place: String
    private(set) var timeoutSeconds = ConnectionSettings.connectTimeoutSeconds

    /// Whether a `/` of the password cut the URL short: libpq would take the password for host, port and database, and name them.
    private static func hasUnescapedSlash(_ url: String) -> Bool {
        guard let scheme = url.firstRange(of: "://") else { return false }
        let rest = url[scheme.upperBound...].prefix { $0 != "?" }
        guard let slash = rest.firstIndex(of: "/") else { return false }
        return !rest[..<slash].contains("@") && rest[slash...].contains("@")
    }

    /// A message of libpq without the passwords, which it repeats where they stand in another option's place.
    func withoutSecrets(_ text: String) -> String {
        var text = text
        for (keyword, value) in options where ["password", "sslpassword"].contains(keyword) && value.utf8.count > 3 {
            text = text.replacing(value, with: "…")
        }
        return text
    }

    /// Parses a `postgresql://` URI or a `key=value` connection string.
    init(url: String, applicationName: String) throws(StoreError) {
        var problem: UnsafeMutablePointer<CChar>?
        // libpq's own message may repeat a part of the string, and so of the password: it is not shown.
        guard let parsed = PQconninfoParse(url, &problem) else {
            if problem != nil { PQfreemem(problem) }
            throw StoreError(
                .invalidURL,
                "database.url is not a connection string: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE (special "
                    + "characters of the password as %40 and the like) or host=… port=… dbname=… user=…")
        }
        defer { PQconninfoFree(parsed) }
        var host = "", port = "", database = "", hasApplicationName = false
        var entry = parsed
        while let keyword = entry.pointee.keyword.map({ String(cString: $0) }) {
            if let value = entry.pointee.val.map({ String(cString: $0) }) {
                options.append((keyword, value))
                switch keyword {
                case "host": host = value
                case "hostaddr" where host.isEmpty: host = value
                case "port": port = value
                case "dbname": database = value
                case "application_name": hasApplicationName = true
                case "connect_timeout": timeoutSeconds = Int(value) ?? timeoutSeconds
                default: break
                }
            }
            entry += 1
        }
        if Self.hasUnescapedSlash(url) {
            throw StoreError(
                .invalidURL, "database.url: a / stands before the last @; write a / of the password as %2F, and an @ of other parts as %40")
        }
        if host.contains("@") {
            throw StoreError(.invalidURL, "database.url: the host holds an @; write an @ of the password as %40")
        }
        if timeoutSeconds <= 0 { timeoutSeconds = Self.connectTimeoutSeconds }
        timeoutSeconds = min(timeoutSeconds, Self.connectTimeoutLimitSeconds)
        for (keyword, value) in Self.silenceOptions where !options.contains(where: { $0.keyword == keyword }) {
            options.append((keyword, value))
        }
        if !hasApplicationName { options.append(("application_name", applicationName)) }
        options.append(("client_encoding", "UTF8"))
        place =
            "PostgreSQL at \(host.isEmpty ? "the local socket" : host)\(port.isEmpty ? "" : ":" + port)"
            + (database.isEmpty ? "" : "/" + database)
    }

    /// The same, with at most so many seconds to connect.
    func within(seconds: Int) -> ConnectionSettings {
        var settings = self
        settings.timeoutSeconds = min(timeoutSeconds, seconds)
        return settings
    }
}

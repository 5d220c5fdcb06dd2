import RecommendationAPI

extension Configuration {
    /// How the HTTP service listens and what it lets in.
    func apiConfiguration() throws(ConfigurationError) -> APIConfiguration {
        var keys: [APIKey] = []
        // Of a secret in two lists the later one, which opens more, counts.
        let lists: [(KeyName, String, Set<AccessScope>)] = [
            (.httpMetricsKeys, "metrics", [.metrics]), (.httpReadKeys, "read", [.read]), (.httpWriteKeys, "write", [.read, .write]),
            (.httpAdminKeys, "admin", [.read, .write, .admin]),
        ]
        for (list, name, scopes) in lists {
            for (number, secret) in self.list(list).enumerated() {
                keys.append(APIKey(name: "\(name)-\(number + 1)", secret: secret, scopes: scopes))
            }
        }
        try refuseOpenDoor(keys)
        var origins: [String] = []
        for text in list(.httpCORSOrigins) {
            guard let origin = AllowedOrigin.normalised(text) else {
                throw ConfigurationError(
                    "http.cors_origins: \(text) is no origin: give scheme, host and port as a browser sends them, "
                        + "such as https://shop.example"
                        + (text == "*" ? "; every page of the web is never allowed" : ""))
            }
            origins.append(origin)
        }
        let perSecond = integer(.httpRateLimitPerSecond)
        var api = APIConfiguration(
            host: listenHost, port: integer(.httpPort), apiKeys: keys, allowedOrigins: origins,
            maxBodyBytes: integer(.httpMaxBodyBytes), maxConcurrentRequests: integer(.httpMaxConcurrentRequests),
            maxRequestsPerSecond: perSecond == 0 ? nil : perSecond, rateBurstRequests: integer(.httpRateLimitBurst),
            allowedHosts: list(.httpAllowedHosts),
            maxConnections: integer(.httpMaxConnections) == 0 ? nil : integer(.httpMaxConnections),
            requestMilliseconds: 1_000 * integer(.httpRequestSeconds), answerMilliseconds: 1_000 * integer(.httpAnswerSeconds),
            maxHeldBytes: integer(.httpMaxHeldBytes))
        (api.servesGorse, api.servesMetarank) = (boolean(.httpGorse), boolean(.httpMetarank))
        return api
    }

    /// Keys that nobody has close the service, and no keys open it: neither happens by mistake.
    private func refuseOpenDoor(_ keys: [APIKey]) throws(ConfigurationError) {
        if !keys.isEmpty, keys.allSatisfy({ $0.scopes == [.metrics] }) {
            throw ConfigurationError(
                "\(source(of: .httpMetricsKeys)): http.metrics_keys are the only keys, so that nobody could use any other route: set "
                    + "http.read_keys, http.write_keys and http.admin_keys, too, or take http.metrics_keys away ([])")
        }
        let host = listenHost
        guard keys.isEmpty, !boolean(.httpOpen), !LoopbackAddress.isAll(of: host) else { return }
        throw ConfigurationError(
            "\(source(of: .httpHost)): http.host is \(host), which is not this machine's loopback alone, and there are no keys: whoever "
                + "reached the port could read, write and promote models. Set http.read_keys, http.write_keys and http.admin_keys "
                + "(FRESHET_HTTP_READ_KEYS and so on), leave http.host at 127.0.0.1, or say http.open: true where everybody may do "
                + "everything")
    }

    /// A shorter key is told of at the start.
    private static let leastKeyBytes = 16

    /// Where the service is reached, by the address that it listens on.
    func serviceURL(port: Int) -> String {
        let host = listenHost
        return "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    /// `http.host` as the system takes it: an IPv6 address may stand in brackets, as in an address of the web.
    private var listenHost: String {
        let host = text(.httpHost)
        return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    private func source(of key: KeyName) -> String { settings[key.rawValue]?.source ?? "the configuration" }

    /// What an operator should know of the keys beside what works, a sentence each.
    var keyNotes: [String] {
        let lists: [KeyName] = [.httpReadKeys, .httpWriteKeys, .httpAdminKeys]
        let scopes = lists.filter { !list($0).isEmpty }
        if scopes.isEmpty {
            let isOpen = boolean(.httpOpen) && !LoopbackAddress.isAll(of: listenHost)
            return isOpen ? ["http.open is true and there are no keys: whoever reaches the port may read, write and promote models"] : []
        }
        var notes: [String] = []
        let short = (lists + [.httpMetricsKeys]).filter { list($0).contains { $0.utf8.count < Self.leastKeyBytes } }
        if !short.isEmpty {
            notes.append(
                "\(short.map(\.rawValue).joined(separator: ", ")): a key of fewer than \(Self.leastKeyBytes) bytes can be guessed; "
                    + "openssl rand -hex 24 makes one that cannot")
        }
        if boolean(.httpOpen) { notes.append("http.open says nothing where there are keys: every request needs one") }
        if !scopes.contains(.httpAdminKeys) { notes.append("without http.admin_keys nobody promotes models over HTTP") }
        if scopes == [.httpReadKeys] { notes.append("without http.write_keys nobody sends events over HTTP") }
        return notes
    }
}

import RecommendationAPI

extension Configuration {
    /// How the HTTP service listens and what it lets in.
    func apiConfiguration() throws(ConfigurationError) -> APIConfiguration {
        var keys: [APIKey] = []
        // Of a secret in two lists the later one, which opens more, counts.
        for (list, name, scopes) in [
            ("http.metrics_keys", "metrics", Set([AccessScope.metrics])), ("http.read_keys", "read", Set([.read])),
            ("http.write_keys", "write", Set([.read, .write])), ("http.admin_keys", "admin", Set([.read, .write, .admin])),
        ] {
            for (number, secret) in self.list(list).enumerated() {
                keys.append(APIKey(name: "\(name)-\(number + 1)", secret: secret, scopes: scopes))
            }
        }
        var origins: [String] = []
        for text in list("http.cors_origins") {
            guard let origin = AllowedOrigin.normalised(text) else {
                throw ConfigurationError(
                    "http.cors_origins: \(text) is no origin: give scheme, host and port as a browser sends them, "
                        + "such as https://shop.example"
                        + (text == "*" ? "; every page of the web is never allowed" : ""))
            }
            origins.append(origin)
        }
        let perSecond = integer("http.rate_limit_per_second")
        return APIConfiguration(
            host: text("http.host"), port: integer("http.port"), apiKeys: keys, allowedOrigins: origins,
            maxBodyBytes: integer("http.max_body_bytes"), maxConcurrentRequests: integer("http.max_concurrent_requests"),
            maxRequestsPerSecond: perSecond == 0 ? nil : perSecond, rateBurstRequests: integer("http.rate_limit_burst"),
            allowedHosts: list("http.allowed_hosts"),
            maxConnections: integer("http.max_connections") == 0 ? nil : integer("http.max_connections"),
            requestMilliseconds: 1_000 * integer("http.request_seconds"), answerMilliseconds: 1_000 * integer("http.answer_seconds"),
            maxHeldBytes: integer("http.max_held_bytes"))
    }
}

/// One setting: its name, its kind, what it is when nobody sets it, and a line for people.
struct ConfigurationKey: Sendable {
    /// What values a key takes.
    enum Kind: Sendable {
        case text
        /// A secret: never printed.
        case secret
        /// Text that must not be empty.
        case name
        case integer(ClosedRange<Int>)
        case number(ClosedRange<Double>)
        /// RFC 3339.
        case time
        case boolean
        case choice([String])
        /// Comma-separated in the environment and in flags, a sequence in YAML.
        case list(allowed: [String]?)
        /// A mapping in YAML; one variable or flag an entry elsewhere.
        case map
    }

    let name: String
    let kind: Kind
    let fallback: String
    let summary: String

    init(_ name: String, _ kind: Kind, _ fallback: String, _ summary: String) {
        self.name = name
        self.kind = kind
        self.fallback = fallback
        self.summary = summary
    }

    /// `database.url` → `FRESHET_DATABASE_URL`.
    var environmentName: String {
        "FRESHET_" + name.uppercased().replacing(".", with: "_")
    }

    var section: Substring { name.prefix { $0 != "." } }
}

extension ConfigurationKey {
    /// Every key of this program. `train.*` beyond those listed here are the trainer's own settings.
    static let all: [ConfigurationKey] = [
        ConfigurationKey(
            "database.url", .secret, "",
            "PostgreSQL, as postgresql://user:password@host:port/database or key=value words"),
        ConfigurationKey(
            "database.connections", .integer(1...64), "4", "connections for everything but ingest and user state"),
        ConfigurationKey(
            "database.state_connections", .integer(1...32), "2",
            "connections that read user state; each reads for up to 64 requests at once"),
        ConfigurationKey(
            "kafka.bootstrap_servers", .name, "127.0.0.1:9092", "host:port of one or more brokers, comma-separated"),
        ConfigurationKey("kafka.group", .name, "freshet", "consumer group of the ingest role"),
        ConfigurationKey("kafka.properties", .map, "", "any librdkafka setting, passed through: security.protocol: SASL_SSL"),
        ConfigurationKey("topics.events", .name, "freshet.events", "clicks, purchases and other events"),
        ConfigurationKey("topics.items", .name, "freshet.items", "item records, compacted"),
        ConfigurationKey("topics.users", .name, "freshet.users", "user records, compacted"),
        ConfigurationKey("topics.impressions", .name, "freshet.impressions", "what the service showed"),
        ConfigurationKey("topics.dead_letters", .name, "freshet.dead-letters", "rejected records with their reasons"),
        ConfigurationKey("http.host", .name, "127.0.0.1", "address to listen on; loopback unless set"),
        ConfigurationKey("http.port", .integer(0...65_535), "8080", "port to listen on; 0 takes a free one"),
        ConfigurationKey("http.read_keys", .list(allowed: nil), "", "X-API-Key values that may read; none: open"),
        ConfigurationKey("http.write_keys", .list(allowed: nil), "", "X-API-Key values that may also send events and records"),
        ConfigurationKey("http.admin_keys", .list(allowed: nil), "", "X-API-Key values that may also promote models"),
        ConfigurationKey("http.max_body_bytes", .integer(1_024...67_108_864), "5242880", "largest request body"),
        ConfigurationKey("http.max_concurrent_requests", .integer(1...100_000), "1024", "requests under way at once; more are answered 503"),
        ConfigurationKey("artifacts.path", .name, ".freshet/artifacts", "folder of the model files"),
        ConfigurationKey("artifacts.keep_versions", .integer(2...1_000), "10", "newest model versions whose files are kept, beside the promoted one and the one that it replaced"),
        ConfigurationKey(
            "clock", .choice(["wall", "data"]), "wall",
            "what 'now' means for decay and age: the wall clock, or the newest accepted event"),
        ConfigurationKey("ingest.batch_records", .integer(1...200_000), "50000", "records in one transaction at most"),
        ConfigurationKey("ingest.batch_linger_ms", .integer(1...10_000), "15", "how long a batch waits for more records"),
        ConfigurationKey("ingest.max_record_bytes", .integer(256...16_777_216), "1048576", "a larger record is a dead letter"),
        ConfigurationKey(
            "ingest.max_future_skew_seconds", .integer(0...31_536_000), "300", "an event further in the future is a dead letter"),
        ConfigurationKey(
            "ingest.earliest_time", .time, "1990-01-01T00:00:00Z", "an earlier event is a dead letter: usually an unset clock"),
        ConfigurationKey("ingest.default_currency", .text, "USD", "currency of a value that names none"),
        ConfigurationKey("ingest.event_types", .map, "", "other names for the event types: view: click"),
        ConfigurationKey("ingest.history_limit_events", .integer(1...2_000), "200", "newest events kept in a user's history"),
        ConfigurationKey("ingest.decay_half_life_hours", .integer(1...8_760), "24", "half-life of the decayed counters behind trending"),
        ConfigurationKey("rules.exclude", .list(allowed: ["purchased", "carted", "clicked", "seen"]), "purchased",
            "what a user did with an item that keeps it out of answers; seen means any click, cart or purchase; [] excludes nothing"),
        ConfigurationKey("objectives.click", .number(0...1_000), "1", "weight of a click as a training example"),
        ConfigurationKey("objectives.add_to_cart", .number(0...1_000), "1", "weight of an add_to_cart as a training example"),
        ConfigurationKey("objectives.purchase", .number(0...1_000), "1", "weight of a purchase as a training example"),
        ConfigurationKey("serve.impressions", .boolean, "true", "whether answers are published to the impressions topic"),
        ConfigurationKey("serve.refresh_ms", .integer(50...60_000), "250", "how often catalogue and promotions are looked at"),
        ConfigurationKey("serve.trending_items", .integer(10...10_000), "500", "length of the trending list"),
        ConfigurationKey("train.max_interactions_per_user", .integer(2...100_000), "5000", "newest interactions of one user that training reads"),
        ConfigurationKey("train.register_items", .boolean, "true", "whether items that only events name get a bare record, so that they can be recommended"),
        ConfigurationKey("train.min_interactions", .integer(1...1_000_000), "100", "with fewer interactions training refuses to begin"),
        ConfigurationKey("train.holdout", .choice(["time", "leave-one-out", "none"]), "time", "how the evaluation set is cut"),
        ConfigurationKey("train.holdout_percent", .number(0.1...90), "10", "share of the newest interactions held out by a time split"),
        ConfigurationKey("train.evaluation_users", .integer(10...1_000_000), "5000", "users that the evaluation ranks for at most"),
        ConfigurationKey("train.final_fit", .boolean, "true", "fit again on everything, held-out part included, after the evaluation"),
        ConfigurationKey("train.gate_margin", .number(0.000_001...1), "0.005", "largest loss in NDCG@10 against the promoted model that still promotes"),
        ConfigurationKey("train.positive_ratings_from", .number(-1_000_000...1_000_000), "0", "events with a context.rating below this are no training examples; 0 keeps all"),
        ConfigurationKey("content.channel", .choice(["auto", "off"]), "auto", "auto: items that training never met are scored by what their content says (likeness to the user's history, popularity of such content, the towers), weighed on held-out items; off: by the towers alone"),
        ConfigurationKey("content.links", .list(allowed: nil), "", "attributes whose values are ids of other items, such as works cited"),
        ConfigurationKey("ranking.blend", .choice(["auto", "off"]), "auto", "auto: training learns how much transitions, popularity and own items count beside the towers, and uses it where it is better on what was held out; off: the towers rank alone"),
        ConfigurationKey("ranking.neighbours", .integer(0...1_000), "100", "items kept of those that follow an item; 0 keeps none"),
        ConfigurationKey("ranking.recent_half_life_days", .number(0.01...36_500), "14", "age at which an event counts half in the blend's recent popularity"),
        ConfigurationKey("log.level", .choice(["trace", "debug", "info", "notice", "warning", "error"]), "info", "least severe line that is written"),
        ConfigurationKey("log.format", .choice(["text", "json"]), "text", "text for people, json for machines; both on standard error"),
    ]

    /// The keys by name.
    static let byName: [String: ConfigurationKey] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}

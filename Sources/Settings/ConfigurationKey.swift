/// One setting: its name, its kind, what it is when nobody sets it, and a line for people.
public struct ConfigurationKey: Sendable {
    /// What values a key takes.
    public enum Kind: Sendable {
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
        /// Comma-separated or `[a, b]` in the environment and in flags, a sequence in YAML.
        case list(allowed: [String]?)
        /// A list of secrets that open something: never printed, none of them empty or twice.
        case keys
        /// A list of so many numbers, not all of them 0.
        case numbers(count: Int, ClosedRange<Double>)
        /// The three letters of an ISO 4217 code; kept in capitals.
        case currency
        /// A mapping in YAML; one variable or flag an entry elsewhere, or `{a: b}`.
        case map
        /// A mapping from names in events to the types of events.
        case eventTypes
        /// A mapping from currencies to numbers above 0.
        case rates

        /// Whether values have names.
        public var isMap: Bool {
            switch self {
            case .map, .eventTypes, .rates: true
            default: false
            }
        }

        /// Whether there may be several values in order.
        public var isList: Bool {
            switch self {
            case .list, .keys, .numbers: true
            default: false
            }
        }
    }

    /// Section and name: `database.url`.
    public let name: String
    /// What it takes.
    public let kind: Kind
    /// The text of its value where nobody sets it; empty for none.
    public let fallback: String
    /// A line for people.
    public let summary: String

    /// A key as ``all`` lists it.
    public init(_ name: String, _ kind: Kind, _ fallback: String, _ summary: String) {
        self.name = name
        self.kind = kind
        self.fallback = fallback
        self.summary = summary
    }

    /// `database.url` → `FRESHET_DATABASE_URL`.
    public var environmentName: String {
        "FRESHET_" + name.uppercased().replacing(".", with: "_")
    }

    /// The part before the first dot.
    public var section: Substring { name.prefix { $0 != "." } }
}

extension ConfigurationKey {
    /// Every key of this program. `train.*` beyond those listed here are the trainer's own settings.
    public static let all: [ConfigurationKey] = [
        ConfigurationKey(
            "database.url", .secret, "",
            "PostgreSQL, as postgresql://user:password@host:port/database or key=value words"),
        ConfigurationKey(
            "database.connections", .integer(1...64), "4",
            "connections for everything but ingest, user state, and the commits that writers wait for (2)"),
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
        ConfigurationKey(
            "http.read_keys", .keys, "",
            "keys (X-API-Key, or a bearer token) that may read; without any key, everybody may do everything, on loopback only"),
        ConfigurationKey("http.write_keys", .keys, "", "keys that may also send events and records"),
        ConfigurationKey("http.admin_keys", .keys, "", "keys that may also promote models"),
        ConfigurationKey("http.metrics_keys", .keys, "", "keys that open /metrics and nothing else, for Prometheus"),
        ConfigurationKey(
            "http.open", .boolean, "false",
            "true: listen beyond loopback although there are no keys, so that whoever reaches the port may do everything"),
        ConfigurationKey(
            "http.cors_origins", .list(allowed: nil), "", "origins whose pages may call from a browser: https://shop.example"),
        ConfigurationKey(
            "http.rate_limit_per_second", .integer(0...1_000_000), "0",
            "requests a second of each key, or of all callers together without keys; more are answered 429; 0: no limit"),
        ConfigurationKey(
            "http.rate_limit_burst", .integer(1...1_000_000), "100",
            "requests that may come at once before the limit holds them back"),
        ConfigurationKey("http.max_body_bytes", .integer(1_024...67_108_864), "5242880", "largest request body"),
        ConfigurationKey("http.max_concurrent_requests", .integer(1...100_000), "1024", "requests under way at once; more are answered 503"),
        ConfigurationKey(
            "http.allowed_hosts", .list(allowed: nil), "",
            "names, beside those of this machine, that Host may say where a service on loopback has no keys: shop.example"),
        ConfigurationKey(
            "http.max_connections", .integer(0...1_000_000), "0",
            "open connections; the oldest idle ones make room for new ones; 0: as many as the limit of open files leaves room for, at most 10000"),
        ConfigurationKey(
            "http.request_seconds", .integer(1...3_600), "30", "time for a request to come in whole; then 408, and the connection is closed"),
        ConfigurationKey(
            "http.answer_seconds", .integer(1...3_600), "30",
            "time after which a caller is cut off that reads next to nothing (less than 8 KiB a second) of its answer"),
        ConfigurationKey(
            "http.max_held_bytes", .integer(1_048_576...68_719_476_736), "536870912",
            "bodies and answers held for all callers together; beyond it the slowest callers are cut off"),
        ConfigurationKey(
            "http.max_intake_requests", .integer(1...100_000), "256",
            "requests that wait for Kafka at once; more are answered 503, so that recommendations have the other places"),
        ConfigurationKey(
            "http.max_intake_bytes", .integer(65_536...17_179_869_184), "67108864",
            "bytes of records that wait for Kafka at once; more are answered 503"),
        ConfigurationKey("artifacts.path", .name, ".freshet/artifacts", "folder of the model files"),
        ConfigurationKey(
            "artifacts.key", .secret, "",
            "signs the model files of a training, 16 characters or more; servers with it read nothing else, and keep no index file"),
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
        ConfigurationKey("ingest.default_currency", .currency, "USD", "currency of a value that names none: an ISO 4217 code such as EUR"),
        ConfigurationKey(
            "currency.base", .currency, "",
            "currency in which amounts and prices are compared; none: ingest.default_currency where currency.rates are set, "
                + "else that in which most people paid"),
        ConfigurationKey(
            "currency.rates", .rates, "",
            "what one unit of other currencies is worth in currency.base, exact decimals: VND: 0.000039; "
                + "without them amounts in other currencies are left out of training"),
        ConfigurationKey("ingest.event_types", .eventTypes, "", "other names for the event types: view: click"),
        ConfigurationKey("ingest.history_limit_events", .integer(1...2_000), "200", "newest events kept in a user's history"),
        ConfigurationKey("ingest.decay_half_life_hours", .integer(1...8_760), "24", "half-life of the decayed counters behind trending"),
        ConfigurationKey("rules.exclude", .list(allowed: ["purchased", "carted", "clicked", "seen"]), "purchased",
            "what a user did with an item that keeps it out of answers; seen means any click, cart or purchase; [] excludes nothing"),
        ConfigurationKey("rules.diversity", .number(0...1), "0", "share that each further item of a main category loses of its odds in the list of a user with a history"),
        ConfigurationKey("objectives.click", .number(0...1_000), "1", "weight of a click as a training example"),
        ConfigurationKey("objectives.add_to_cart", .number(0...1_000), "1", "weight of an add_to_cart as a training example"),
        ConfigurationKey("objectives.purchase", .number(0...1_000), "1", "weight of a purchase as a training example"),
        ConfigurationKey("objectives.heads", .choice(["auto", "off"]), "auto", "auto: training learns the probabilities of click and purchase and the worth of an order, for requests with objective weights and for the powers below; off: it does not"),
        ConfigurationKey("objectives.click_power", .number(0...10), "1", "exponent of the probability of a click in the score of an item"),
        ConfigurationKey("objectives.conversion_power", .number(0...10), "0", "exponent of the probability of a purchase after a click"),
        ConfigurationKey("objectives.value_power", .number(0...10), "0", "exponent of the expected order value"),
        ConfigurationKey("objectives.tune", .choice(["off", "value"]), "off", "value: training replaces objectives.value_power by the exponent with the best revenue-weighted NDCG@10 on what was held out"),
        ConfigurationKey("objectives.balance", .choice(["uncertainty", "fixed", "sweep"]), "uncertainty", "how the losses of click, conversion and value are weighed: by learned uncertainty, by objectives.loss_weights, or by the compromise of several weightings on users that they did not learn from"),
        ConfigurationKey("objectives.loss_weights", .numbers(count: 3, 0...1_000_000), "1,1,1", "fixed weights of the losses of click, conversion and value"),
        ConfigurationKey("objectives.impressions_limit", .integer(0...10_000_000), "200000", "newest impressions that training reads; 0 reads none and draws negatives instead"),
        ConfigurationKey("ranking.tail_dial", .number(0...2), "0", "lambda in score - lambda * ln(share of all events) of the final ranking: larger favours rare items; needs the blend"),
        ConfigurationKey("ranking.tail_lift", .number(0...5), "0", "added to the final score of items beyond the most popular fifth: a hit there counts as e to this many; needs the blend"),
        ConfigurationKey("ranking.tail_budget_percent", .number(0...50), "0", "share of NDCG@10 on what was held out that training may give up for rare items: of the tail dials and lifts within it the best beyond the head is built into the model's blend"),
        ConfigurationKey("serve.impressions", .boolean, "true", "whether answers are published to the impressions topic"),
        ConfigurationKey(
            "serve.impressions_per_answer", .integer(1...1_000), "100", "first items of an answer that are published as shown at most"),
        ConfigurationKey(
            "serve.impressions_per_second", .integer(1...1_000_000), "20000",
            "items a second that are published as shown at most, of all answers of a server; what is beyond is answered, counted and not "
                + "published"),
        ConfigurationKey("serve.refresh_ms", .integer(50...60_000), "250", "how often catalogue and promotions are looked at"),
        ConfigurationKey("serve.trending_items", .integer(10...10_000), "500", "most popular items that the ranking blend counts as trending; lists look at up to 10,000, so that what a request may not show leaves no gap"),
        ConfigurationKey("index.kind", .choice(["auto", "flat", "hnsw", "lists"]), "auto", "auto: every vector is compared up to 10,000 items, beyond that lists of codes (int8 where they are exact enough), or a graph where lists would not help; flat, hnsw and lists ask for one kind"),
        ConfigurationKey("index.recall", .number(0.5...0.999), "0.95", "share of the exact best 100 that a search of the index finds, measured while it is built"),
        ConfigurationKey("index.threads", .integer(1...64), "2", "threads that encode the catalogue and build the index"),
        ConfigurationKey("index.max_fresh_items", .integer(0...1_000_000), "20000", "with more vectors outside the index it is built anew in the background"),
        ConfigurationKey("index.max_removed_percent", .number(1...100), "20", "with a larger share of the index deleted or replaced it is built anew in the background"),
        ConfigurationKey("index.keep_files", .boolean, "true", "whether vectors and index of a large catalogue are kept beside the model, for the next start"),
        ConfigurationKey("exploration.every_slots", .integer(0...1_000), "10", "at most one slot of an answer in so many goes to a new item of which little is known; 0 explores nothing"),
        ConfigurationKey("exploration.until_impressions", .integer(1...1_000_000), "200", "a new item that was shown so often is no longer explored"),
        ConfigurationKey("train.max_interactions_per_user", .integer(2...100_000), "5000", "newest interactions of one user that training reads"),
        ConfigurationKey("train.register_items", .boolean, "true", "whether items that only events name get a bare record, so that they can be recommended"),
        ConfigurationKey("train.min_interactions", .integer(1...1_000_000), "100", "with fewer interactions training refuses to begin"),
        ConfigurationKey("train.mode", .choice(["full", "incremental"]), "full", "full: from nothing; incremental: from the promoted model, on what it has not seen"),
        ConfigurationKey("train.incremental_epochs", .integer(1...1_000), "3", "passes over the examples of an incremental training"),
        ConfigurationKey("train.incremental_rate", .number(0.001...10), "0.6", "step sizes of an incremental training as a share of those of a full one"),
        ConfigurationKey("train.incremental_replay", .number(0...1_000), "6", "old events that are learned again for each new one, so that they are not forgotten"),
        ConfigurationKey("train.incremental_replay_limit_events", .integer(0...100_000_000), "200000", "old events that are learned again at most"),
        ConfigurationKey("train.incremental_ewc", .number(0...1_000_000), "0", "elastic weight consolidation: pull towards the old parameters by their importance; 1 weighs the old events as what they are, 0 is off"),
        ConfigurationKey(
            "train.keep_unfinished_hours", .integer(0...8_760), "72",
            "how long the files of a killed training stay for --resume; those with a user who was erased since go at once"),
        ConfigurationKey("train.data_gate", .choice(["enforce", "warn", "off"]), "warn", "before training: enforce refuses data that look broken and leaves suspicious users out, warn says so and learns from all, off looks at nothing"),
        ConfigurationKey("train.data_max_events_per_minute", .integer(1...1_000_000), "300", "a user with more interactions within 60 seconds is left out"),
        ConfigurationKey("train.data_max_events_per_day", .integer(1...1_000_000), "3000", "a user with more interactions within 24 hours is left out"),
        ConfigurationKey("train.data_max_item_events_per_day", .integer(1...1_000_000), "100", "a user with more interactions with one item within 24 hours is left out"),
        ConfigurationKey("train.data_max_suspicious_share", .number(0...1), "0.3", "largest share of interactions by users left out that the data gate lets pass"),
        ConfigurationKey("train.data_max_repeated_share", .number(0...1), "0.2", "largest share of repeated interactions (same user, item, type, time) that the data gate lets pass"),
        ConfigurationKey("train.data_max_item_share", .number(0...1), "0.5", "largest share of one item's interactions that the data gate lets pass"),
        ConfigurationKey("train.data_max_stability_index", .number(0...100), "0.5", "largest population stability index of types, hours, items and attributes since the former training"),
        ConfigurationKey("train.data_max_gap", .number(0...1), "0.3", "largest Kolmogorov-Smirnov gap of interactions a user or an item since the former training"),
        ConfigurationKey("train.data_max_null_rise", .number(0...1), "0.2", "largest rise of the share of interactions without item content or user attributes since the former training"),
        ConfigurationKey("train.data_minimum_users", .integer(2...1_000_000_000), "200", "users since the former training, and in it, below which the data gate compares nothing"),
        ConfigurationKey("train.holdout", .choice(["time", "leave-one-out", "none"]), "time", "how the evaluation set is cut"),
        ConfigurationKey("train.holdout_percent", .number(0.1...90), "10", "share of the newest interactions held out by a time split"),
        ConfigurationKey("train.evaluation_users", .integer(10...1_000_000), "5000", "users that the evaluation ranks for at most"),
        ConfigurationKey("train.domain_field", .text, "", "attribute of users, such as country, each of whose values gets an adapter of the user's vector over the shared model, where that helps on what was held out; requests name the domain by attribute or context; empty: none"),
        ConfigurationKey("train.domain_minimum_interactions", .integer(20...1_000_000_000), "1000", "interactions to learn from below which a domain gets no adapter"),
        ConfigurationKey("train.domain_rank", .integer(0...64), "4", "rank of the map in a domain's adapter, beside a scale and a shift of each component"),
        ConfigurationKey("train.domain_limit", .integer(1...1_000), "50", "domains that are tried at most: those with the most interactions"),
        ConfigurationKey("train.final_fit", .boolean, "true", "fit again on everything, held-out part included, after the evaluation"),
        ConfigurationKey("train.gate_margin_percent", .number(0.01...50), "5", "largest loss in NDCG@10 against the promoted model, as a share of that one's, that still promotes"),
        ConfigurationKey("train.gate_margin", .number(0...1), "0", "the same in NDCG@10 itself, in place of train.gate_margin_percent; 0: the share decides"),
        ConfigurationKey("train.gate_confidence_percent", .number(50...97.5), "90", "how sure it must be that a new model loses no more than the margin, one-sided"),
        ConfigurationKey("train.gate_anchor_days", .integer(0...3_650), "28", "a new model is also held against the best that served in so many days, so that small losses do not add up; 0: against the promoted one alone"),
        ConfigurationKey("train.refused_status", .integer(0...125), "3", "exit status of freshet train where the gate refused the new model; 0: as if it had been promoted"),
        ConfigurationKey("train.teacher", .integer(0...1_000_000_000), "0", "version of the registry that the pooled tower also learns from; 0 for none (train --teacher)"),
        ConfigurationKey("train.rank_timeout_seconds", .integer(1...86_400), "300", "how long a rank of a training that mpirun started waits for the others before it takes one for lost"),
        ConfigurationKey("train.positive_ratings_from", .number(-1_000_000...1_000_000), "0", "events with a context.rating below this are no training examples, and serving leaves them out of histories (what was rated stays known, as rules.exclude says); 0 keeps all"),
        ConfigurationKey("train.negative_ratings_below", .number(-1_000_000...1_000_000), "0", "events with a context.rating below this decline the item: left out like those below train.positive_ratings_from, and negatives of the head for clicks; 0 for none"),
        ConfigurationKey("content.channel", .choice(["auto", "off"]), "auto", "auto: items that training never met are scored by what their content says (likeness to the user's history, popularity of such content, the towers), weighed on held-out items; off: by the towers alone"),
        ConfigurationKey("content.links", .list(allowed: nil), "", "attributes whose values are ids of other items, such as works cited"),
        ConfigurationKey("adaptation.mode", .choice(["auto", "off"]), "auto", "auto: training learns how to adapt to categories that it has never met, from a few events each (freshet adapt); off: it does not"),
        ConfigurationKey("adaptation.field", .name, "categories", "what adapts: categories, or the name of an attribute such as brand or region"),
        ConfigurationKey("adaptation.method", .choice(["meta", "fine-tune", "none"]), "meta", "how freshet adapt adapts: from the meta-learned start, by plain fine-tuning from the start that is best unadapted, or not at all, for comparison"),
        ConfigurationKey("adaptation.support", .integer(1...100), "5", "events of a category that adaptation is learned for, and with which it begins"),
        ConfigurationKey("adaptation.query", .integer(1...1_000), "15", "users that judge an adaptation while it is learned"),
        ConfigurationKey("adaptation.inner_steps", .integer(1...20), "5", "gradient steps of an adaptation"),
        ConfigurationKey("adaptation.order", .choice(["second", "first"]), "second", "second: exact derivatives through the steps; first: without"),
        ConfigurationKey("adaptation.proximity", .number(0...100), "0.01", "how strongly an adaptation is held to its start"),
        ConfigurationKey("adaptation.rank", .integer(1...256), "16", "numbers in the vectors that adapt"),
        ConfigurationKey("adaptation.meta_steps", .integer(1...100_000), "300", "outer steps of the learning at most; each looks at four tasks"),
        ConfigurationKey("adaptation.meta_categories", .integer(2...1_000), "24", "trained categories that adaptation is learned on at most, drawn by the seed"),
        ConfigurationKey("adaptation.support_limit_events", .integer(1...1_000), "64", "newest events of a category that freshet adapt uses at most"),
        ConfigurationKey("content.share_cost_percent", .number(0...100), "2", "share of NDCG@20 that the fair share of new items may cost on what was held out; 100: the fair share whatever it costs"),
        ConfigurationKey("content.encoder", .text, "", "folder of a sentence-transformers model (BERT-type: config.json, vocab.txt, model.safetensors) that turns titles and descriptions into vectors for the item tower; empty: none"),
        ConfigurationKey("content.encoder_precision", .choice(["auto", "float32", "bfloat16"]), "auto", "products of the sentence encoder; auto: the faster of both on the processor"),
        ConfigurationKey("content.encoder_cache_mebibytes", .integer(1...65_536), "512", "largest file, and memory, of vectors of texts, under artifacts.path; 1.5 KB a text for a width of 384"),
        ConfigurationKey("ranking.blend", .choice(["auto", "off"]), "auto", "auto: training learns how much transitions, popularity and own items count beside the towers, and uses it where it is better on what was held out; off: the towers rank alone"),
        ConfigurationKey("ranking.neighbours", .integer(0...1_000), "100", "items kept of those that follow an item; 0 keeps none"),
        ConfigurationKey("ranking.recent_half_life_days", .number(0.01...36_500), "14", "age at which an event counts half in the blend's recent popularity"),
        ConfigurationKey("cold_start.diversity", .number(0...1), "0.15", "share that each further item of a main category loses of its odds in the trending list and in the lists of users without a history; 0 is popularity alone"),
        ConfigurationKey("cold_start.variety", .number(0...5), "0.05", "chance in the lists of users without a history, in log odds, by the user's or the session's id; 0 gives everybody the same"),
        ConfigurationKey("cold_start.segments", .list(allowed: nil), "", "attributes of users and fields of the context by which trending items are counted, such as country, device; none named: all of them"),
        ConfigurationKey("cold_start.segment_events", .integer(0...10_000_000), "100000", "newest interactions that segments are counted from; 0 counts none"),
        ConfigurationKey("cold_start.segment_half_life_hours", .number(0.01...876_000), "168", "age at which an interaction counts half in a segment"),
        ConfigurationKey("cold_start.segment_prior_events", .number(0.01...1_000_000), "10", "interactions with an item that pull its liking in a segment towards everybody's"),
        ConfigurationKey("cold_start.segment_refresh_seconds", .integer(1...86_400), "60", "how often segments are counted anew; never more than a tenth of the time"),
        ConfigurationKey("log.level", .choice(["trace", "debug", "info", "notice", "warning", "error"]), "info", "least severe line that is written"),
        ConfigurationKey("log.format", .choice(["text", "json"]), "text", "text for people, json for machines; both on standard error"),
    ]

    /// The keys by name.
    public static let byName: [String: ConfigurationKey] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}

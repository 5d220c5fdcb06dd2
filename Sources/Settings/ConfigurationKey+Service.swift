extension ConfigurationKey {
    /// What is stored, served and sent.
    static let ofService: [ConfigurationKey] = [
        ConfigurationKey(
            .databaseURL, .secret, "",
            "PostgreSQL, as postgresql://user:password@host:port/database or key=value words"),
        ConfigurationKey(
            .databaseConnections, .integer(1...64), "4",
            "connections for everything but ingest, user state, and the commits that writers wait for (2)"),
        ConfigurationKey(
            .databaseStateConnections, .integer(1...32), "2",
            "connections that read user state; each reads for up to 64 requests at once"),
        ConfigurationKey(
            .kafkaBootstrapServers, .name, "127.0.0.1:9092", "host:port of one or more brokers, comma-separated"),
        ConfigurationKey(.kafkaGroup, .name, "freshet", "consumer group of the ingest role"),
        ConfigurationKey(.kafkaProperties, .map, "", "any librdkafka setting, passed through: security.protocol: SASL_SSL"),
        ConfigurationKey(.topicsEvents, .name, "freshet.events", "clicks, purchases and other events"),
        ConfigurationKey(.topicsItems, .name, "freshet.items", "item records, compacted"),
        ConfigurationKey(.topicsUsers, .name, "freshet.users", "user records, compacted"),
        ConfigurationKey(.topicsImpressions, .name, "freshet.impressions", "what the service showed"),
        ConfigurationKey(.topicsDeadLetters, .name, "freshet.dead-letters", "rejected records with their reasons"),
        ConfigurationKey(.httpHost, .name, "127.0.0.1", "address to listen on; loopback unless set"),
        ConfigurationKey(.httpPort, .integer(0...65_535), "8080", "port to listen on; 0 takes a free one"),
        ConfigurationKey(
            .httpReadKeys, .keys, "",
            "keys (X-API-Key, or a bearer token) that may read; without any key, everybody may do everything, on loopback only"),
        ConfigurationKey(.httpWriteKeys, .keys, "", "keys that may also send events and records"),
        ConfigurationKey(.httpAdminKeys, .keys, "", "keys that may also promote models"),
        ConfigurationKey(.httpMetricsKeys, .keys, "", "keys that open /metrics and nothing else, for Prometheus"),
        ConfigurationKey(.httpGorse, .boolean, "true", "whether clients of Gorse are served, under /api"),
        ConfigurationKey(
            .httpMetarank, .boolean, "true", "whether clients of Metarank are served, at /feedback, /rank, /recommend and /health"),
        ConfigurationKey(
            .httpOpen, .boolean, "false",
            "true: listen beyond loopback although there are no keys, so that whoever reaches the port may do everything"),
        ConfigurationKey(
            .httpCORSOrigins, .list(allowed: nil), "", "origins whose pages may call from a browser: https://shop.example"),
        ConfigurationKey(
            .httpRateLimitPerSecond, .integer(0...1_000_000), "0",
            "requests a second of each key, or of all callers together without keys; more are answered 429; 0: no limit"),
        ConfigurationKey(
            .httpRateLimitBurst, .integer(1...1_000_000), "100",
            "requests that may come at once before the limit holds them back"),
        ConfigurationKey(.httpMaxBodyBytes, .integer(1_024...67_108_864), "5242880", "largest request body"),
        ConfigurationKey(
            .httpMaxConcurrentRequests, .integer(1...100_000), "1024", "requests under way at once; more are answered 503"),
        ConfigurationKey(
            .httpAllowedHosts, .list(allowed: nil), "",
            "names, beside those of this machine, that Host may say where a service on loopback has no keys: shop.example"),
        ConfigurationKey(
            .httpMaxConnections, .integer(0...1_000_000), "0",
            "open connections; the oldest idle ones make room for new ones; 0: as many as the limit of open files leaves room for, at most "
                + "10000"
        ),
        ConfigurationKey(
            .httpRequestSeconds, .integer(1...3_600), "30", "time for a request to come in whole; then 408, and the connection is closed"
        ),
        ConfigurationKey(
            .httpAnswerSeconds, .integer(1...3_600), "30",
            "time after which a caller is cut off that reads next to nothing (less than 8 KiB a second) of its answer"),
        ConfigurationKey(
            .httpMaxHeldBytes, .integer(1_048_576...68_719_476_736), "536870912",
            "bodies and answers held for all callers together; beyond it the slowest callers are cut off"),
        ConfigurationKey(
            .httpMaxIntakeRequests, .integer(1...100_000), "256",
            "requests that wait for Kafka at once; more are answered 503, so that recommendations have the other places"),
        ConfigurationKey(
            .httpMaxIntakeBytes, .integer(65_536...17_179_869_184), "67108864",
            "bytes of records that wait for Kafka at once; more are answered 503"),
        ConfigurationKey(.artifactsPath, .name, ".freshet/artifacts", "folder of the model files"),
        ConfigurationKey(
            .artifactsKey, .secret, "",
            "signs the model files of a training, 16 characters or more; servers with it read nothing else, and keep no index file"),
        ConfigurationKey(
            .artifactsKeepVersions, .integer(2...1_000), "10",
            "newest model versions whose files are kept, beside the promoted one and the one that it replaced"),
        ConfigurationKey(
            .clock, .choice(["wall", "data"]), "wall",
            "what 'now' means for decay and age: the wall clock, or the newest accepted event"),
        ConfigurationKey(.ingestBatchRecords, .integer(1...200_000), "50000", "records in one transaction at most"),
        ConfigurationKey(.ingestBatchLingerMilliseconds, .integer(1...10_000), "15", "how long a batch waits for more records"),
        ConfigurationKey(.ingestMaxRecordBytes, .integer(256...16_777_216), "1048576", "a larger record is a dead letter"),
        ConfigurationKey(
            .ingestMaxFutureSkewSeconds, .integer(0...31_536_000), "300", "an event further in the future is a dead letter"),
        ConfigurationKey(
            .ingestEarliestTime, .time, "1990-01-01T00:00:00Z", "an earlier event is a dead letter: usually an unset clock"),
        ConfigurationKey(.ingestDefaultCurrency, .currency, "USD", "currency of a value that names none: an ISO 4217 code such as EUR"),
        ConfigurationKey(
            .currencyBase, .currency, "",
            "currency in which amounts and prices are compared; none: ingest.default_currency where currency.rates are set, "
                + "else that in which most people paid"),
        ConfigurationKey(
            .currencyRates, .rates, "",
            "what one unit of other currencies is worth in currency.base, exact decimals: VND: 0.000039; "
                + "without them amounts in other currencies are left out of training"),
        ConfigurationKey(.ingestEventTypes, .eventTypes, "", "other names for the event types: view: click"),
        ConfigurationKey(
            .ingestTopics, .topics, "",
            "topics whose records have a shape of their own, and where their fields stand: shop.events: {kind: events, fields: {user_id: "
                + "payload.user.id}}; docs/mapping.md"),
        ConfigurationKey(
            .ingestUnknownPatches, .choice(["wait", "create"]), "wait",
            "a patch of an item of which no record came: waits for it, or makes a bare item"),
        ConfigurationKey(
            .ingestWaitingLimitPatches, .integer(0...10_000_000), "100000",
            "patches of unknown items that wait at most; beyond, the oldest become dead letters"),
        ConfigurationKey(
            .ingestWaitingLimitHours, .integer(1...87_600), "168", "hours that a patch waits for its item; then it becomes a dead letter"),
        ConfigurationKey(
            .ingestRegistryURL, .text, "",
            "schema registry whose schemas Avro records name: https://registry.internal:8081; docs/mapping.md"),
        ConfigurationKey(.ingestRegistryUser, .text, "", "user of the schema registry, or the name of an API key"),
        ConfigurationKey(.ingestRegistryPassword, .secret, "", "password of that user, or the API key's secret"),
        ConfigurationKey(
            .ingestRegistryCAFile, .text, "",
            "file with the certificates (PEM) that sign the registry's; without it those that the machine trusts"),
        ConfigurationKey(.ingestHistoryLimitEvents, .integer(1...2_000), "500", "newest events kept in a user's history"),
        ConfigurationKey(.ingestDecayHalfLifeHours, .integer(1...8_760), "24", "half-life of the decayed counters behind trending"),
        ConfigurationKey(
            .retentionIdleUsersDays, .integer(0...36_500), "0",
            "people of whom nothing new came for so long are erased by ingest; 0: nobody is; by the clock that clock names"),
        ConfigurationKey(.rulesExclude, .list(allowed: ["auto", "purchased", "carted", "clicked", "seen"]), "auto",
            "what a user did with an item that keeps it out of answers; seen means any click, cart or purchase; [] excludes nothing; "
                + "auto: training decides it by what people take again, down to the category"),
        ConfigurationKey(
            .rulesDiversity, .number(0...1), "0",
            "share that each further item of a main category loses of its odds in the list of a user with a history"),
        ConfigurationKey(
            .rulesRepeats, .share, "auto",
            "share of a list that a user had before (clicked, put into a cart or bought): 20-50 is at least 20 % and at most 50 % of its "
                + "first n items, for every n; auto: as the ranking says"),
        ConfigurationKey(
            .rulesDiscoveries, .share, "auto",
            "share of a list that is of kinds (finest categories) of which the user never had anything, new items apart; as "
                + "rules.repeats_percent"),
        ConfigurationKey(
            .rulesNewItems, .share, "auto",
            "share of a list that is newer than the model and that the user did not have; as rules.repeats_percent"),
        ConfigurationKey(.objectivesClick, .number(0...1_000), "1", "weight of a click as a training example"),
        ConfigurationKey(.objectivesAddToCart, .number(0...1_000), "1", "weight of an add_to_cart as a training example"),
        ConfigurationKey(.objectivesPurchase, .number(0...1_000), "1", "weight of a purchase as a training example"),
        ConfigurationKey(
            .objectivesHeads, .choice(["auto", "off"]), "auto",
            "auto: training learns the probabilities of click and purchase and the worth of an order, for requests with objective weights "
                + "and for the powers below; off: it does not"
        ),
        ConfigurationKey(.objectivesClickPower, .number(0...10), "1", "exponent of the probability of a click in the score of an item"),
        ConfigurationKey(.objectivesConversionPower, .number(0...10), "0", "exponent of the probability of a purchase after a click"),
        ConfigurationKey(.objectivesValuePower, .number(0...10), "0", "exponent of the expected order value"),
        ConfigurationKey(
            .objectivesTune, .choice(["off", "value"]), "off",
            "value: training replaces objectives.value_power by the exponent with the best revenue-weighted NDCG@10 on what was held out"),
        ConfigurationKey(
            .objectivesBalance, .choice(["uncertainty", "fixed", "sweep"]), "uncertainty",
            "how the losses of click, conversion and value are weighed: by learned uncertainty, by objectives.loss_weights, or by the "
                + "compromise of several weightings on users that they did not learn from"
        ),
        ConfigurationKey(
            .objectivesLossWeights, .numbers(count: 3, 0...1_000_000), "1,1,1",
            "fixed weights of the losses of click, conversion and value"),
        ConfigurationKey(
            .objectivesImpressionsLimit, .integer(0...10_000_000), "200000",
            "newest impressions that training reads; 0 reads none and draws negatives instead"),
        ConfigurationKey(
            .rankingTailDial, .number(0...2), "0",
            "lambda in score - lambda * ln(share of all events) of the final ranking: larger favours rare items; needs the blend"),
        ConfigurationKey(
            .rankingTailLift, .number(0...5), "0",
            "added to the final score of items beyond the most popular fifth: a hit there counts as e to this many; needs the blend"),
        ConfigurationKey(
            .rankingTailBudgetPercent, .number(0...50), "0",
            "share of NDCG@10 on what was held out that training may give up for rare items: of the tail dials and lifts within it the "
                + "best beyond the head is built into the model's blend"
        ),
        ConfigurationKey(.serveImpressions, .boolean, "true", "whether answers are published to the impressions topic"),
        ConfigurationKey(
            .serveImpressionsPerAnswer, .integer(1...1_000), "100", "first items of an answer that are published as shown at most"),
        ConfigurationKey(
            .serveImpressionsPerSecond, .integer(1...1_000_000), "20000",
            "items a second that are published as shown at most, of all answers of a server; what is beyond is answered, counted and not "
                + "published"),
        ConfigurationKey(.serveRefreshMilliseconds, .integer(50...60_000), "250", "how often catalogue and promotions are looked at"),
        ConfigurationKey(
            .serveTrendingItems, .integer(10...10_000), "500",
            "most popular items that the ranking blend counts as trending; lists look at up to 10,000, so that what a request may not show "
                + "leaves no gap"
        ),
        ConfigurationKey(
            .indexKind, .choice(["auto", "flat", "hnsw", "lists"]), "auto",
            "auto: every vector is compared up to 10,000 items, beyond that lists of codes (int8 where they are exact enough), or a graph "
                + "where lists would not help; flat, hnsw and lists ask for one kind"
        ),
        ConfigurationKey(
            .indexRecall, .number(0.5...0.999), "0.95",
            "share of the exact best 100 that a search of the index finds, measured while it is built"),
        ConfigurationKey(.indexThreads, .integer(1...64), "2", "threads that encode the catalogue and build the index"),
        ConfigurationKey(
            .indexMaxFreshItems, .integer(0...1_000_000), "20000",
            "with more vectors outside the index it is built anew in the background"),
        ConfigurationKey(
            .indexMaxRemovedPercent, .number(1...100), "20",
            "with a larger share of the index deleted or replaced it is built anew in the background"),
        ConfigurationKey(
            .indexKeepFiles, .boolean, "true",
            "whether vectors and index of a large catalogue are kept beside the model, for the next start"),
        ConfigurationKey(
            .explorationEverySlots, .integer(0...1_000), "10",
            "at most one slot of an answer in so many goes to a new item of which little is known; 0 explores nothing"),
        ConfigurationKey(
            .explorationUntilImpressions, .integer(1...1_000_000), "200", "a new item that was shown so often is no longer explored"),
    ]
}

import EventStream
import Features
import Intake
import Interactions

extension Configuration {
    /// What `ingest` and `backfill` need to know.
    func ingestSettings() throws(ConfigurationError) -> IngestSettings {
        var settings = IngestSettings(
            databaseURL: try databaseURL(), rules: try decodingRules(), featureRules: featureRules, clock: { .now })
        settings.followsDatabaseClock = true
        settings.kafka = kafkaSettings
        settings.group = text("kafka.group")
        settings.topics = topicKinds
        settings.deadLetterTopic = text("topics.dead_letters")
        settings.batchRecords = integer("ingest.batch_records")
        settings.lingerMilliseconds = integer("ingest.batch_linger_ms")
        return settings
    }

    /// What each topic holds.
    var topicKinds: [String: RecordKind] {
        [
            text("topics.events"): .events, text("topics.items"): .items, text("topics.users"): .users,
            text("topics.impressions"): .impressions,
        ]
    }

    /// How to reach Kafka.
    var kafkaSettings: KafkaSettings {
        KafkaSettings(bootstrapServers: text("kafka.bootstrap_servers"), properties: map("kafka.properties"))
    }

    /// The decoder's bounds and names as `ingest.*` sets them.
    func decodingRules() throws(ConfigurationError) -> DecodingRules {
        var rules = DecodingRules(idForm: .nfc)
        rules.maxRecordBytes = integer("ingest.max_record_bytes")
        rules.maxFutureSkewMilliseconds = Int64(integer("ingest.max_future_skew_seconds")) * 1_000
        rules.defaultCurrency = text("ingest.default_currency")
        rules.earliestTime = time("ingest.earliest_time")
        for (name, type) in map("ingest.event_types") {
            guard let known = InteractionType.allCases.first(where: { $0.name == type }) else {
                let names = InteractionType.allCases.map(\.name).joined(separator: ", ")
                throw ConfigurationError("ingest.event_types maps \(name) to \(type), but knows only \(names)")
            }
            rules.typeNames[name] = known
        }
        return rules
    }

    /// How interactions fold into features.
    var featureRules: FeatureRules {
        FeatureRules(
            historyLimitEvents: integer("ingest.history_limit_events"),
            decayHalfLifeMilliseconds: Int64(integer("ingest.decay_half_life_hours")) * 3_600_000)
    }
}

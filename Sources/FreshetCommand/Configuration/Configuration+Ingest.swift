import EventStream
import Features
import FeatureStore
import Intake
import Interactions

extension Configuration {
    /// What `ingest` and `backfill` need to know.
    func ingestSettings() throws(ConfigurationError) -> IngestSettings { try streamSettings(databaseURL: try databaseURL()) }

    /// The same where no database is asked.
    func streamSettings(databaseURL: String) throws(ConfigurationError) -> IngestSettings {
        var settings = IngestSettings(
            databaseURL: databaseURL, rules: try decodingRules(), featureRules: featureRules, clock: { .now })
        settings.followsDatabaseClock = true
        settings.kafka = kafkaSettings
        settings.group = text(.kafkaGroup)
        settings.topics = topicKinds
        settings.mappings = topicMappings
        settings.patches = patchRules
        settings.registry = schemaRegistry
        settings.deadLetterTopic = text(.topicsDeadLetters)
        settings.batchRecords = integer(.ingestBatchRecords)
        settings.lingerMilliseconds = integer(.ingestBatchLingerMilliseconds)
        settings.idleUsersDays = integer(.retentionIdleUsersDays)
        settings.idleUsersFollowData = text(.clock) == "data"
        return settings
    }

    /// What becomes of patches of unknown items.
    var patchRules: PatchRules {
        var rules = PatchRules()
        rules.unknownItems = PatchRules.UnknownItems(rawValue: text(.ingestUnknownPatches)) ?? .wait
        rules.waitingLimitPatches = integer(.ingestWaitingLimitPatches)
        rules.defaultCurrency = text(.ingestDefaultCurrency)
        rules.waitingLimitHours = integer(.ingestWaitingLimitHours)
        return rules
    }

    /// Where the schemas of Avro records are; nil where none is named.
    var schemaRegistry: SchemaRegistry.Settings? {
        guard !text(.ingestRegistryURL).isEmpty else { return nil }
        let user = text(.ingestRegistryUser), authorities = text(.ingestRegistryCAFile)
        return SchemaRegistry.Settings(
            url: text(.ingestRegistryURL), login: user.isEmpty ? nil : (user, text(.ingestRegistryPassword)),
            authorities: authorities.isEmpty ? nil : authorities)
    }

    /// What each topic holds, those that are mapped among them.
    var topicKinds: [String: RecordKind] {
        topicMappings.mapValues { RecordKind($0.kind) }.merging(RecordKind.allCases.map { (topic(of: $0), $0) }) { _, own in own }
    }

    /// The topic of a kind of record.
    func topic(of kind: RecordKind) -> String {
        switch kind {
        case .events: text(.topicsEvents)
        case .items: text(.topicsItems)
        case .users: text(.topicsUsers)
        case .impressions: text(.topicsImpressions)
        }
    }

    /// How to reach Kafka.
    var kafkaSettings: KafkaSettings {
        KafkaSettings(bootstrapServers: text(.kafkaBootstrapServers), properties: map(.kafkaProperties))
    }

    /// The decoder's bounds and names as `ingest.*` sets them.
    func decodingRules() throws(ConfigurationError) -> DecodingRules {
        var rules = DecodingRules(idForm: .nfc)
        rules.maxRecordBytes = integer(.ingestMaxRecordBytes)
        rules.maxFutureSkewMilliseconds = Int64(integer(.ingestMaxFutureSkewSeconds)) * 1_000
        rules.defaultCurrency = text(.ingestDefaultCurrency)
        rules.earliestTime = time(.ingestEarliestTime)
        for (name, type) in map(.ingestEventTypes) {
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
            historyLimitEvents: integer(.ingestHistoryLimitEvents),
            decayHalfLifeMilliseconds: Int64(integer(.ingestDecayHalfLifeHours)) * 3_600_000)
    }
}

import EventStream
import Features
import FeatureStore
import Interactions

/// What `ingest` and `backfill` need to know, filled by whoever reads the configuration.
public struct IngestSettings: Sendable {
    /// Where PostgreSQL is.
    public var databaseURL: String
    /// How to reach Kafka; a backfill needs none.
    public var kafka = KafkaSettings(bootstrapServers: "127.0.0.1:9092")
    /// The consumer group.
    public var group = "freshet"
    /// What each topic holds.
    public var topics: [String: RecordKind] = [:]
    /// How records of mapped topics become Freshet's own, by topic; each is one of ``topics``, too.
    public var mappings: [String: TopicMapping] = [:]
    /// Where the schemas of Avro records are; nil where none is configured.
    public var registry: SchemaRegistry.Settings?
    /// How long a run that ends with its topics (`untilEnd`) waits for a schema, in seconds.
    public var schemaPatienceSeconds = 60
    /// Where refused records are announced.
    public var deadLetterTopic = "freshet.dead-letters"
    /// Records of a transaction at most.
    public var batchRecords = 50_000
    /// How long a batch waits for more records.
    public var lingerMilliseconds = 15
    /// What records may hold.
    public var rules: DecodingRules
    /// How interactions fold into features.
    public var featureRules: FeatureRules
    /// What becomes of patches of unknown items.
    public var patches = PatchRules()
    /// The wall clock.
    public var clock: @Sendable () -> EventTime
    /// Whether the future is measured by the database's clock, which all consumers share, rather than by ``clock``.
    public var followsDatabaseClock = false
    /// After how many days of silence people are erased; 0: never.
    public var idleUsersDays = 0
    /// Whether silence is measured by the newest event rather than by the database's clock.
    public var idleUsersFollowData = false

    /// Settings with the defaults of a small shop; `topics` is empty.
    public init(
        databaseURL: String, rules: DecodingRules = DecodingRules(idForm: .nfc), featureRules: FeatureRules = FeatureRules(),
        clock: @escaping @Sendable () -> EventTime
    ) {
        self.databaseURL = databaseURL
        self.rules = rules
        self.featureRules = featureRules
        self.clock = clock
    }
}

/// What the HTTP service can ask of the rest of Freshet. The routes know no database, broker or model; whoever starts the
/// service fills these in.
///
/// Every closure may throw ``ServiceError`` to choose the answer; any other error becomes a 500 without its text. A closure
/// is cancelled when its request runs out of time.
public struct ServiceOperations: Sendable {
    /// Answers a request for recommendations; an unknown user gets an answer too.
    public var recommend: @Sendable (RecommendationRequest) async throws -> RecommendationList
    /// Answers with items like one item; throws ``ServiceError/Code/notFound`` for an unknown one.
    public var similar: @Sendable (SimilarItemsRequest) async throws -> RecommendationList
    /// Sends events to the stream. Bad ones are refused one by one; it throws only where none could be taken.
    public var submitEvents: @Sendable (EventSubmission) async throws -> IntakeOutcome
    /// Puts an item into the catalogue, or changes some of its fields.
    public var putItem: @Sendable (RecordSubmission) async throws -> IntakeOutcome
    /// Takes an item out of the catalogue.
    public var deleteItem: @Sendable (DeletionRequest) async throws -> IntakeOutcome
    /// Stores what is known of a user, or changes some of it.
    public var putUser: @Sendable (RecordSubmission) async throws -> IntakeOutcome
    /// Erases what is stored of a user.
    public var deleteUser: @Sendable (DeletionRequest) async throws -> IntakeOutcome
    /// What is known of a user; nil becomes 404.
    public var user: @Sendable (_ id: String) async throws -> UserView?
    /// All that is stored of a person; nil becomes 404.
    public var export: @Sendable (_ id: String) async throws -> PersonalData?
    /// What is known of an item; nil becomes 404.
    public var item: @Sendable (_ id: String) async throws -> ItemView?
    /// The registry, newest version first.
    public var models: @Sendable () async throws -> [ModelVersionView]
    /// Promotes a version; throws ``ServiceError/Code/notFound``, or ``ServiceError/Code/conflict`` for one that the gate refused and that
    /// nobody forces.
    public var promote: @Sendable (_ version: Int, _ request: PromotionRequest) async throws -> ModelVersionView
    /// Promotes the version that served before; throws as ``promote`` does.
    public var rollback: @Sendable (_ request: PromotionRequest) async throws -> ModelVersionView
    /// What the dashboard shows. Asked at most twice a second.
    public var statistics: @Sendable () async throws -> ServiceStatistics
    /// Whether each part can do its work. Must be quick and must not throw.
    public var readiness: @Sendable () async -> [PartStatus]
    /// What the doors for clients of other systems need; nil closes them.
    public var foreign: ForeignDoors?
    /// Further metrics for Prometheus.
    public var gauges: @Sendable () async -> [Gauge]

    /// Makes operations.
    public init(
        recommend: @escaping @Sendable (RecommendationRequest) async throws -> RecommendationList,
        similar: @escaping @Sendable (SimilarItemsRequest) async throws -> RecommendationList,
        submitEvents: @escaping @Sendable (EventSubmission) async throws -> IntakeOutcome,
        putItem: @escaping @Sendable (RecordSubmission) async throws -> IntakeOutcome,
        deleteItem: @escaping @Sendable (DeletionRequest) async throws -> IntakeOutcome,
        putUser: @escaping @Sendable (RecordSubmission) async throws -> IntakeOutcome,
        deleteUser: @escaping @Sendable (DeletionRequest) async throws -> IntakeOutcome,
        user: @escaping @Sendable (_ id: String) async throws -> UserView?,
        item: @escaping @Sendable (_ id: String) async throws -> ItemView?,
        models: @escaping @Sendable () async throws -> [ModelVersionView],
        promote: @escaping @Sendable (_ version: Int, _ request: PromotionRequest) async throws -> ModelVersionView,
        rollback: @escaping @Sendable (_ request: PromotionRequest) async throws -> ModelVersionView,
        statistics: @escaping @Sendable () async throws -> ServiceStatistics,
        readiness: @escaping @Sendable () async -> [PartStatus],
        gauges: @escaping @Sendable () async -> [Gauge] = { [] },
        export: @escaping @Sendable (_ id: String) async throws -> PersonalData? = { _ in nil }
    ) {
        self.export = export
        self.recommend = recommend
        self.similar = similar
        self.submitEvents = submitEvents
        self.putItem = putItem
        self.deleteItem = deleteItem
        self.putUser = putUser
        self.deleteUser = deleteUser
        self.user = user
        self.item = item
        self.models = models
        self.promote = promote
        self.rollback = rollback
        self.statistics = statistics
        self.readiness = readiness
        self.gauges = gauges
    }
}

/// How a version is to be promoted by hand.
public struct PromotionRequest: Sendable, Equatable {
    /// The longest ``reason``.
    public static let maxReasonBytes = 1_000
    /// Takes a version that the gate refused, too.
    public var force: Bool
    /// The caller's words, for the registry.
    public var reason: String?

    /// Makes a request.
    public init(force: Bool = false, reason: String? = nil) {
        self.force = force
        self.reason = reason
    }
}

/// A metric that the rest of the service adds to `/metrics`.
public struct Gauge: Sendable, Equatable {
    /// What Prometheus calls its type.
    public enum Kind: String, Sendable {
        case gauge, counter
    }

    /// Starts with `freshet_`, such as `freshet_ingest_lag_records`.
    public var name: String
    /// One line for the reader of the metrics.
    public var help: String
    /// Whether it only grows.
    public var kind: Kind
    /// Label values by name.
    public var labels: [String: String]
    /// In the unit that the name ends with.
    public var value: Double

    /// Makes a metric.
    public init(name: String, help: String, kind: Kind = .gauge, labels: [String: String] = [:], value: Double) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
        self.value = value
    }
}

import Bytes
import Interactions

/// A version of the model in the registry.
public struct ModelVersionView: Sendable, Equatable {
    /// Its number in the registry.
    public var version: Int
    /// When it was trained.
    public var createdAt: EventTime?
    /// When it last came into force.
    public var promotedAt: EventTime?
    /// True of the one that serves.
    public var isPromoted: Bool
    /// `candidate`, `promoted`, `retired`, `rejected`, …
    public var status: String
    /// `train.preset` of its training.
    public var preset: String?
    /// Which counter it is, with its settings; nil for a model that learned.
    public var counter: String?
    /// Offline metrics by name, such as `ndcg@10`.
    public var metrics: [String: Double]
    /// The same metrics of recommending what is popular, on the same holdout.
    public var popularityMetrics: [String: Double]
    /// Why the gate passed it or did not.
    public var note: String?
    /// Why the gate refused it; stays where it was promoted all the same.
    public var refusal: String?

    /// Makes a view.
    public init(
        version: Int, createdAt: EventTime? = nil, promotedAt: EventTime? = nil, isPromoted: Bool = false,
        status: String, preset: String? = nil, counter: String? = nil, metrics: [String: Double] = [:],
        popularityMetrics: [String: Double] = [:], note: String? = nil, refusal: String? = nil
    ) {
        self.version = version
        self.createdAt = createdAt
        self.promotedAt = promotedAt
        self.isPromoted = isPromoted
        self.status = status
        self.preset = preset
        self.counter = counter
        self.metrics = metrics
        self.popularityMetrics = popularityMetrics
        self.note = note
        self.refusal = refusal
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("version")
            writer.integer(version)
            writer.field("status", status)
            writer.key("promoted")
            writer.bool(isPromoted)
            writer.field("created_at", createdAt)
            writer.field("promoted_at", promotedAt)
            writer.field("preset", preset)
            writer.field("counter", counter)
            writer.field("metrics", numbers: metrics)
            writer.field("popularity_metrics", numbers: popularityMetrics)
            writer.field("note", note)
            writer.field("refusal", refusal)
        }
    }
}

/// A training that runs now.
public struct TrainingView: Sendable, Equatable {
    /// `reading`, `training`, `evaluating`, `indexing`, …
    public var phase: String
    /// Counted from 1.
    public var epoch: Int
    /// Epochs that are planned.
    public var epochs: Int
    /// The share that is done, from 0 to 1.
    public var fraction: Double
    /// The newest step's mean loss.
    public var loss: Double?
    /// Examples of the newest steps.
    public var examplesPerSecond: Double?
    /// When it began.
    public var startedAt: EventTime?

    /// Makes a view.
    public init(
        phase: String, epoch: Int, epochs: Int, fraction: Double, loss: Double? = nil,
        examplesPerSecond: Double? = nil, startedAt: EventTime? = nil
    ) {
        self.phase = phase
        self.epoch = epoch
        self.epochs = epochs
        self.fraction = fraction
        self.loss = loss
        self.examplesPerSecond = examplesPerSecond
        self.startedAt = startedAt
    }
}

/// What the gate refused.
public struct RefusalStatistics: Sendable, Equatable {
    /// Versions refused since the beginning.
    public var total: Int64
    /// Trainings in a row that brought no model into force.
    public var inARow: Int64
    /// The newest of them; nil where there is none.
    public var version: Int?
    /// When the newest was refused.
    public var at: EventTime?
    /// Why.
    public var reason: String?

    /// Makes figures.
    public init(total: Int64 = 0, inARow: Int64 = 0, version: Int? = nil, at: EventTime? = nil, reason: String? = nil) {
        self.total = total
        self.inARow = inARow
        self.version = version
        self.at = at
        self.reason = reason
    }
}

/// Something that happened, for the dashboard's feed.
public struct ActivityEntry: Sendable, Equatable {
    /// When it happened.
    public var time: EventTime
    /// `event`, `item`, `model`, `ingest`, `training`, `warning`.
    public var kind: String
    /// A sentence for a person.
    public var text: String

    /// Makes an entry.
    public init(time: EventTime, kind: String, text: String) {
        self.time = time
        self.kind = kind
        self.text = ShownText.cut(text, toBytes: ShownText.maxReasonBytes)
    }
}

/// What answers give to new items of which little is known.
public struct ExplorationStatistics: Sendable, Equatable {
    /// At most one slot in so many is given to a new item; 0: none.
    public var everySlots: Int64
    /// Items that are explored now.
    public var items: Int64
    /// Slots that this server gave to such items since its start.
    public var slots: Int64
    /// How often the items that are explored now were shown and clicked, by anybody.
    public var impressions: Int64
    /// Clicks of these.
    public var clicks: Int64

    /// Makes statistics.
    public init(everySlots: Int64 = 0, items: Int64 = 0, slots: Int64 = 0, impressions: Int64 = 0, clicks: Int64 = 0) {
        self.everySlots = everySlots
        self.items = items
        self.slots = slots
        self.impressions = impressions
        self.clicks = clicks
    }
}

/// Everything that `/v1/stats` shows, but for what the HTTP service counts itself.
public struct ServiceStatistics: Sendable, Equatable {
    /// When the figures were put together.
    public var time: EventTime
    /// When events, users, dead letters and the newest items were last counted; nil where they are not known yet.
    public var countedAt: EventTime?
    /// Stored events since the beginning.
    public var eventsTotal: Int64
    /// The same by type name.
    public var eventsByType: [String: Int64]
    /// Of the last seconds.
    public var eventsPerSecond: Double
    /// Events a second, oldest first; the time is seconds since 1970. About the last ten minutes.
    public var eventSeries: [RatePoint]
    /// Records that Kafka has and the feature store has not; nil where it is not known.
    public var lagRecords: Int64?
    /// The sum of the committed offsets of all partitions.
    public var committedOffsetTotal: Int64
    /// Records that were refused, by why.
    public var deadLettersByCode: [String: Int64]
    /// Erased users whose rows are still to be removed; nobody sees anything of them.
    public var openErasures: Int64 = 0
    /// Items of the serving snapshot.
    public var items: Int64
    /// Items that are recommended to nobody.
    public var hiddenItems: Int64
    /// Items that are recommended from their content alone until the next training.
    public var freshItems: Int64
    /// What new items are given.
    public var exploration: ExplorationStatistics
    /// Newest first.
    public var newestItems: [ItemSummary]
    /// Known users.
    public var users: Int64
    /// Users who were active lately, newest first, for the dashboard to offer.
    public var recentUserIDs: [String]
    /// The model that serves.
    public var model: ModelVersionView?
    /// Seconds since the serving snapshot last changed.
    public var snapshotAgeSeconds: Double?
    /// The training that runs; nil where none does.
    public var training: TrainingView?
    /// What the gate refused; nil until it was asked for.
    public var refusals: RefusalStatistics?
    /// Newest first.
    public var activity: [ActivityEntry]

    /// Makes statistics; what is not given is zero or absent.
    public init(
        time: EventTime, countedAt: EventTime? = nil,
        eventsTotal: Int64 = 0, eventsByType: [String: Int64] = [:], eventsPerSecond: Double = 0,
        eventSeries: [RatePoint] = [], lagRecords: Int64? = nil, committedOffsetTotal: Int64 = 0,
        deadLettersByCode: [String: Int64] = [:], items: Int64 = 0, hiddenItems: Int64 = 0, freshItems: Int64 = 0,
        exploration: ExplorationStatistics = ExplorationStatistics(), newestItems: [ItemSummary] = [], users: Int64 = 0,
        recentUserIDs: [String] = [],
        model: ModelVersionView? = nil,
        snapshotAgeSeconds: Double? = nil, training: TrainingView? = nil, refusals: RefusalStatistics? = nil, activity: [ActivityEntry] = []
    ) {
        self.time = time
        self.countedAt = countedAt
        self.eventsTotal = eventsTotal
        self.eventsByType = eventsByType
        self.eventsPerSecond = eventsPerSecond
        self.eventSeries = eventSeries
        self.lagRecords = lagRecords
        self.committedOffsetTotal = committedOffsetTotal
        self.deadLettersByCode = deadLettersByCode
        self.items = items
        self.hiddenItems = hiddenItems
        self.freshItems = freshItems
        self.exploration = exploration
        self.newestItems = newestItems
        self.users = users
        self.recentUserIDs = recentUserIDs
        self.model = model
        self.snapshotAgeSeconds = snapshotAgeSeconds
        self.training = training
        self.refusals = refusals
        self.activity = activity
    }
}

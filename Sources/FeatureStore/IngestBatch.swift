import Features
import Interactions

/// What one consumer wants stored in one transaction.
public struct IngestBatch: Sendable {
    /// Accepted interactions, in the order in which they came.
    public var interactions: [Interaction]
    /// Changes of items in order of arrival.
    public var items: [(change: RecordChange<ItemRecord>, origin: RecordOrigin)]
    /// Changes of users in order of arrival. A deletion erases what is stored of the user.
    public var users: [(change: RecordChange<UserRecord>, origin: RecordOrigin)]
    /// Ids that events joined to users.
    public var identities: [(identity: Identity, origin: RecordOrigin)] = []
    /// Feedback that is taken back, with what it counted for.
    public var retractions: [Retraction] = []
    /// Refused records, with the reasons.
    public var rejections: [RejectedRecord]
    /// The next offset to read of each partition that the batch covers; empty for writes that no source counts.
    public var offsets: [ClaimedOffset]
    /// The fold of exactly ``interactions``, used when none of them turns out to be a duplicate or erased.
    public var prefolded: FeatureDelta?
    /// The topic that dead letters of conflicting duplicates name where ``eventSources`` tell none; nil takes the first topic of
    /// ``offsets``.
    public var eventSource: String?
    /// Where ``interactions`` came from, by runs of them.
    private(set) var eventSources: [(source: String, cluster: String, end: Int)] = []
    /// Users' records that cannot be stored, for the other ids that they name: an erasure takes those too.
    var unstoredUsers: [(record: UserRecord, origin: RecordOrigin)] = []

    /// Makes a batch.
    public init(
        interactions: [Interaction] = [], items: [(change: RecordChange<ItemRecord>, origin: RecordOrigin)] = [],
        users: [(change: RecordChange<UserRecord>, origin: RecordOrigin)] = [], rejections: [RejectedRecord] = [],
        offsets: [ClaimedOffset] = [], prefolded: FeatureDelta? = nil, eventSource: String? = nil
    ) {
        self.interactions = interactions
        self.items = items
        self.users = users
        self.rejections = rejections
        self.offsets = offsets
        self.prefolded = prefolded
        self.eventSource = eventSource
    }

    /// Notes where the interactions came from that were added since the last call.
    public mutating func noteSource(of origin: RecordOrigin) {
        if let last = eventSources.last, last.source == origin.source, last.cluster == origin.cluster {
            eventSources[eventSources.count - 1].end = interactions.count
        } else {
            eventSources.append((origin.source, origin.cluster, interactions.count))
        }
    }

    /// Where the interaction at `index` came from, for its dead letter.
    ///
    /// - Parameter otherwise: The source, and its cluster, of what nothing was noted.
    func origin(ofInteraction index: Int, otherwise: (source: String, cluster: String)) -> RecordOrigin {
        let interaction = interactions[index]
        let run = eventSources.first { index < $0.end }
        return RecordOrigin(
            source: run?.source ?? otherwise.source, cluster: run?.cluster ?? otherwise.cluster, position: interaction.position,
            recordTime: interaction.time)
    }

    /// The batch with other records of the same origin: those of `kept`, as indices of ``interactions``.
    func keepingSources(of kept: [Int]) -> IngestBatch {
        var result = self
        result.interactions = []
        result.eventSources = []
        for index in kept {
            result.interactions.append(interactions[index])
            if !eventSources.isEmpty { result.noteSource(of: origin(ofInteraction: index, otherwise: ("", ""))) }
        }
        return result
    }
}

/// A partition as its new owner finds it.
public struct PartitionClaim: Sendable, Equatable {
    /// The partition's number, from 0.
    public var partition: Int32
    /// Goes with every commit; a later claim raises it and so ends this one.
    public var epoch: Int64
    /// The offset to read from; nil is the beginning.
    public var nextOffset: Int64?
    /// The time of the record before ``nextOffset``, as the broker gave it; nil where that is not known.
    public var lastRecordTime: EventTime?
    /// The identity of the topic that was read, where one was ever known.
    public var topicID: String?
    /// How often the partition began anew as that of another topic of the same name.
    public var incarnation: Int32

    /// Makes a claim.
    public init(
        partition: Int32, epoch: Int64, nextOffset: Int64?, lastRecordTime: EventTime? = nil, topicID: String? = nil, incarnation: Int32 = 0
    ) {
        self.partition = partition
        self.epoch = epoch
        self.nextOffset = nextOffset
        self.lastRecordTime = lastRecordTime
        self.topicID = topicID
        self.incarnation = incarnation
    }
}

/// How far a batch read a partition that its sender owns.
public struct ClaimedOffset: Sendable, Equatable {
    /// The topic's name.
    public var topic: String
    /// The partition's number, from 0.
    public var partition: Int32
    /// The epoch of the claim.
    public var epoch: Int64
    /// The offset after the last record of the batch.
    public var nextOffset: Int64
    /// The time of the batch's last record of the partition, as the broker gave it.
    public var lastRecordTime: EventTime?
    /// Records that the broker had dropped within what the batch covers.
    public var missingRecords: Int64

    /// Makes a claimed offset.
    public init(
        topic: String, partition: Int32, epoch: Int64, nextOffset: Int64, lastRecordTime: EventTime? = nil, missingRecords: Int64 = 0
    ) {
        self.topic = topic
        self.partition = partition
        self.epoch = epoch
        self.nextOffset = nextOffset
        self.lastRecordTime = lastRecordTime
        self.missingRecords = missingRecords
    }
}

/// What a commit did.
public struct IngestSummary: Sendable, Equatable {
    /// Interactions stored for the first time.
    public var stored = 0
    /// Interactions that were stored before, with the same payload.
    public var duplicates = 0
    /// Interactions whose key was stored before with another payload; they are dead letters.
    public var conflicts = 0
    /// Items whose record became another one.
    public var itemsChanged = 0
    /// Users whose record became another one.
    public var usersChanged = 0
    /// Records that became dead letters, conflicts included.
    public var rejected = 0
    /// Interactions that count for their items and whose user is not kept, counted for the first time.
    public var unnamed = 0
    /// Records dropped because their user was erased at or after their time.
    public var erased = 0
    /// Rows of users' features that were written.
    public var userRows = 0
    /// Entries of histories in these rows: a row is read and written whole.
    public var historyEntries = 0
    /// Returns that were stored, and what of them and of earlier ones matches no purchase now that did, or the other way round.
    public var returns = ReturnTally()
    /// The catalogue's version after this commit, when items changed.
    public var catalogueVersion: Int64?
    /// An earlier call had committed this batch already; nothing was done.
    public var alreadyCommitted = false

    /// Makes an empty summary.
    public init() {}

    /// What two transactions did; the left one is the later.
    static func + (left: IngestSummary, right: IngestSummary) -> IngestSummary {
        var sum = left
        sum.stored += right.stored
        sum.duplicates += right.duplicates
        sum.conflicts += right.conflicts
        sum.itemsChanged += right.itemsChanged
        sum.usersChanged += right.usersChanged
        sum.rejected += right.rejected
        sum.unnamed += right.unnamed
        sum.erased += right.erased
        sum.userRows += right.userRows
        sum.historyEntries += right.historyEntries
        sum.returns += right.returns
        sum.catalogueVersion = left.catalogueVersion ?? right.catalogueVersion
        return sum
    }
}

/// The points between the statements of a commit, in their order. An instrumentation point: crash tests fail here.
public enum CommitStep: String, Sendable, CaseIterable {
    case began
    case claimsChecked = "claims_checked"
    case usersWritten = "users_written"
    case interactionsStored = "interactions_stored"
    case itemFeaturesWritten = "item_features_written"
    case userFeaturesWritten = "user_features_written"
    case returnsMatched = "returns_matched"
    case catalogueWritten = "catalogue_written"
    case deadLettersWritten = "dead_letters_written"
    case offsetsWritten = "offsets_written"
    /// The transaction is durable, and the caller does not know it yet.
    case committed
}

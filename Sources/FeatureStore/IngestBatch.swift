import Features
import Interactions

/// What one consumer wants stored in one transaction.
public struct IngestBatch: Sendable {
    public var interactions: [Interaction]
    /// Changes of items in order of arrival.
    public var items: [(change: RecordChange<ItemRecord>, origin: RecordOrigin)]
    /// Changes of users in order of arrival. A deletion erases what is stored of the user.
    public var users: [(change: RecordChange<UserRecord>, origin: RecordOrigin)]
    public var rejections: [RejectedRecord]
    /// The next offset to read of each partition that the batch covers; empty for writes that no source counts.
    public var offsets: [ClaimedOffset]
    /// The fold of exactly ``interactions``, used when none of them turns out to be a duplicate or erased.
    public var prefolded: FeatureDelta?
    /// The topic that dead letters of conflicting duplicates name; nil takes the first topic of ``offsets``.
    public var eventSource: String?

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
}

/// A partition as its new owner finds it.
public struct PartitionClaim: Sendable, Equatable {
    public var partition: Int32
    /// Goes with every commit; a later claim raises it and so ends this one.
    public var epoch: Int64
    /// The offset to read from; nil is the beginning.
    public var nextOffset: Int64?

    /// Makes a claim.
    public init(partition: Int32, epoch: Int64, nextOffset: Int64?) {
        self.partition = partition
        self.epoch = epoch
        self.nextOffset = nextOffset
    }
}

/// How far a batch read a partition that its sender owns.
public struct ClaimedOffset: Sendable, Equatable {
    public var topic: String
    public var partition: Int32
    /// The epoch of the claim.
    public var epoch: Int64
    /// The offset after the last record of the batch.
    public var nextOffset: Int64

    /// Makes a claimed offset.
    public init(topic: String, partition: Int32, epoch: Int64, nextOffset: Int64) {
        self.topic = topic
        self.partition = partition
        self.epoch = epoch
        self.nextOffset = nextOffset
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
    public var itemsChanged = 0
    public var usersChanged = 0
    /// Records that became dead letters, conflicts included.
    public var rejected = 0
    /// Records dropped because their user was erased at or after their time.
    public var erased = 0
    /// The catalogue's version after this commit, when items changed.
    public var catalogueVersion: Int64?
    /// An earlier call had committed this batch already; nothing was done.
    public var alreadyCommitted = false

    /// Makes an empty summary.
    public init() {}
}

/// The points between the statements of a commit, in their order. An instrumentation point: crash tests fail here.
public enum CommitStep: String, Sendable, CaseIterable {
    case began
    case claimsChecked = "claims_checked"
    case usersWritten = "users_written"
    case interactionsStored = "interactions_stored"
    case itemFeaturesWritten = "item_features_written"
    case userFeaturesWritten = "user_features_written"
    case catalogueWritten = "catalogue_written"
    case deadLettersWritten = "dead_letters_written"
    case offsetsWritten = "offsets_written"
    /// The transaction is durable, and the caller does not know it yet.
    case committed
}

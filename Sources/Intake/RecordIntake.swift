import Features
import FeatureStore
import Interactions

/// Decodes records into the batch of one transaction, and folds them while it is at it.
///
/// A record that cannot be decoded becomes a dead letter of the same batch: nothing stops, nothing is lost.
public struct RecordIntake {
    /// Bytes of a rejected record that are kept with its reason.
    public static let rejectedPayloadBytes = 65_536
    /// Bytes of a rejected record's key that are kept.
    public static let rejectedKeyBytes = 1_024
    /// Bytes of records from which on a batch is full, what they become in memory included: PostgreSQL takes no message above 1 GiB, and
    /// memory is not for free.
    public static let batchBytesLimit = 64 << 20
    /// Patches from which on a batch is full: each is merged with its row, and events must not wait for a feed of prices.
    static let batchPatchesLimit = 10_000
    /// What an event takes in a batch beside its texts, in bytes: itself, and its part of what is folded.
    static let interactionBytes = 512
    /// What another record takes in a batch beside its texts, in bytes.
    static let recordBytes = 512

    let decoder: RecordDecoder
    private let featureRules: FeatureRules
    private let maxRecordBytes: Int
    /// What turns the records of mapped topics into Freshet's own, by topic; empty where nothing is mapped, which then costs nothing.
    private let mappers: [String: RecordMapper]
    /// What reads the records of topics that are written in something else than plain JSON, by topic.
    let readers: [String: FormatReader]
    /// Keys of the deletions that came last, by partition and topic: Debezium sends a record without a value behind each.
    var deletedKeys: [String: [UInt8]] = [:]
    /// What was gathered since the last ``take(offsets:)``.
    public private(set) var batch = IngestBatch()
    private var folded: FeatureDelta
    private var histories: HistoryBound
    /// Records taken since the last ``take(offsets:)``, rejected ones included.
    public private(set) var records = 0
    /// Patches among these records.
    private var patches = 0
    /// Bytes of these records that the batch may hold.
    public internal(set) var bytes = 0
    /// Records, or lines of them, that say nothing to be stored, since the start: by a condition of a mapping, as a patch of no field, or
    /// as a null value that deletes nothing.
    public private(set) var leftOut = 0
    /// Why the last of these was left out, for people; nil where none was since ``take(offsets:)``.
    public private(set) var leftOutReason: String?

    /// Why records are left out.
    enum LeftOut {
        static let condition = "by when"
        static let part = "the key names a part of a record, and a null value under it deletes nothing"
        static let emptyPatch = "the patch names no field"
        static let message = "a message of the log, or a mark of it, says nothing of a row"
        static let event = "events are not deleted with their rows"
        static let repeated = "the null value behind a deletion says nothing new"
    }

    /// Whether the batch should be taken now, so that it stays within ``batchBytesLimit``, `batchRecords` and what its users' histories
    /// take.
    public func isFull(batchRecords: Int) -> Bool {
        records >= batchRecords || bytes >= Self.batchBytesLimit || patches >= Self.batchPatchesLimit
            || histories.isReached(users: folded.users.count)
    }

    /// Takes in what a batch wrote, so that the next ones are as large as their users' histories allow.
    public mutating func note(_ summary: IngestSummary) { histories.note(summary) }

    /// An empty intake.
    ///
    /// - Parameter mappings: how records of topics become Freshet's own, by topic; those of others are Freshet's own.
    ///   Several are given schemas by one registry.
    public init(
        rules: DecodingRules, featureRules: FeatureRules, mappings: [String: TopicMapping] = [:], schemas: SchemaRegistry? = nil
    ) {
        decoder = RecordDecoder(rules: rules)
        readers = mappings.filter { $0.value.format != .json }.mapValues { FormatReader($0.format, schemas: schemas, rules: rules) }
        mappers = mappings.mapValues { RecordMapper($0, rules: rules) }
        maxRecordBytes = rules.maxRecordBytes
        self.featureRules = featureRules
        folded = FeatureDelta(rules: featureRules)
        histories = HistoryBound(longest: featureRules.historyLimitEvents)
    }

    /// Decodes one record. A nil `value` is a tombstone: it deletes the item or user that `key` names.
    ///
    /// - Returns: Whether it was accepted; a refused record is a dead letter of the batch.
    @discardableResult
    public mutating func add(
        _ kind: RecordKind, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, origin: RecordOrigin,
        now: EventTime
    ) -> Bool {
        records += 1
        if !readers.isEmpty, let reader = readers[origin.source], let mapper = mappers[origin.source] {
            return addFormatted(by: reader, mapper, kind, key: key, value: value, origin: origin, now: now)
        }
        guard let value else { return addTombstone(kind, key: key, origin: origin, now: now) }
        if !mappers.isEmpty, let mapper = mappers[origin.source] {
            return addMapped(by: mapper, kind, key: key, value: value, origin: origin, now: now)
        }
        do throws(Rejection) {
            try take(kind, value, origin: origin, now: now)
            return true
        } catch {
            reject(error, key: key, value: value, origin: origin, named: named(kind, value.isEmpty ? key ?? value : value))
            return false
        }
    }

    /// Decodes a record of Freshet's own and gathers what it says.
    @inline(__always)
    mutating func take(
        _ kind: RecordKind, _ value: UnsafeRawBufferPointer, origin: RecordOrigin, now: EventTime
    ) throws(Rejection) {
        switch kind {
        case .events:
            switch decoder.interaction(value, origin: origin, now: now) {
            case .success(let interaction): accept(interaction, origin)
            case .failure(let rejection):
                guard rejection.code == .unknownType else { throw rejection }
                if let retraction = try decoder.retraction(value, origin: origin).get() {
                    batch.retractions.append(retraction)
                    bytes += Self.recordBytes
                    break
                }
                guard let identity = try decoder.identity(value, origin: origin, now: now).get() else { throw rejection }
                batch.identities.append((identity, dated(origin, otherwise: nil)))
                bytes += Self.recordBytes
            }
        case .impressions:
            for interaction in try decoder.slate(value, origin: origin, now: now).get() { accept(interaction, origin) }
        case .items:
            // Where the broker gives no time, the order of arrival is all that there is: for deletions, too.
            let origin = dated(origin, otherwise: origin.cluster.isEmpty ? nil : now)
            let change = try decoder.itemChange(value, origin: origin, now: now).get()
            if !note(change) { batch.items.append((change: change, origin: origin)) } else { leaveOut(LeftOut.emptyPatch) }
        case .users:
            // Undated, a record never brings back who was erased.
            let origin = dated(origin, otherwise: nil)
            let change = try decoder.userChange(value, origin: origin, now: now).get()
            if !note(change) { batch.users.append((change: change, origin: origin)) } else { leaveOut(LeftOut.emptyPatch) }
        }
        bytes += value.count + (kind == .items || kind == .users ? Self.recordBytes : 0)
    }

    /// Counts a patch.
    ///
    /// - Returns: whether it changes nothing, so that nothing is to be stored.
    private mutating func note<Record>(_ change: RecordChange<Record>) -> Bool {
        guard case .patch(let patch) = change else { return false }
        patches += 1
        return patch.isEmpty
    }

    /// Records that a line or message was too long to be read at all.
    public mutating func addOversized(_ kind: RecordKind, bytes: Int, head: UnsafeRawBufferPointer, origin: RecordOrigin) {
        records += 1
        let rejection = Rejection(
            .tooLarge, "the record has \(bytes) bytes; at most \(maxRecordBytes) are accepted (ingest.max_record_bytes)")
        let named = mappers[origin.source].map { self.named(by: $0, head) } ?? self.named(kind, head)
        keep(
            RejectedRecord(
                origin: origin, key: named.key, userID: named.user, payload: Array(head.prefix(Self.rejectedPayloadBytes)),
                payloadBytes: bytes, rejection: rejection))
    }

    /// Takes a row of another system's file of which no record could be made; a part of its text is kept.
    ///
    /// - Parameter user: the id of the user whom the row names, where that can be read.
    public mutating func addRefused(
        _ rejection: Rejection, text: [UInt8], textBytes: Int, user: String?, origin: RecordOrigin
    ) {
        records += 1
        let named = user.map { spelled(Array($0.utf8), .user) }
        keep(
            RejectedRecord(
                origin: origin, key: named, userID: named, payload: Array(text.prefix(Self.rejectedPayloadBytes)), payloadBytes: textBytes,
                rejection: rejection))
    }

    /// The batch gathered so far, to be stored with `offsets`; the intake starts afresh.
    public mutating func take(offsets: [ClaimedOffset]) -> IngestBatch {
        var taken = batch
        taken.offsets = offsets
        taken.prefolded = folded
        batch = IngestBatch()
        folded = FeatureDelta(rules: featureRules)
        records = 0
        bytes = 0
        patches = 0
        leftOutReason = nil
        return taken
    }

    private mutating func accept(_ interaction: Interaction, _ origin: RecordOrigin) {
        bytes += Self.interactionBytes
        folded.fold(interaction)
        batch.interactions.append(interaction)
        batch.noteSource(of: origin)
    }

    /// The origin without a time that only an unset clock gives.
    func dated(_ origin: RecordOrigin, otherwise time: EventTime?) -> RecordOrigin {
        if let stated = origin.recordTime, stated >= decoder.rules.earliestTime { return origin }
        var origin = origin
        origin.recordTime = time
        return origin
    }

    /// A deletion is taken whenever it is said to be, so that no clock cancels an erasure: a time in the future counts as now, and so
    /// does none, or one that only an unset clock gives.
    private mutating func addTombstone(
        _ kind: RecordKind, key: UnsafeRawBufferPointer?, origin: RecordOrigin, now: EventTime
    ) -> Bool {
        if let key, isOfPart(key, kind) { return leaveOut(LeftOut.part) }
        do throws(Rejection) {
            let id = try plainID(ofKey: key, kind, by: mappers[origin.source])
            guard kind == .items || kind == .users else {
                throw Rejection(.missingField, "the record has no value, and an event cannot be deleted by one")
            }
            addDeletion(of: id, kind, origin: origin, now: now)
            return true
        } catch {
            let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
            reject(error, key: key, value: nothing, origin: origin, named: named(kind, key ?? nothing))
            return false
        }
    }

    /// Whether a key names a part of an item's or user's record: what empties a compacted topic of patches deletes nobody.
    func isOfPart(_ key: UnsafeRawBufferPointer, _ kind: RecordKind) -> Bool {
        switch kind {
        case .items: RecordKey.isOfPart(key, idField: ItemRecord.idField, decoder)
        case .users: RecordKey.isOfPart(key, idField: UserRecord.idField, decoder)
        case .events, .impressions: false
        }
    }

    /// Counts a record, or a line of one, that says nothing to be stored.
    ///
    /// - Returns: true: nothing of it was refused.
    @discardableResult
    mutating func leaveOut(_ reason: String) -> Bool {
        leftOut += 1
        leftOutReason = reason
        return true
    }

    /// Gathers the deletion of an item or user.
    mutating func addDeletion(of id: String, _ kind: RecordKind, origin: RecordOrigin, now: EventTime) {
        let time = min(dated(origin, otherwise: now).recordTime ?? now, now)
        if kind == .items {
            batch.items.append((change: .delete(id: id, at: time), origin: origin))
        } else {
            batch.users.append((change: .delete(id: id, at: time), origin: origin))
        }
        bytes += id.utf8.count + Self.recordBytes
    }

    /// The id that a key names, with what the mapping of its topic writes before ids.
    func plainID(ofKey key: UnsafeRawBufferPointer?, _ kind: RecordKind, by mapper: RecordMapper?) throws(Rejection) -> String {
        let plain = try identifier(ofKey: key, kind), prefix = mapper?.idPrefix ?? ""
        return prefix.isEmpty ? plain : try decoder.rules.id(prefix + plain, of: kind == .users ? .user : .thing, field: "key")
    }

    /// The id that a key names: its text, or what stands in it where a serializer made JSON of it, `"i9"`, `{"item_id":"i9"}` or
    /// `{"schema":…,"payload":"i9"}`.
    private func identifier(ofKey key: UnsafeRawBufferPointer?, _ kind: RecordKind) throws(Rejection) -> String {
        guard let key, !key.isEmpty else {
            throw Rejection(.missingField, field: "key", "a record without a value deletes what its key names, but it has no key")
        }
        let subject: IDSubject = kind == .users ? .user : .thing
        guard RecordKey.mayBeJSON(key) else { return try decoder.rules.id(validating: key, of: subject, field: "key") }
        let field = kind == .items ? "item_id" : "user_id"
        // Kafka Connect puts the id into `payload`, beside the schema.
        for name in [field, "payload"] {
            switch decoder.identifierLine(RecordKey.withoutSpace(key), field: name) {
            case .success(let id?): return id
            case .failure(let rejection) where rejection.code == .malformedJSON:
                // `{3F25-04E0}` is no JSON, but an id.
                return try decoder.rules.id(validating: key, of: subject, field: "key")
            case .success, .failure: continue
            }
        }
        throw Rejection(
            .wrongType, field: "key",
            "is JSON, but no string, and no object with \(field) or payload as an id; a deletion needs the id that it deletes")
    }

    /// Keeps a refused record under its key, or under the one that it would have had.
    mutating func reject(
        _ rejection: Rejection, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer, origin: RecordOrigin,
        named: (key: [UInt8]?, user: [UInt8]?)
    ) {
        var rejection = rejection
        let isFramed = Framing.isRegistrys(value) || value.isEmpty && key.map(Framing.isRegistrys) == true
        if isFramed, readers[origin.source] == nil {
            rejection.detail += Framing.hint
        }
        keep(
            RejectedRecord(
                origin: origin, key: key.map { Array($0.prefix(Self.rejectedKeyBytes)) } ?? named.key, userID: named.user,
                payload: Array(value.prefix(Self.rejectedPayloadBytes)), payloadBytes: value.count, rejection: rejection))
    }

    /// Whom and what a refused record names: the key that it would have had, and its user, both as ids are spelled.
    func named(_ kind: RecordKind, _ bytes: UnsafeRawBufferPointer) -> (key: [UInt8]?, user: [UInt8]?) {
        let user = kind == .items ? nil : NamedID.user(in: bytes).map { spelled($0, .user) }
        return (user ?? (kind == .items ? NamedID.item(in: bytes).map { spelled($0, .thing) } : nil), user)
    }

    func spelled(_ id: [UInt8], _ subject: IDSubject) -> [UInt8] {
        guard let text = String(validating: id, as: UTF8.self), let spelled = try? decoder.rules.id(text, of: subject, field: "key") else {
            return id
        }
        return Array(spelled.utf8)
    }

    private mutating func keep(_ rejected: RejectedRecord) {
        bytes += max(Self.recordBytes, rejected.payload.count + (rejected.key?.count ?? 0) + (rejected.userID?.count ?? 0))
        batch.rejections.append(rejected)
    }
}

import Features
import FeatureStore
import Interactions

/// Decodes records into the batch of one transaction, and folds them while it is at it.
///
/// A record that cannot be decoded becomes a dead letter of the same batch: nothing stops, nothing is lost.
public struct RecordIntake {
    /// Bytes of a rejected record that are kept with its reason.
    public static let rejectedPayloadBytes = 65_536

    private let decoder: RecordDecoder
    private let featureRules: FeatureRules
    private let maxRecordBytes: Int
    /// What was gathered since the last ``take(offsets:)``.
    public private(set) var batch = IngestBatch()
    private var folded: FeatureDelta
    /// Records taken since the last ``take(offsets:)``, rejected ones included.
    public private(set) var records = 0

    /// An empty intake.
    public init(rules: DecodingRules, featureRules: FeatureRules) {
        decoder = RecordDecoder(rules: rules)
        maxRecordBytes = rules.maxRecordBytes
        self.featureRules = featureRules
        folded = FeatureDelta(rules: featureRules)
    }

    /// Decodes one record. A nil `value` is a tombstone: it deletes the item or user that `key` names.
    public mutating func add(
        _ kind: RecordKind, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, origin: RecordOrigin,
        now: EventTime
    ) {
        records += 1
        guard let value else {
            addTombstone(kind, key: key, origin: origin)
            return
        }
        switch kind {
        case .events:
            switch decoder.interaction(value, origin: origin, now: now) {
            case .success(let interaction): accept(interaction)
            case .failure(let rejection): reject(rejection, key: key, value: value, origin: origin)
            }
        case .impressions:
            switch decoder.slate(value, origin: origin, now: now) {
            case .success(let interactions): for interaction in interactions { accept(interaction) }
            case .failure(let rejection): reject(rejection, key: key, value: value, origin: origin)
            }
        case .items:
            switch decoder.item(value, origin: origin, now: now) {
            case .success(let item): batch.items.append((change: .upsert(item), origin: origin))
            case .failure(let rejection): reject(rejection, key: key, value: value, origin: origin)
            }
        case .users:
            switch decoder.user(value, origin: origin, now: now) {
            case .success(let user): batch.users.append((change: .upsert(user), origin: origin))
            case .failure(let rejection): reject(rejection, key: key, value: value, origin: origin)
            }
        }
    }

    /// Records that a line or message was too long to be read at all.
    public mutating func addOversized(bytes: Int, head: UnsafeRawBufferPointer, origin: RecordOrigin) {
        records += 1
        let rejection = Rejection(
            .tooLarge, "the record has \(bytes) bytes; at most \(maxRecordBytes) are accepted (ingest.max_record_bytes)")
        batch.rejections.append(
            RejectedRecord(
                origin: origin, key: nil, payload: Array(head.prefix(Self.rejectedPayloadBytes)), payloadBytes: bytes,
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
        return taken
    }

    private mutating func accept(_ interaction: Interaction) {
        folded.fold(interaction)
        batch.interactions.append(interaction)
    }

    private mutating func addTombstone(_ kind: RecordKind, key: UnsafeRawBufferPointer?, origin: RecordOrigin) {
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        guard let key, let text = String(validating: key, as: UTF8.self), !text.isEmpty else {
            reject(
                Rejection(.missingField, field: "key", "a record without a value deletes what its key names, but it has no key"),
                key: key, value: empty, origin: origin)
            return
        }
        let id = IDForm.nfc.of(text)
        switch kind {
        case .items: batch.items.append((change: .delete(id: id, at: origin.recordTime), origin: origin))
        case .users: batch.users.append((change: .delete(id: id, at: origin.recordTime), origin: origin))
        case .events, .impressions:
            reject(
                Rejection(.missingField, "an event cannot be deleted by a record without a value"), key: key, value: empty,
                origin: origin)
        }
    }

    private mutating func reject(
        _ rejection: Rejection, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer, origin: RecordOrigin
    ) {
        batch.rejections.append(
            RejectedRecord(
                origin: origin, key: key.map { Array($0.prefix(1_024)) },
                payload: Array(value.prefix(Self.rejectedPayloadBytes)), payloadBytes: value.count, rejection: rejection))
    }
}

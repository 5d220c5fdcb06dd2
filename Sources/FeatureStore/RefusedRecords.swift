import Interactions

/// Takes the records that the database cannot hold out of a batch, so that one of them does not stop a stream.
///
/// Decoding refuses whatever is known to be impossible; this is the net behind it. Halves of the batch are stored on trial, in
/// transactions that are rolled back, until single records are found; these become dead letters, and the rest is stored as usual,
/// with its offsets, exactly once.
struct RefusedRecords {
    /// Records of one batch that become dead letters so. Where more are refused it is not the records, and the database's word ends the
    /// work.
    static let refusedRecordsLimit = 1_000

    private let batch: IngestBatch
    private let source: String
    private let cluster: String

    init(_ batch: IngestBatch, source: String, cluster: String) {
        self.batch = batch
        self.source = source
        self.cluster = cluster
    }

    private var count: Int { batch.interactions.count + batch.items.count + batch.users.count + batch.rejections.count }

    /// The batch without them; nil where no record is refused by itself.
    ///
    /// - Parameter trial: stores a batch without leaving a trace.
    /// - Complexity: about 2 × log2(records) transactions for each of them.
    func without(_ trial: (IngestBatch) throws(StoreError) -> Void) throws(StoreError) -> IngestBatch? {
        var refused: [Int: StoreError] = [:]
        // Pairs of ranges that are still to be tried.
        var open = count > 0 ? [0..<count] : []
        while let range = open.popLast() {
            do throws(StoreError) {
                try trial(part(range))
            } catch {
                guard error.isOfData, refused.count < Self.refusedRecordsLimit else { throw error }
                if range.count == 1 {
                    refused[range.lowerBound] = error
                } else {
                    let middle = range.lowerBound + range.count / 2
                    open += [middle..<range.upperBound, range.lowerBound..<middle]
                }
            }
        }
        return refused.isEmpty ? nil : replaced(refused)
    }

    /// The batch in two parts, of which the second has the offsets; nil where it cannot be cut.
    var halves: (first: IngestBatch, second: IngestBatch)? {
        guard count > 1 else { return nil }
        var second = part(count / 2..<count)
        second.offsets = batch.offsets
        second.identities = batch.identities
        second.retractions = batch.retractions
        return (part(0..<count / 2), second)
    }

    /// Records of the batch by number: interactions, then items, users and dead letters. Offsets stay out of trials.
    private func part(_ range: Range<Int>) -> IngestBatch {
        var start = 0
        func slice<Record>(_ records: [Record]) -> [Record] {
            defer { start += records.count }
            let own = range.clamped(to: start..<start + records.count)
            return Array(records[own.lowerBound - start..<own.upperBound - start])
        }
        return IngestBatch(
            interactions: slice(batch.interactions), items: slice(batch.items), users: slice(batch.users),
            rejections: slice(batch.rejections),
            eventSource: source)
    }

    private func replaced(_ refused: [Int: StoreError]) -> IngestBatch {
        var result = batch
        result = batch.keepingSources(of: batch.interactions.indices.filter { refused[$0] == nil })
        result.prefolded = nil
        (result.items, result.users, result.rejections) = ([], [], [])
        var number = 0
        for interaction in batch.interactions {
            if let error = refused[number] {
                let origin = batch.origin(ofInteraction: number, otherwise: (source, cluster))
                result.rejections.append(Self.letter(origin, key: interaction.userID, ofUser: true, payload: interaction.json(), error))
            }
            number += 1
        }
        for item in batch.items {
            if let error = refused[number] {
                switch item.change {
                case .upsert(let record):
                    result.rejections.append(Self.letter(item.origin, key: record.itemID, payload: record.json(), error))
                case .patch(let patch): result.rejections.append(Self.letter(item.origin, key: patch.id, payload: patch.json(), error))
                case .delete(let id, _): result.rejections.append(Self.letter(item.origin, key: id, payload: "", error))
                }
            } else {
                result.items.append(item)
            }
            number += 1
        }
        for user in batch.users {
            if let error = refused[number] {
                switch user.change {
                case .upsert(let record):
                    result.rejections.append(Self.letter(user.origin, key: record.userID, ofUser: true, payload: record.json(), error))
                    result.unstoredUsers.append((record, user.origin))
                case .patch(let patch):
                    result.rejections.append(Self.letter(user.origin, key: patch.id, ofUser: true, payload: patch.json(), error))
                    result.unstoredUsers.append((patch.values, user.origin))
                case .delete(let id, _): result.rejections.append(Self.letter(user.origin, key: id, ofUser: true, payload: "", error))
                }
            } else {
                result.users.append(user)
            }
            number += 1
        }
        for rejected in batch.rejections {
            if let error = refused[number] {
                // A reason that cannot be stored itself: what is left says that there was one.
                var bare = rejected
                (bare.key, bare.userID, bare.payload) = (nil, nil, [])
                bare.rejection = Rejection(rejected.rejection.code, "the record and its reason cannot be stored: \(error.message)")
                result.rejections.append(bare)
            } else {
                result.rejections.append(rejected)
            }
            number += 1
        }
        return result
    }

    private static func letter(_ origin: RecordOrigin, key: String, ofUser: Bool = false, payload: String, _ error: StoreError)
        -> RejectedRecord
    {
        let bytes = Array(payload.utf8)
        let id = Array(key.utf8.prefix(NamedID.idBytesLimit))
        return RejectedRecord(
            origin: origin, key: id, userID: ofUser ? id : nil, payload: Array(bytes.prefix(DeadLetterWriter.payloadLimitBytes)),
            payloadBytes: bytes.count, rejection: Rejection(.refusedByDatabase, "PostgreSQL cannot hold it: \(error.message)"))
    }
}

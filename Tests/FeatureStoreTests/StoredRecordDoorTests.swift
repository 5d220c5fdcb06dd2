import FeatureStore
import Features
import Foundation
import FuzzInputs
import Interactions
import Testing
import TestSupport

/// What was accepted can always be stored and read again: generated records go from the decoder into PostgreSQL and back.
@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct StoredRecordDoorTests {
    /// Records of one transaction.
    private static let batchRecords = 500

    /// Records by their ids, one for each: what was sent, to be compared with what is read.
    private struct Sent {
        var batch = IngestBatch()
        var delta = FeatureDelta(rules: FeatureRules())
        var events: [String: Interaction] = [:]
        var items: [String: ItemRecord] = [:]
        var users: [String: UserRecord] = [:]
        /// All users of events and records.
        var people: Set<String> = []
        var rejected = 0

        mutating func take() -> IngestBatch {
            batch.prefolded = delta
            defer {
                batch = IngestBatch()
                delta = FeatureDelta(rules: FeatureRules())
            }
            return batch
        }

        mutating func add(_ event: Interaction) -> Bool {
            guard events[event.eventID] == nil else { return false }
            events[event.eventID] = event
            people.insert(event.userID)
            batch.interactions.append(event)
            delta.fold(event)
            return true
        }
    }

    private let decoder = RecordDecoder(rules: DecodingRules(idForm: IDForm(name: "NFC") { $0.precomposedStringWithCanonicalMapping }))
    private let now = EventTime(milliseconds: 1_790_000_000_000)

    /// Decodes one record into the batch; false where it was refused.
    private func add(_ kind: FuzzKind, _ bytes: [UInt8], at index: Int, to sent: inout Sent) -> Bool {
        bytes.withUnsafeBytes { bytes in
            let origin = RecordOrigin(
                source: "freshet.\(kind.rawValue)", cluster: "c1", position: Position(partition: 0, offset: Int64(index)), recordTime: now)
            func refuse(_ rejection: Rejection) -> Bool {
                sent.rejected += 1
                sent.batch.rejections.append(
                    RejectedRecord(
                        origin: origin, key: Array(bytes.prefix(9)), payload: Array(bytes), payloadBytes: bytes.count, rejection: rejection)
                )
                return false
            }
            switch kind {
            case .events:
                switch decoder.interaction(bytes, origin: origin, now: now) {
                case .success(let event): return sent.add(event)
                case .failure(let rejection): return refuse(rejection)
                }
            case .impressions:
                switch decoder.slate(bytes, origin: origin, now: now) {
                case .success(let events): return events.map { sent.add($0) }.contains(true)
                case .failure(let rejection): return refuse(rejection)
                }
            case .items:
                switch decoder.item(bytes, origin: origin, now: now) {
                case .success(let item):
                    guard sent.items[item.itemID] == nil else { return true }
                    sent.items[item.itemID] = item
                    sent.batch.items.append((.upsert(item), origin))
                    return true
                case .failure(let rejection): return refuse(rejection)
                }
            case .users:
                switch decoder.user(bytes, origin: origin, now: now) {
                case .success(let user):
                    guard sent.users[user.userID] == nil else { return true }
                    sent.users[user.userID] = user
                    sent.people.insert(user.userID)
                    sent.batch.users.append((.upsert(user), origin))
                    return true
                case .failure(let rejection): return refuse(rejection)
                }
            }
        }
    }

    /// Of many records with one id the first is kept here, so that each can be compared; ids are made different on the way.
    private func distinct(_ bytes: [UInt8], _ kind: FuzzKind, _ index: Int) -> [UInt8] {
        let name =
            kind == .items
            ? "\"item_id\":\"i" : kind == .users ? "\"user_id\":\"u" : kind == .impressions ? "\"request_id\":\"r" : "\"event_id\":\"e"
        guard let range = bytes.firstRange(of: Array(name.utf8)) else { return bytes }
        return Array(bytes[..<range.upperBound]) + Array("\(index)-".utf8) + Array(bytes[range.upperBound...])
    }

    @Test func everyAcceptedRecordIsStoredAndReadAgain() async throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        var sent = Sent()
        var rejected = 0
        var report = await FuzzDoor("store.records", short: 3_000, long: 250_000).run { source, index in
            let kind = source.pick([FuzzKind.events, .events, .events, .items, .users, .impressions])
            let accepted = add(kind, distinct(source.plausibleRecord(kind), kind, index), at: index, to: &sent)
            if sent.batch.interactions.count + sent.batch.items.count + sent.batch.users.count + sent.batch.rejections.count
                >= Self.batchRecords
            {
                rejected += try commit(sent.take(), to: store)
            }
            return accepted ? .accepted : .refused
        }
        rejected += try commit(sent.take(), to: store)
        #expect(rejected == sent.rejected, "every refused record is a dead letter")
        #expect(try database.sql("select count(*) from dead_letters") == "\(sent.rejected)")
        try compare(sent, database, &report)
        try await serve(sent, database, &report)
        #expect(report.findings.isEmpty, "\(report.findings.prefix(20).joined(separator: "\n"))")
        #expect(report.accepted > report.inputs / 5, "\(report)")

        // Whoever was stored can be erased.
        for person in sent.people { sent.batch.users.append((.delete(id: person, at: nil), origin(0, source: "freshet.users", at: now))) }
        _ = try store.commit(sent.take())
        _ = try ErasureWork(url: database.url, rules: FeatureRules()).finish()
        #expect(
            try database.sql(
                "select (select count(*) from users), (select count(*) from user_features), (select count(*) from interactions)") == "0|0|0"
        )
    }

    /// A batch that cannot be stored is taken apart, so that the record at fault is named.
    private func commit(_ batch: IngestBatch, to store: IngestStore) throws -> Int {
        do {
            let summary = try store.commit(batch)
            guard summary.stored == batch.interactions.count else {
                throw TestDatabase.Failure("stored \(summary) of \(batch.interactions.count)")
            }
            return summary.rejected
        } catch let error as StoreError {
            for event in batch.interactions {
                do { _ = try store.commit(IngestBatch(interactions: [event])) } catch {
                    throw TestDatabase.Failure("\(error): \(event.json())")
                }
            }
            for item in batch.items {
                do { _ = try store.commit(IngestBatch(items: [item])) } catch { throw TestDatabase.Failure("\(error): \(item)") }
            }
            for user in batch.users {
                do { _ = try store.commit(IngestBatch(users: [user])) } catch { throw TestDatabase.Failure("\(error): \(user)") }
            }
            for refused in batch.rejections {
                do { _ = try store.commit(IngestBatch(rejections: [refused])) } catch {
                    throw TestDatabase.Failure("\(error): \(refused.rejection) \(String(decoding: refused.payload, as: UTF8.self))")
                }
            }
            throw error
        }
    }

    /// The table's times begin with the year 1.
    private static func storable(_ time: EventTime) -> EventTime { max(time, EventTime(milliseconds: -62_135_596_800_000)) }

    private static func tokens(_ object: String?) -> [String] { object.map { JSONText.tokens(ofObject: $0) } ?? [] }

    /// Reads everything as a training does.
    private func compare(_ sent: Sent, _ database: TestDatabase, _ report: inout FuzzDoor.Report) throws {
        let snapshot = try TrainingSnapshot(url: database.url)
        var findings: [String] = [], events = 0, items = 0, users = 0
        try snapshot.forEachItem { (read) throws(StoreError) in
            items += 1
            guard var item = sent.items[read.record.itemID] else { return findings.append("an item \(read.record.itemID) was never sent") }
            var stored = read.record
            if Self.tokens(stored.attributes) != Self.tokens(item.attributes) {
                findings.append("\(item) has the attributes \(stored.attributes ?? "")")
            }
            (stored.attributes, item.attributes) = (nil, nil)
            // A training reads prices of one currency only; serving reads what was sent.
            (stored.priceMicros, item.priceMicros) = (nil, nil)
            if item.updatedAt == nil { stored.updatedAt = nil }
            (item.updatedAt, item.publishedAt) = (item.updatedAt.map(Self.storable), item.publishedAt.map(Self.storable))
            if stored != item { findings.append("\(item) is read as \(stored)") }
        }
        try snapshot.forEachUser { (stored) throws(StoreError) in
            users += 1
            guard let user = sent.users[stored.userID] else { return findings.append("a user \(stored.userID) was never sent") }
            if Self.tokens(stored.attributes) != Self.tokens(user.attributes) || Set(stored.aliases) != Set(user.aliases) {
                findings.append("\(user) is read as \(stored)")
            }
        }
        var byPlace: [String: Interaction] = [:]
        for event in sent.events.values {
            byPlace["\(event.userID)\n\(event.itemID)\n\(event.time.milliseconds)\n\(event.position.offset)"] = event
        }
        try snapshot.forEachInteraction(types: Set(InteractionType.allCases), withContext: true) { (row) throws(StoreError) in
            events += 1
            guard let event = byPlace["\(row.userID)\n\(row.itemID)\n\(row.time.milliseconds)\n\(row.position.offset)"] else {
                // Of one slate two slots may show one item.
                return row.slot == nil ? findings.append("\(row) was never sent") : ()
            }
            guard row.slot == event.slot else { return }
            if row.type != event.type || row.amountMinor != event.amountMinor || row.currency != event.currency
                || row.quantity != event.quantity
                || row.requestID != event.requestID || row.modelVersion != event.modelVersion
                || Self.tokens(row.context) != Self.tokens(event.context)
            {
                findings.append("\(event) is read as \(row)")
            }
        }
        if (events, items, users) != (sent.events.count, sent.items.count, sent.users.count) {
            findings.append(
                "read \(events) events, \(items) items, \(users) users of \(sent.events.count), \(sent.items.count), \(sent.users.count)")
        }
        report.findings += findings
    }

    /// Reads everything as serving does.
    private func serve(_ sent: Sent, _ database: TestDatabase, _ report: inout FuzzDoor.Report) async throws {
        let queries = StoreQueries(url: database.url)
        let changed = try queries.catalogue()
        for item in changed.items where item.record.priceMicros != sent.items[item.record.itemID]?.priceMicros {
            report.findings.append("\(item.record.itemID) costs \(item.record.priceMicros ?? -1) and not what was sent")
        }
        if changed.items.count != sent.items.count { report.findings.append("\(changed.items.count) items changed of \(sent.items.count)") }
        for id in sent.items.keys.sorted().prefix(300) where try queries.item(id)?.record.itemID != id {
            report.findings.append("no item \(id)")
        }
        let reader = try UserStateReader(url: database.url)
        defer { reader.close() }
        for id in sent.people.sorted().prefix(2_000) {
            let state = try await reader.read(userID: id, exclude: InteractionType.allCases)
            if state.userID != id { report.findings.append("the state of \(id) is of \(state.userID)") }
            _ = try queries.user(id)
        }
        var letters = 0, before: Int64?
        while case let page = try queries.deadLetters(before: before, limit: 1_000), let last = page.last {
            letters += page.count
            before = last.id
        }
        if letters != sent.rejected { report.findings.append("\(letters) dead letters are read of \(sent.rejected)") }
        _ = try queries.statistics()
    }
}

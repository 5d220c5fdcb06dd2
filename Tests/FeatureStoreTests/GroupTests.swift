import FeatureStore
import Features
import Interactions
import Testing
import TestSupport

@Suite("Groups and availability in the catalogue", .enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct GroupTests {
    private static func item(
        _ id: String, _ group: String?, at seconds: Int64, stock: Int32? = nil, until: EventTime? = nil
    ) -> ItemRecord {
        var record = ItemRecord(itemID: id, updatedAt: EventTime(milliseconds: 1_700_000_000_000 + seconds * 1_000))
        (record.groupID, record.stock, record.availableUntil) = (group, stock, until)
        return record
    }

    private static func origin(_ place: Int64) -> RecordOrigin {
        RecordOrigin(source: "items", cluster: "k", position: Position(partition: 0, offset: place), recordTime: nil)
    }

    @Test("who follows the catalogue gets the other members of what changed, deleted ones too")
    func siblings() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules()), queries = StoreQueries(url: database.url)
        func send(_ records: [ItemRecord]) throws {
            _ = try store.commit(IngestBatch(items: records.map { (.upsert($0), Self.origin(0)) }))
        }
        try send((0..<20).map { Self.item("i\($0)", $0 < 12 ? "g\($0 % 3)" : nil, at: 1) })
        let start = try queries.catalogueMark()
        try send([Self.item("i0", "g0", at: 2, stock: 0), Self.item("i15", nil, at: 2)])
        _ = try store.commit(IngestBatch(items: [(.delete(id: "i3", at: EventTime(milliseconds: 1_700_000_005_000)), Self.origin(1))]))
        func changed(after mark: CatalogueMark) throws -> [CatalogueItem] {
            guard case .changes(let items, _) = try queries.catalogue(after: mark) else { Issue.record("no changes"); return [] }
            return items.sorted { $0.record.itemID < $1.record.itemID }
        }
        let items = try changed(after: start)
        #expect(items.map(\.record.itemID) == ["i0", "i15", "i3", "i6", "i9"])
        #expect(items.map(\.isDeleted) == [false, false, true, false, false] && items[2].record.groupID == "g0", "it keeps its group")
        #expect(items[0].record.stock == 0 && !items[0].isAvailable && items[3].isAvailable)
        let all = try queries.catalogue().items
        #expect(all.count == 20 && all.count(where: \.isDeleted) == 1)
        let units = CatalogueItem.units(all)
        #expect(units.count == 3 + 8 && units.count(where: { $0.variants.count == 4 }) == 3)
    }

    @Test("what is popular: sold-out and ended items take no place, members of groups count for their group")
    func trending() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules()), queries = StoreQueries(url: database.url)
        let now = EventTime(milliseconds: 1_700_000_100_000)
        let records = [
            Self.item("plain", nil, at: 1), Self.item("sold", nil, at: 1, stock: 0), Self.item("member", "g", at: 1, stock: 0),
            Self.item("ended", nil, at: 1, until: now),
            Self.item("ending", nil, at: 1, until: EventTime(milliseconds: now.milliseconds + 1)),
        ]
        let events = records.enumerated().map { place, record in
            Interaction(
                eventID: "e\(place)", type: .click, userID: "u", itemID: record.itemID,
                time: EventTime(milliseconds: now.milliseconds - 1_000), position: Position(partition: 0, offset: Int64(place)),
                payloadHash: UInt64(place))
        }
        var batch = IngestBatch(interactions: events)
        batch.items = records.map { (.upsert($0), Self.origin(0)) }
        _ = try store.commit(batch)
        #expect(try queries.trending(at: now, limit: 10).map(\.itemID).sorted() == ["ending", "member", "plain"])
        #expect(try queries.newestItems(limit: 10).map(\.record.itemID).sorted() == ["plain"], "by the wall's clock the others have ended")
    }
}

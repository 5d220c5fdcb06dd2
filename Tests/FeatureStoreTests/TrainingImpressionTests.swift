import FeatureStore
import Features
import Interactions
import TestSupport
import Testing

@Suite(.enabled(if: TestDatabase.isAvailable, TestDatabase.reason))
struct TrainingImpressionTests {
    private struct Shown: Equatable {
        var user, item: String
        var time: Int64
        var outcomes: UInt8
        var amount: Int64
    }

    private var offset: Int64 = 0

    private mutating func event(
        _ type: InteractionType, _ user: String, _ item: String, at milliseconds: Int64, request: String?, amount: Int64? = nil,
        currency: String? = nil
    ) -> Interaction {
        offset += 1
        return Interaction(
            eventID: "e\(offset)", type: type, userID: user, itemID: item, time: EventTime(milliseconds: 1_700_000_000_000 + milliseconds),
            priceMicros: amount.map { $0 * 10_000 }, amountMinor: amount, currency: currency, requestID: request,
            slot: type == .impression ? 0 : nil, position: Position(partition: 1, offset: offset), payloadHash: UInt64(offset))
    }

    @Test mutating func impressionsComeWithWhatFollowedUnderTheirRequest() throws {
        let database = try TestDatabase()
        let store = try IngestStore(url: database.url, rules: FeatureRules())
        let events = [
            event(.impression, "u1", "a", at: 0, request: "r1"), event(.impression, "u1", "b", at: 0, request: "r1"),
            event(.impression, "u2", "a", at: 5, request: "r2"), event(.impression, "u2", "a", at: 90, request: "r3"),
            event(.click, "u1", "a", at: 10, request: "r1"),
            event(.purchase, "u1", "a", at: 20, request: "r1", amount: 1_250, currency: "EUR"),
            event(.purchase, "u1", "a", at: 30, request: "r1", amount: 250, currency: "EUR"),
            // Of another request, of another user, and in a currency that little of the revenue is in.
            event(.click, "u1", "b", at: 40, request: nil), event(.click, "u1", "a", at: 41, request: "r2"),
            event(.purchase, "u2", "a", at: 95, request: "r3", amount: 900, currency: "CHF"),
        ]
        _ = try store.commit(IngestBatch(interactions: events))
        let snapshot = try TrainingSnapshot(url: database.url)
        func read(_ limit: Int, until: Int64? = nil) throws -> [Shown] {
            var shown: [Shown] = []
            try snapshot.forEachImpression(limit: limit, until: until.map { EventTime(milliseconds: 1_700_000_000_000 + $0) }) {
                (impression) throws(StoreError) in
                shown.append(
                    Shown(
                        user: String(decoding: impression.userID, as: UTF8.self), item: String(decoding: impression.itemID, as: UTF8.self),
                        time: impression.time.milliseconds - 1_700_000_000_000, outcomes: impression.outcomes,
                        amount: impression.amountMinor))
            }
            return shown.sorted { ($0.time, $0.user, $0.item) < ($1.time, $1.user, $1.item) }
        }
        let all = [
            Shown(user: "u1", item: "a", time: 0, outcomes: 5, amount: 1_500),
            Shown(user: "u1", item: "b", time: 0, outcomes: 0, amount: 0),
            Shown(user: "u2", item: "a", time: 5, outcomes: 0, amount: 0), Shown(user: "u2", item: "a", time: 90, outcomes: 4, amount: 0),
        ]
        #expect(try read(100) == all)
        #expect(try read(1) == [all[3]], "the newest")
        #expect(try read(0).isEmpty)
        #expect(try read(100, until: 15).map(\.outcomes) == [1, 0, 0], "nothing later than the time is known")

        var amounts: [Int64?] = []
        try snapshot.forEachEvent { (event) throws(StoreError) in amounts.append(event.amountMinor) }
        #expect(amounts.compactMap { $0 }.sorted() == [250, 1_250])
        #expect(amounts.count == 6)
    }
}

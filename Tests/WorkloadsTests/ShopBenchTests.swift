import Console
import Foundation
import Interactions
import Testing
import TrainingFiles
import Workloads

/// The simulated shop's log, and what its shoppers bought.
@Suite struct ShopBenchTests {
    private func event(
        _ type: InteractionType, _ user: String, _ item: String, at time: Int64, request: String? = nil, amount: Int64? = nil, offset: Int64
    ) -> Interaction {
        var event = Interaction(
            eventID: "e\(offset)", type: type, userID: user, itemID: item, time: EventTime(milliseconds: time),
            position: Position(partition: 0, offset: offset))
        event.requestID = request
        event.amountMinor = amount
        return event
    }

    @Test func impressionsAreJoinedToWhatFollowedUnderTheSameRequest() {
        let log = TrainingLog(
            events: [
                event(.purchase, "u2", "b", at: 30, request: "r2", amount: 500, offset: 5),
                event(.impression, "u2", "b", at: 10, request: "r2", offset: 1),
                event(.impression, "u2", "a", at: 10, request: "r2", offset: 2),
                event(.click, "u2", "b", at: 20, request: "r2", offset: 3), event(.click, "u1", "a", at: 5, request: "r1", offset: 0),
                event(.click, "u1", "gone", at: 6, offset: 7),
            ],
            items: [ItemRecord(itemID: "b"), ItemRecord(itemID: "a")], users: [UserRecord(userID: "u2"), UserRecord(userID: "u1")])
        #expect(log.itemIDs == ["a", "b"] && log.userIDs == ["u1", "u2"], "by id")
        #expect(log.userStarts == [0, 1, 3], "impressions are no interactions, and items without a record are left out")
        #expect((0..<3).map { log.items[$0] } == [0, 1, 1] && (0..<3).map { log.times[$0] } == [5, 20, 30], "each user's oldest first")
        #expect((0..<3).map { log.amounts[$0] } == [-1, -1, 500])
        #expect(log.isConsistent)
        // In the order of the log: of the same time by their place. A click is 1, a purchase 4.
        #expect(log.impressions.items.map { $0 } == [1, 0] && log.impressions.outcomes.map { $0 } == [5, 0])
        #expect(log.impressions.amounts.map { $0 } == [500, 0])
    }

    @Test func ratesAreByWhatWasShown() throws {
        let tallies = [ShopTally(shown: 30, clicks: 3, value: 20, tail: 6), ShopTally(shown: 10, clicks: 1, value: 0, tail: 6)]
        #expect(ShopTally.sums(tallies).json == #"{"click_through":0.1,"value_per_1000_shown":500.0,"tail_exposure":0.3}"#)
        #expect(ShopTally.sums([]).json == #"{"click_through":0.0,"value_per_1000_shown":0.0,"tail_exposure":0.0}"#)
    }

    @Test func aGainHasTheSignOfWhatMoved() throws {
        let base = (0..<200).map { ShopTally(shown: 10, clicks: Double($0 % 5), value: 10 + Double($0 % 7), tail: 2) }
        let better = base.map { ShopTally(shown: 10, clicks: $0.clicks, value: $0.value * 1.5, tail: 1) }
        let text = ShopTally.gains(better, over: base).json
        let found = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [Double]])
        #expect(found["click_through"] == [0, 0, 0])
        let value = try #require(found["order_value"]), tail = try #require(found["tail_exposure"])
        #expect(abs(value[0] - 0.5) < 1e-9 && value[1] <= value[0] && value[0] <= value[2] && value[1] > 0)
        #expect(tail[0] < 0 && tail[2] < 0)
    }
}

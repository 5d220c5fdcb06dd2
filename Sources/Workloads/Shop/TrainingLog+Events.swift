import Interactions
import TowerTraining
import TrainingFiles

extension TrainingLog {
    /// A log of events that are in memory, with impressions joined to what followed under the same request.
    ///
    /// - Parameter events: in any order; amounts are of one currency.
    package init(events: [Interaction], items: [ItemRecord], users: [UserRecord]) {
        let items = items.sorted { $0.itemID < $1.itemID }, users = users.sorted { $0.userID < $1.userID }
        let itemRows = Dictionary(items.enumerated().map { ($1.itemID, Int32($0)) }) { first, _ in first }
        let userRows = Dictionary(users.enumerated().map { ($1.userID, Int32($0)) }) { first, _ in first }
        struct Row {
            var user, item: Int32
            var event: Interaction
        }
        let rows = events.compactMap { event in
            userRows[event.userID].flatMap { user in itemRows[event.itemID].map { Row(user: user, item: $0, event: event) } }
        }.sorted { ($0.user, $0.event.time, $0.event.position) < ($1.user, $1.event.time, $1.event.position) }

        struct Shown: Hashable {
            var request: String
            var item: Int32
        }
        var outcomes: [Shown: (bits: UInt8, amount: Int64)] = [:]
        for row in rows where row.event.type != .impression {
            guard let request = row.event.requestID else { continue }
            let bit: UInt8 = row.event.type == .click ? 1 : row.event.type == .addToCart ? 2 : 4
            let known = outcomes[Shown(request: request, item: row.item)] ?? (0, 0)
            outcomes[Shown(request: request, item: row.item)] = (
                known.bits | bit, known.amount + (row.event.type == .purchase ? row.event.amountMinor ?? 0 : 0)
            )
        }
        var impressions = ImpressionColumns()
        for row in rows where row.event.type == .impression {
            let outcome = row.event.requestID.flatMap { outcomes[Shown(request: $0, item: row.item)] } ?? (0, 0)
            impressions.append(
                user: row.user, item: row.item, time: row.event.time.milliseconds, outcomes: outcome.bits, amount: outcome.amount)
        }
        let kept = rows.filter { $0.event.type != .impression }
        var starts = [0]
        var place = 0
        for user in users.indices {
            while place < kept.count, Int(kept[place].user) == user { place += 1 }
            starts.append(place)
        }
        self.init(
            userIDs: users.map(\.userID), itemIDs: items.map(\.itemID), contents: items.map(\.content), isHidden: items.map(\.hidden),
            attributes: users.map { $0.attributes.map { JSONText.tokens(ofObject: $0) } ?? [] }, userStarts: starts,
            items: Column(kept.map(\.item)), types: Column(kept.map(\.event.type.rawValue)),
            times: Column(kept.map(\.event.time.milliseconds)),
            amounts: Column(kept.map { $0.event.type == .purchase ? $0.event.amountMinor ?? -1 : -1 }), impressions: impressions)
    }
}

import Interactions
import TrainingFiles
import ContentModel
import TowerModel
import TowerTraining

/// A training log of a few interactions that a test names.
enum SmallLog {
    /// One interaction.
    struct Event {
        var user: String, item: String, time: Int64, type = InteractionType.click, amount: Int64 = -1
    }

    /// The log of some events: users and items in the order of their ids, rows by user and time.
    static func of(_ events: [Event], items: [String]? = nil, hidden: Set<String> = []) -> TrainingLog {
        let userIDs = Set(events.map(\.user)).sorted(), itemIDs = items ?? Set(events.map(\.item)).sorted()
        let rowOf = Dictionary(uniqueKeysWithValues: itemIDs.enumerated().map { ($1, Int32($0)) })
        let byUser = userIDs.map { user in events.filter { $0.user == user }.sorted { $0.time < $1.time } }
        let ordered = byUser.flatMap { $0 }
        var starts = [0]
        for own in byUser { starts.append(starts[starts.count - 1] + own.count) }
        return TrainingLog(
            userIDs: userIDs, itemIDs: itemIDs, contents: itemIDs.map { _ in ItemContent() }, isHidden: itemIDs.map(hidden.contains),
            attributes: userIDs.map { _ in [] }, userStarts: starts, items: Column(ordered.map { rowOf[$0.item] ?? 0 }),
            types: Column(ordered.map(\.type.rawValue)), times: Column(ordered.map(\.time)), amounts: Column(ordered.map(\.amount)),
            impressions: ImpressionColumns())
    }

    /// One user with clicks on items `i0`, `i1`, … at these times.
    static func clicks(_ user: String, at times: [Int64], from first: Int = 0) -> [Event] {
        times.enumerated().map { Event(user: user, item: "i\(first + $0)", time: $1) }
    }

    /// Forty users with six clicks each, on items of their own corner.
    static func population() -> [Event] {
        (0..<40).flatMap { user in
            (0..<6).map { Event(user: "u\(user)", item: "i\((user * 3 + $0 * $0) % 30)", time: Int64(user * 100 + $0 * 60_000)) }
        }
    }
}

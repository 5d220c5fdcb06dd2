import ContentModel
import TowerModel

/// Interactions to learn from: users with their events in time order, in columns, and what is known of items and users.
///
/// Only clicks, carts and purchases; items without an event are not part of it, since nothing can be learned of them
/// beyond their content. Built by ``Builder``.
public struct TrainingSet: Sendable {
    /// Ids by item row.
    public let itemIDs: [String]
    /// Content by item row.
    public let itemContents: [ItemContent]
    /// Ids by user row.
    public let userIDs: [String]
    /// Attribute tokens such as `age=25` by user row.
    public let userAttributes: [[String]]
    /// The events of user u are `userStarts[u]..<userStarts[u + 1]`, oldest first.
    public let userStarts: Column<Int>
    /// Item row of each event.
    public let items: Column<Int32>
    /// Type of each event: 1 click, 2 add to cart, 3 purchase.
    public let types: Column<UInt8>
    /// Time of each event in milliseconds since 1970.
    public let times: Column<Int64>
    /// Weight of each event as an example, at least 0; 1 unless the source says otherwise.
    public let weights: Column<Float>
    /// The data clock: the newest event's time.
    public let clock: Int64

    /// Events by item row of all that is known, where this set holds only a part of it; nil where it holds all.
    public private(set) var knownEventsPerItem: [Int]?

    /// Number of events.
    public var eventCount: Int { items.count }
    /// Number of users with at least one event.
    public var userCount: Int { userIDs.count }
    /// Number of items with at least one event.
    public var itemCount: Int { itemIDs.count }

    /// Events per item row, of all that is known.
    public func eventsPerItem() -> [Int] {
        if let knownEventsPerItem { return knownEventsPerItem }
        var counts = [Int](repeating: 0, count: itemCount)
        items.withUnsafeBufferPointer { for row in $0 { counts[Int(row)] += 1 } }
        return counts
    }

    /// A training set over columns that are in order already, such as those of a mapped file.
    ///
    /// - Parameters:
    ///   - userStarts: one more than users, ascending from 0 to the number of events.
    ///   - items: rows of `itemIDs`; types: 1 click, 2 add to cart, 3 purchase; each user's times ascend.
    ///   - weights: at least 0; all 1 where they are left out.
    ///   - knownEventsPerItem: of all that is known, where the columns hold only a part.
    public init(
        itemIDs: [String], itemContents: [ItemContent], userIDs: [String], userAttributes: [[String]], userStarts: Column<Int>,
        items: Column<Int32>, types: Column<UInt8>, times: Column<Int64>, weights: Column<Float>? = nil,
        knownEventsPerItem: [Int]? = nil
    ) {
        precondition(
            knownEventsPerItem?.count ?? itemIDs.count == itemIDs.count,
            "\(knownEventsPerItem?.count ?? 0) counts for \(itemIDs.count) items")
        self.knownEventsPerItem = knownEventsPerItem
        precondition(itemIDs.count == itemContents.count, "\(itemIDs.count) items with \(itemContents.count) contents")
        precondition(
            userIDs.count == userAttributes.count && userStarts.count == userIDs.count + 1,
            "\(userIDs.count) users with \(userAttributes.count) lists of attributes and \(userStarts.count) starts")
        precondition(
            userStarts[0] == 0 && userStarts[userIDs.count] == items.count && types.count == items.count && times.count == items.count
                && weights?.count ?? items.count == items.count,
            "users with \(userStarts[userIDs.count]) events, \(items.count) items, \(types.count) types, \(times.count) times")
        self.itemIDs = itemIDs
        self.itemContents = itemContents
        self.userIDs = userIDs
        self.userAttributes = userAttributes
        self.userStarts = userStarts
        self.items = items
        self.types = types
        self.times = times
        self.weights = weights ?? Column(repeating: 1, count: items.count)
        // Each user's newest event is the last one.
        clock = userIDs.indices.lazy.filter { userStarts[$0] < userStarts[$0 + 1] }.map { times[userStarts[$0 + 1] - 1] }.max() ?? 0
    }

    /// Collects a training set. Best fed by (user, time, position); other orders are sorted, equal times keep the order of arrival.
    public struct Builder {
        private var itemRows: [String: Int32] = [:], userRows: [String: Int32] = [:]
        private var itemIDs: [String] = [], userIDs: [String] = []
        private var contents: [ItemContent] = [], attributes: [[String]] = []
        private var users: [Int32] = [], items: [Int32] = [], types: [UInt8] = [], times: [Int64] = [], weights: [Float] = []
        private var lastUser: (id: String, row: Int32)?

        /// An empty builder.
        public init() {}

        /// Events so far.
        public var eventCount: Int { items.count }

        /// Says what is known of an item; the last call for an id counts. Items without an event are left out at the end.
        public mutating func addItem(_ id: String, content: ItemContent) {
            contents[Int(itemRow(id))] = content
        }

        /// Says what is known of a user; the last call for an id counts.
        public mutating func addUser(_ id: String, attributes tokens: [String]) {
            attributes[Int(userRow(id))] = tokens
        }

        /// Adds an event. Impressions (type 0), weights of 0 or below and weights that are no number are left out.
        public mutating func append(user: String, item: String, type: UInt8 = 1, time: Int64, weight: Float = 1) {
            guard type != 0, weight > 0, weight.isFinite else { return }
            let row: Int32
            if let lastUser, lastUser.id == user {
                row = lastUser.row
            } else {
                row = userRow(user)
                lastUser = (user, row)
            }
            users.append(row)
            items.append(itemRow(item))
            types.append(min(type, UInt8(TowerShape.typeCount - 1)))
            times.append(time)
            weights.append(weight)
        }

        /// Sorts and packs what was added. Item and user rows are numbered by id, so the same events in another order
        /// of users give the same training set.
        public consuming func build() -> TrainingSet {
            let itemMap = Self.renumbered(itemIDs, used: items)
            let userMap = Self.renumbered(userIDs, used: users)
            var starts = [Int](repeating: 0, count: userMap.kept.count + 1)
            for user in users { starts[Int(userMap.rows[Int(user)]) + 1] += 1 }
            for index in 1..<max(1, starts.count) { starts[index] += starts[index - 1] }
            var order = [Int](repeating: 0, count: users.count), next = starts
            for (index, user) in users.enumerated() {
                let row = Int(userMap.rows[Int(user)])
                order[next[row]] = index
                next[row] += 1
            }
            for user in 0..<userMap.kept.count {
                let range = starts[user]..<starts[user + 1]
                let slice = order[range]
                if zip(slice, slice.dropFirst()).contains(where: { times[$0] > times[$1] }) {
                    order[range].sort { times[$0] != times[$1] ? times[$0] < times[$1] : $0 < $1 }
                }
            }
            return TrainingSet(
                itemIDs: itemMap.kept.map { itemIDs[$0] }, itemContents: itemMap.kept.map { contents[$0] },
                userIDs: userMap.kept.map { userIDs[$0] }, userAttributes: userMap.kept.map { attributes[$0] },
                userStarts: Column(starts), items: Column(order.map { itemMap.rows[Int(items[$0])] }),
                types: Column(order.map { types[$0] }), times: Column(order.map { times[$0] }),
                weights: Column(order.map { weights[$0] }))
        }

        /// The used ids in their own order, and old row → new row (−1 for unused ones).
        private static func renumbered(_ ids: [String], used: [Int32]) -> (kept: [Int], rows: [Int32]) {
            var isUsed = [Bool](repeating: false, count: ids.count)
            for row in used { isUsed[Int(row)] = true }
            var kept = ids.indices.filter { isUsed[$0] }
            kept.sort { ids[$0].utf8.lexicographicallyPrecedes(ids[$1].utf8) }
            var rows = [Int32](repeating: -1, count: ids.count)
            for (new, old) in kept.enumerated() { rows[old] = Int32(new) }
            return (kept, rows)
        }

        private mutating func itemRow(_ id: String) -> Int32 {
            if let row = itemRows[id] { return row }
            let row = Int32(itemIDs.count)
            itemRows[id] = row
            itemIDs.append(id)
            contents.append(ItemContent())
            return row
        }

        private mutating func userRow(_ id: String) -> Int32 {
            if let row = userRows[id] { return row }
            let row = Int32(userIDs.count)
            userRows[id] = row
            userIDs.append(id)
            attributes.append([])
            return row
        }
    }
}

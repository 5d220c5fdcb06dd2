import Interactions

/// The newest items that users rated too low to want them, collected while interactions are read.
///
/// Memory is bounded: at most two entries for each that is kept, and the ids of their users and items.
package struct DeclinedItems {
    private typealias Entry = (user: Int32, item: Int32, time: Int64)

    private let limitEntries: Int
    private var users = IDTable(), items = IDTable()
    private var entries: [Entry] = []

    /// Keeps the newest `limitEntries`.
    package init(limitEntries: Int) { self.limitEntries = limitEntries }

    /// Adds a low rating.
    package mutating func add(user: String, item: String, time: EventTime) {
        guard limitEntries > 0 else { return }
        entries.append((users.row(of: user), items.row(of: item), time.milliseconds))
        if entries.count >= 2 * limitEntries { cut() }
    }

    /// Adds the kept ones whose user and item the log knows.
    ///
    /// - Parameter row: of an item's id; nil where the log does not know it.
    package func append(to columns: inout ImpressionColumns, users known: IDTable, item row: (String) -> Int32?) {
        var kept = self
        kept.cut()
        for entry in kept.entries {
            guard let user = known.knownRow(of: users.id(Int(entry.user))), let item = row(items.id(Int(entry.item)))
            else { continue }
            columns.append(user: user, item: item, time: entry.time, outcomes: ImpressionColumns.declined, amount: 0)
        }
    }

    private mutating func cut() {
        guard entries.count > limitEntries else { return }
        let users = users, items = items
        // Of one instant those with the smaller ids, whatever the order in which they came.
        entries.sort {
            $0.time != $1.time
                ? $0.time > $1.time : (users.id(Int($0.user)), items.id(Int($0.item))) < (users.id(Int($1.user)), items.id(Int($1.item)))
        }
        entries.removeLast(entries.count - limitEntries)
    }
}

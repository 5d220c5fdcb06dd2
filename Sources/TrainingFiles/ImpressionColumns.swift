/// The newest impressions with what came of them, by user and time; bounded by `objectives.impressions_limit`.
package struct ImpressionColumns: Sendable {
    /// Rows of users and items of the log.
    package var users: [Int32] = []
    /// Rows of the items that were shown.
    package var items: [Int32] = []
    /// When it was shown, in milliseconds since 1970.
    package var times: [Int64] = []
    /// Bits: 1 click, 2 add_to_cart, 4 purchase; ``declined`` alone where the user rated the item low.
    package var outcomes: [UInt8] = []
    /// What was paid, in minor units.
    package var amounts: [Int64] = []

    /// Nothing was shown: the user said that they do not want the item.
    package static let declined: UInt8 = 0x80

    /// Columns with these values, all of one length.
    package init(
        users: [Int32] = [], items: [Int32] = [], times: [Int64] = [], outcomes: [UInt8] = [], amounts: [Int64] = []
    ) {
        self.users = users
        self.items = items
        self.times = times
        self.outcomes = outcomes
        self.amounts = amounts
    }

    /// Impressions.
    package var count: Int { users.count }

    /// Whether the user took what was shown.
    package func isTaken(_ place: Int) -> Bool { outcomes[place] & 7 != 0 }

    /// Appends an impression.
    package mutating func append(user: Int32, item: Int32, time: Int64, outcomes: UInt8, amount: Int64) {
        users.append(user)
        items.append(item)
        times.append(time)
        self.outcomes.append(outcomes)
        amounts.append(amount)
    }

    /// The same under new rows, ordered by user, time and item; those whose user or item has none are left out.
    package func renumbered(users newUsers: [Int32], items newItems: [Int32]) -> ImpressionColumns {
        let kept = (0..<count).filter { newUsers[Int(users[$0])] >= 0 && newItems[Int(items[$0])] >= 0 }.sorted {
            (newUsers[Int(users[$0])], times[$0], newItems[Int(items[$0])]) < (
                newUsers[Int(users[$1])], times[$1], newItems[Int(items[$1])]
            )
        }
        var result = ImpressionColumns()
        for place in kept {
            result.append(
                user: newUsers[Int(users[place])], item: newItems[Int(items[place])], time: times[place], outcomes: outcomes[place],
                amount: amounts[place])
        }
        return result
    }

    /// Whether the columns have one length and rows that exist.
    package func fit(users userCount: Int, items itemCount: Int) -> Bool {
        count == items.count && count == times.count && count == outcomes.count && count == amounts.count
            && users.allSatisfy { $0 >= 0 && Int($0) < userCount } && items.allSatisfy { $0 >= 0 && Int($0) < itemCount }
    }
}

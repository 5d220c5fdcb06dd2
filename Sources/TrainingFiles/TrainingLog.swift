import ContentModel
import TowerTraining

/// The interactions, items and users of one consistent moment, as the training file keeps them.
///
/// Rows are ordered by (user, time, position), users and items by id. Splits into what is learned and what is held out are made
/// from it, so that both come from the same moment. What grows with interactions stays in the file.
package struct TrainingLog {
    /// The users' ids, by row.
    package var userIDs: [String]
    /// The items' ids, by row.
    package var itemIDs: [String]
    /// What the items' records say, by row.
    package var contents: [ItemContent]
    /// Items that serving never shows.
    package var isHidden: [Bool]
    /// When each item came to the catalogue, in milliseconds since 1970; nil where that was with the first delivery. Empty: nobody knows.
    package var arrivals: [Int64?] = []
    /// What is known of the users, by row.
    package var attributes: [[String]]
    /// Where each user's rows begin; one more than users.
    package var userStarts: [Int]
    /// Rows of the items, user after user, each user's oldest first.
    package var items: Column<Int32>
    /// The types' raw values, in the same order.
    package var types: Column<UInt8>
    /// Milliseconds since 1970, in the same order.
    package var times: Column<Int64>
    /// Rows that a former training did not see, ascending; empty where none was named.
    package var newRows: [Int] = []
    /// What was paid, in minor units of the main currency; −1 where nothing is known.
    package var amounts: Column<Int64>
    /// What was shown last, and what came of it.
    package var impressions: ImpressionColumns

    /// Makes a log of columns that are in order.
    package init(
        userIDs: [String], itemIDs: [String], contents: [ItemContent], isHidden: [Bool], attributes: [[String]], userStarts: [Int],
        items: Column<Int32>, types: Column<UInt8>, times: Column<Int64>, newRows: [Int] = [], amounts: Column<Int64>,
        impressions: ImpressionColumns
    ) {
        self.userIDs = userIDs
        self.itemIDs = itemIDs
        self.contents = contents
        self.isHidden = isHidden
        self.attributes = attributes
        self.userStarts = userStarts
        self.items = items
        self.types = types
        self.times = times
        self.newRows = newRows
        self.amounts = amounts
        self.impressions = impressions
    }

    /// Interactions.
    package var count: Int { items.count }

    /// The rows of one user, oldest first.
    package func rows(of user: Int) -> Range<Int> { userStarts[user]..<userStarts[user + 1] }

    /// The newest interaction's time; 0 without any.
    package var newestTime: Int64 { userIDs.indices.lazy.filter { !rows(of: $0).isEmpty }.map { times[userStarts[$0 + 1] - 1] }.max() ?? 0 }

    /// The first of a user's rows that is later than a time; the end of them where none is.
    package func firstRow(of user: Int, after time: Int64) -> Int {
        var (low, high) = (userStarts[user], userStarts[user + 1])
        while low < high {
            let middle = (low + high) / 2
            if times[middle] > time { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The user of a row.
    package func user(of row: Int) -> Int {
        var (low, high) = (0, userIDs.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if userStarts[middle] <= row { low = middle } else { high = middle }
        }
        return low
    }

    /// Whether rows, columns and their order fit each other. Reads every interaction once.
    package var isConsistent: Bool {
        guard userStarts.count == userIDs.count + 1, userStarts.first == 0, userStarts.last == items.count,
            zip(userStarts, userStarts.dropFirst()).allSatisfy({ $0 <= $1 }), items.count == types.count, items.count == times.count,
            items.count == amounts.count, impressions.fit(users: userIDs.count, items: itemIDs.count)
        else { return false }
        guard arrivals.isEmpty || arrivals.count == itemIDs.count else { return false }
        guard newRows.allSatisfy(items.indices.contains), zip(newRows, newRows.dropFirst()).allSatisfy({ $0 < $1 }) else { return false }
        let itemCount = Int32(itemIDs.count)
        return items.withUnsafeBufferPointer { $0.allSatisfy { $0 >= 0 && $0 < itemCount } }
            && types.withUnsafeBufferPointer { $0.allSatisfy { (1...3).contains($0) } }
            && times.withUnsafeBufferPointer { times in
                userIDs.indices.allSatisfy { user in
                    rows(of: user).dropFirst().allSatisfy { times[$0 - 1] <= times[$0] }
                }
            }
    }

    /// The items that a user takes from a row on, each once, without those that what they did before keeps out of answers.
    ///
    /// - Parameters:
    ///   - limitEvents: how many interactions are looked at.
    ///   - keepsOut: whether what was done in a row before keeps its item out.
    package func answers(of user: Int, from row: Int, limitEvents: Int = .max, where keepsOut: (Int) -> Bool = { _ in false }) -> [Int32] {
        let own = rows(of: user)
        var taken = Set<Int32>()
        for earlier in own.lowerBound..<row where keepsOut(earlier) { taken.insert(items[earlier]) }
        var answers: [Int32] = []
        for later in (row..<own.upperBound).prefix(limitEvents) where taken.insert(items[later]).inserted { answers.append(items[later]) }
        return answers
    }

    /// A training set of each user's rows before `ends`, of all rows without it.
    ///
    /// Its columns are written to a file at `path` that is mapped and loses its name at once, so that a set without the held-out part
    /// takes no more memory than one with it.
    package func trainingSet(until ends: [Int]? = nil, columnsAt path: String) throws -> TrainingSet {
        func kept(_ user: Int) -> Range<Int> { userStarts[user]..<(ends?[user] ?? userStarts[user + 1]) }
        var isMet = [Bool](repeating: false, count: itemIDs.count)
        let users = userIDs.indices.filter { !kept($0).isEmpty }
        var starts = [0]
        items.withUnsafeBufferPointer { items in
            for user in users {
                for row in kept(user) { isMet[Int(items[row])] = true }
                starts.append(starts[starts.count - 1] + kept(user).count)
            }
        }
        let met = itemIDs.indices.filter { isMet[$0] }
        var newRows = [Int32](repeating: -1, count: itemIDs.count)
        for (new, old) in met.enumerated() { newRows[old] = Int32(new) }

        let file = try ColumnFile(creating: path)
        file.unlinkPath()
        var writer = EventColumnsWriter(file, at: 0, count: starts[starts.count - 1])
        for user in users {
            for row in kept(user) { try writer.append(item: newRows[Int(items[row])], type: types[row], time: times[row]) }
        }
        let sections = try writer.finish()
        let mapping = try file.map()
        return TrainingSet(
            itemIDs: met.map { itemIDs[$0] }, itemContents: met.map { contents[$0] }, userIDs: users.map { userIDs[$0] },
            userAttributes: users.map { attributes[$0] }, userStarts: Column(starts),
            items: Column(sections.items.column(of: mapping.bytes), keptBy: mapping),
            types: Column(sections.types.column(of: mapping.bytes), keptBy: mapping),
            times: Column(sections.times.column(of: mapping.bytes), keptBy: mapping))
    }
}

import Interactions
import ModelArtifacts
import TwoTower

/// The interactions, items and users of one consistent moment, as the training file keeps them.
///
/// Rows are ordered by (user, time, position). Splits into what is learned and what is held out are made from it, so that both
/// come from the same moment.
struct TrainingLog {
    /// One interaction.
    struct Row {
        var user: Int32
        var item: Int32
        var type: UInt8
        var time: Int64
    }

    var userIDs: [String]
    var itemIDs: [String]
    var contents: [ItemContent]
    /// Items that serving never shows.
    var isHidden: [Bool]
    var attributes: [[String]]
    /// Where each user's rows begin; one more than users.
    var userStarts: [Int]
    var items: [Int32]
    var types: [UInt8]
    var times: [Int64]

    var count: Int { items.count }

    /// The rows of one user, oldest first.
    func rows(of user: Int) -> Range<Int> { userStarts[user]..<userStarts[user + 1] }

    /// The newest interaction's time; 0 without any.
    var newestTime: Int64 { times.max() ?? 0 }

    /// A training set of the rows that `keeps` lets through.
    func trainingSet(keeping keeps: (Int) -> Bool = { _ in true }) -> TrainingSet {
        var builder = TrainingSet.Builder()
        for (id, content) in zip(itemIDs, contents) { builder.addItem(id, content: content) }
        for (user, id) in userIDs.enumerated() {
            builder.addUser(id, attributes: attributes[user])
            for row in rows(of: user) where keeps(row) {
                builder.append(user: id, item: itemIDs[Int(items[row])], type: types[row], time: times[row])
            }
        }
        return builder.build()
    }
}

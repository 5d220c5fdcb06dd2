import Features
import Interactions

/// One row of `user_features` on its way to the table.
struct UserFeatureRow {
    let userID: String
    private var history: UserHistory
    private var impressions: Int64
    private var clicks: Int64
    private var addToCarts: Int64
    private var purchases: Int64
    private var firstTime: EventTime
    private var lastTime: EventTime
    private var last: Position
    /// Where the row that was read stands, and which transaction wrote it; as the database sent them.
    private var place: [UInt8] = []
    private var version: UInt32 = 0

    /// The row of a user that has nothing stored.
    init(_ delta: UserDelta) {
        userID = delta.userID
        history = delta.history
        impressions = delta.impressions
        clicks = delta.clicks
        addToCarts = delta.addToCarts
        purchases = delta.purchases
        firstTime = delta.firstTime
        lastTime = delta.lastTime
        last = delta.last
    }

    /// Adds what the table holds.
    ///
    /// - Throws: `malformedAnswer` when the stored history cannot be read.
    mutating func merge(_ rows: QueryResult, _ row: Int, rules: FeatureRules, place: String) throws(StoreError) {
        guard let stored = UserHistory(decoding: rows.bytes(row, 1), limit: rules.historyLimitEvents) else {
            throw StoreError(
                .malformedAnswer,
                "\(place): user_features.history of user \(userID) is not a history of this version — delete that "
                    + "row and replay the user's events, or restore the database")
        }
        history.merge(stored)
        impressions += rows.int64(row, 2) ?? 0
        clicks += rows.int64(row, 3) ?? 0
        addToCarts += rows.int64(row, 4) ?? 0
        purchases += rows.int64(row, 5) ?? 0
        if let first = rows.time(row, 6) { firstTime = min(firstTime, first) }
        if let latest = rows.time(row, 7) { lastTime = max(lastTime, latest) }
        if let partition = rows.int32(row, 8), let offset = rows.int64(row, 9) {
            last = max(last, Position(partition: partition, offset: offset))
        }
        self.place = Array(rows.bytes(row, 10))
        version = UInt32(bitPattern: rows.int32(row, 11) ?? 0)
    }

    /// The rows as arrays, one a column; with the place and the version of the rows that were read, or without.
    static func parameters(_ rows: [UserFeatureRow], withVersions: Bool) -> Parameters {
        var parameters = Parameters()
        let count = rows.count
        parameters.add(count: count, text: { rows[$0].userID })
        parameters.add(count: count, bytes: { rows[$0].history.encoded() })
        parameters.add(count: count) { rows[$0].impressions }
        parameters.add(count: count) { rows[$0].clicks }
        parameters.add(count: count) { rows[$0].addToCarts }
        parameters.add(count: count) { rows[$0].purchases }
        parameters.add(count: count, time: { rows[$0].firstTime })
        parameters.add(count: count, time: { rows[$0].lastTime })
        parameters.add(count: count, int32: { rows[$0].last.partition })
        parameters.add(count: count) { rows[$0].last.offset }
        if withVersions {
            parameters.add(count: count, place: { rows[$0].place })
            parameters.add(count: count, transactionID: { rows[$0].version })
        }
        return parameters
    }
}

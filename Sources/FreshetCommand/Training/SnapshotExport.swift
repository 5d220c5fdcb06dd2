import FeatureStore
import Foundation
import Interactions

/// Reads one consistent moment of the store into a training file.
struct SnapshotExport {
    let url: String
    let configuration: Configuration

    /// What was written.
    struct Summary {
        var interactions: Int
        /// Items that people met and nobody described.
        var itemsWithoutRecord: [String]
    }

    /// Writes the file at `path`.
    func write(to path: String, until: EventTime?, progress: (Int) -> Void) throws -> Summary {
        let snapshot = try TrainingSnapshot(url: url)
        let ratingsFrom = configuration.number("train.positive_ratings_from")
        let maxPerUser = configuration.integer("train.max_interactions_per_user")
        var itemRows: [String: Int32] = [:]
        var items: [ItemRecord] = []
        var deleted = Set<String>()
        try snapshot.forEachItem { item in
            if item.isDeleted { deleted.insert(item.record.itemID) }
            // With --as-of, what was published later was not there yet.
            guard !item.isDeleted, until == nil || (item.record.publishedAt?.milliseconds ?? .min) <= until?.milliseconds ?? .max
            else { return }
            itemRows[item.record.itemID] = Int32(items.count)
            items.append(item.record)
        }
        var columns = Columns(maxPerUser: maxPerUser)
        let recorded = items.count
        try snapshot.forEachInteraction(until: until, withContext: ratingsFrom > 0) { row in
            if ratingsFrom > 0, let context = row.context, let rating = JSONText.number("rating", inObject: context),
                rating < ratingsFrom
            {
                return
            }
            guard !deleted.contains(row.itemID) else { return }
            let item: Int32
            if let known = itemRows[row.itemID] {
                item = known
            } else {
                // An item without a record can still be learned from; it has an id and no content.
                item = Int32(items.count)
                itemRows[row.itemID] = item
                items.append(ItemRecord(itemID: row.itemID))
            }
            columns.append(userID: row.userID, item: item, type: row.type.rawValue, time: row.time.milliseconds)
            if columns.count.isMultiple(of: 10_000) { progress(columns.count) }
        }
        columns.finish()
        var users = columns.userIDs.map { UserRecord(userID: $0) }
        let userRows = Dictionary(columns.userIDs.enumerated().map { ($1, $0) }) { first, _ in first }
        try snapshot.forEachUser { record in
            if let row = userRows[record.userID] { users[row] = record }
        }
        try TrainingFile.write(
            path: path, watermark: Self.json(snapshot.watermark, until: until), items: items, users: users, userStarts: columns.starts,
            itemRows: columns.items, types: columns.types, times: columns.times)
        return Summary(interactions: columns.count, itemsWithoutRecord: items[recorded...].map(\.itemID))
    }

    static func json(_ watermark: TrainingWatermark, until: EventTime?) -> String {
        var line = ResultLine(["snapshot": .text(watermark.snapshot)])
        if let newest = [watermark.newestEventTime, until].compactMap({ $0 }).min(), watermark.newestEventTime != nil {
            line.add("newest_event_time", .text(newest.rfc3339()))
            line.add("newest_event_ms", .integer(Int(newest.milliseconds)))
        }
        let offsets = watermark.offsets.compactMap { offset in
            offset.nextOffset.map { next in
                ResultLine(["topic": .text(offset.topic), "partition": .integer(Int(offset.partition)), "next_offset": .integer(Int(next))]).json
            }
        }
        line.add("offsets", .json("[" + offsets.joined(separator: ",") + "]"))
        return line.json
    }

    /// Rows as they come, user by user, each user's newest kept.
    private struct Columns {
        let maxPerUser: Int
        var userIDs: [String] = []
        var starts: [Int] = []
        var items: [Int32] = []
        var types: [UInt8] = []
        var times: [Int64] = []

        init(maxPerUser: Int) {
            self.maxPerUser = maxPerUser
        }

        var count: Int { items.count }

        mutating func append(userID: String, item: Int32, type: UInt8, time: Int64) {
            if userIDs.last != userID {
                trim()
                userIDs.append(userID)
                starts.append(items.count)
            }
            items.append(item)
            types.append(type)
            times.append(time)
        }

        mutating func finish() {
            trim()
            starts.append(items.count)
        }

        /// Drops what a user has beyond the bound, oldest first.
        private mutating func trim() {
            guard let start = starts.last, items.count - start > maxPerUser else { return }
            let drop = start..<(items.count - maxPerUser)
            items.removeSubrange(drop)
            types.removeSubrange(drop)
            times.removeSubrange(drop)
        }
    }
}

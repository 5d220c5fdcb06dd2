/// One interaction while it is sorted: 40 bytes.
package struct EventRecord: BitwiseCopyable {
    /// Milliseconds since 1970.
    package var time: Int64
    /// Where it stood in its source.
    package var offset: Int64
    /// Row of the user.
    package var user: Int32
    /// Row of the item.
    package var item: Int32
    /// The partition that the event came from.
    package var partition: Int32
    /// The type's raw value.
    package var type: Int32
    /// What was paid, in minor units; −1 where nothing is known.
    package var amount: Int64 = -1

    /// All of it.
    package init(time: Int64, offset: Int64, user: Int32, item: Int32, partition: Int32, type: Int32, amount: Int64 = -1) {
        self.time = time
        self.offset = offset
        self.user = user
        self.item = item
        self.partition = partition
        self.type = type
        self.amount = amount
    }

    /// The order of one user's interactions.
    package func precedes(_ other: EventRecord) -> Bool {
        if time != other.time { return time < other.time }
        if offset != other.offset { return offset < other.offset }
        if partition != other.partition { return partition < other.partition }
        return item != other.item ? item < other.item : type < other.type
    }
}

/// Groups interactions by user and sorts each user's, in files beside `path`: what is held in memory is bounded whatever their number.
///
/// They are dealt into groups of users first, then to users within a group, and only those that are not in order yet are sorted.
package final class EventSorter {
    /// Groups at most, each with a buffer while they are dealt.
    private static let groupsLimit = 256
    /// Interactions of a group where so many groups are not needed.
    private static let groupSize = 1 << 20
    private static let bufferRecords = 2_048
    private static let recordBytes = MemoryLayout<EventRecord>.stride

    private let path: String
    private let arrived: ColumnFile
    private var writer: SectionWriter<EventRecord>

    /// Number of interactions.
    package private(set) var count = 0

    /// Makes an empty one. Its files vanish with it.
    package init(path: String) throws {
        self.path = path
        arrived = try ColumnFile(creating: path + ".arrived")
        arrived.unlinkPath()
        writer = SectionWriter(arrived, at: 0)
    }

    /// Adds an interaction.
    package func append(_ record: EventRecord) throws {
        try writer.append(record)
        count += 1
    }

    /// Hands over each user's interactions, oldest first, users in the order of their new rows.
    ///
    /// - Parameters:
    ///   - starts: where each user's begin by the new rows; one more than users.
    ///   - users: old user row → new; items: old item row → new.
    package func forEachUser(
        starts: [Int], users: [Int32], items: [Int32], _ body: (Int, UnsafeBufferPointer<EventRecord>) throws -> Void
    ) throws {
        _ = try writer.finish()
        let size = max(Self.groupSize, (count + Self.groupsLimit - 1) / Self.groupsLimit)
        // The first user of each group, and one past the last user.
        var groups = [0], group = [Int32](repeating: 0, count: users.count)
        for user in 0..<users.count {
            if starts[user] - starts[groups[groups.count - 1]] >= size { groups.append(user) }
            group[user] = Int32(groups.count - 1)
        }
        groups.append(users.count)
        let dealt = try deal(groups.map { starts[$0] }, group: group, users: users, items: items)
        let mapping = try dealt.map()
        let records = mapping.bytes.bindMemory(to: EventRecord.self)
        let largest = zip(groups, groups.dropFirst()).map { starts[$1] - starts[$0] }.max() ?? 0
        let scratchFile = try ColumnFile(creating: path + ".scratch")
        scratchFile.unlinkPath()
        try scratchFile.reserve(bytes: largest * Self.recordBytes)
        let scratchMapping = try scratchFile.map(writable: true)
        let scratch = scratchMapping.mutableBytes.bindMemory(to: EventRecord.self)
        var next: [Int] = []
        for (first, end) in zip(groups, groups.dropFirst()) {
            let base = starts[first]
            next.removeAll(keepingCapacity: true)
            next.append(contentsOf: starts[first..<end].lazy.map { $0 - base })
            for record in records[base..<starts[end]] {
                let user = Int(record.user) - first
                scratch[next[user]] = record
                next[user] += 1
            }
            for user in first..<end {
                let own = UnsafeMutableBufferPointer(rebasing: scratch[(starts[user] - base)..<(starts[user + 1] - base)])
                Self.sort(own)
                try body(user, UnsafeBufferPointer(own))
            }
        }
        withExtendedLifetime((mapping, scratchMapping)) {}
    }

    /// Writes the interactions group by group, with their new rows.
    private func deal(_ starts: [Int], group: [Int32], users: [Int32], items: [Int32]) throws -> ColumnFile {
        let file = try ColumnFile(creating: path + ".dealt")
        file.unlinkPath()
        let mapping = try arrived.map()
        var next = starts
        var buffers = [[EventRecord]](repeating: [], count: starts.count - 1)
        for index in buffers.indices { buffers[index].reserveCapacity(Self.bufferRecords) }
        func write(_ index: Int) throws {
            try buffers[index].withUnsafeBytes { try file.write($0, at: next[index] * Self.recordBytes) }
            next[index] += buffers[index].count
            buffers[index].removeAll(keepingCapacity: true)
        }
        for var record in mapping.bytes.bindMemory(to: EventRecord.self) {
            record.user = users[Int(record.user)]
            record.item = items[Int(record.item)]
            let index = Int(group[Int(record.user)])
            buffers[index].append(record)
            if buffers[index].count == Self.bufferRecords { try write(index) }
        }
        for index in buffers.indices { try write(index) }
        withExtendedLifetime(mapping) {}
        return file
    }

    /// Sorts in place: mostly they are in order already, and the standard sort takes memory for half of them.
    private static func sort(_ records: UnsafeMutableBufferPointer<EventRecord>) {
        guard records.indices.dropFirst().contains(where: { records[$0].precedes(records[$0 - 1]) }) else { return }
        func sink(_ start: Int, _ end: Int) {
            var parent = start
            while true {
                var child = 2 * parent + 1
                guard child < end else { return }
                if child + 1 < end, records[child].precedes(records[child + 1]) { child += 1 }
                guard records[parent].precedes(records[child]) else { return }
                records.swapAt(parent, child)
                parent = child
            }
        }
        for start in stride(from: records.count / 2 - 1, through: 0, by: -1) { sink(start, records.count) }
        for end in stride(from: records.count - 1, to: 0, by: -1) {
            records.swapAt(0, end)
            sink(0, end)
        }
    }
}

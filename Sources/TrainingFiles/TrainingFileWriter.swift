import Foundation
import Interactions

/// Writes a training file, user by user; it appears under its name whole or not at all.
package struct TrainingFileWriter {
    private let path: String
    private let file: ColumnFile
    private let starts: FileSection
    private var events: EventColumnsWriter
    private var amounts: SectionWriter<Int64>

    /// Begins a file.
    ///
    /// - Parameter userStarts: where each user's interactions will begin; one more than users.
    package init(path: String, userStarts: [Int]) throws {
        self.path = path
        try ColumnFile.makeFolder(of: path)
        file = try ColumnFile(creating: Self.partialPath(of: path))
        var writer = SectionWriter<Int64>(file, at: TrainingFile.Header.bytes)
        try writer.append(contentsOf: userStarts.lazy.map { Int64($0) })
        starts = try writer.finish()
        let count = userStarts.last ?? 0
        events = EventColumnsWriter(file, at: starts.next, count: count)
        amounts = SectionWriter(file, at: EventColumnsWriter.end(at: starts.next, count: count))
    }

    /// Removes what a failed writing left.
    package static func removePartial(of path: String) { unlink(partialPath(of: path)) }

    private static func partialPath(of path: String) -> String { path + ".partial" }

    /// Adds the next interaction of the user whose turn it is.
    ///
    /// - Parameter amount: what was paid, in minor units; −1 where nothing is known.
    package mutating func append(item: Int32, type: UInt8, time: Int64, amount: Int64) throws {
        try events.append(item: item, type: type, time: time)
        try amounts.append(amount)
    }

    /// Writes the records of the rows and what was read at which moment; `newRows` are those that a former training did not see, and
    /// `arrivals` when each item came, as ``Arrivals`` has it.
    package mutating func finish(
        items: [ItemRecord], arrivals: [Int64] = [], users: [UserRecord], watermark: String, newRows: [Int] = [],
        impressions: ImpressionColumns = ImpressionColumns()
    ) throws {
        var header = TrainingFile.Header()
        let columns = try events.finish()
        header[.starts] = starts
        header[.items] = columns.items
        header[.types] = columns.types
        header[.times] = columns.times
        header[.amounts] = try amounts.finish()
        header[.itemRecords] = try text(items.lazy.map { $0.json() }, at: header[.amounts].next)
        header[.userRecords] = try text(users.lazy.map { $0.json() }, at: header[.itemRecords].next)
        header[.newRows] = try column(newRows.map { Int64($0) }, at: header[.userRecords].next)
        header[.shownUsers] = try column(impressions.users, at: header[.newRows].next)
        header[.shownItems] = try column(impressions.items, at: header[.shownUsers].next)
        header[.shownTimes] = try column(impressions.times, at: header[.shownItems].next)
        header[.outcomes] = try column(impressions.outcomes, at: header[.shownTimes].next)
        header[.shownAmounts] = try column(impressions.amounts, at: header[.outcomes].next)
        // Never empty, so that the file ends where its header says.
        header[.arrivals] = try column(arrivals, at: header[.shownAmounts].next)
        header[.watermark] = try text(CollectionOfOne(watermark), at: header[.arrivals].next)
        try header.encoded.withUnsafeBytes { try file.write($0, at: 0) }
        guard rename(file.path, path) == 0 else { throw ColumnFile.failure("write", path) }
    }

    private func column<Value: BitwiseCopyable>(_ values: [Value], at offset: Int) throws -> FileSection {
        var writer = SectionWriter<Value>(file, at: offset)
        try writer.append(contentsOf: values)
        return try writer.finish()
    }

    private func text(_ lines: some Sequence<String>, at offset: Int) throws -> FileSection {
        var writer = SectionWriter<UInt8>(file, at: offset)
        for line in lines {
            try writer.append(contentsOf: line.utf8)
            try writer.append(UInt8(ascii: "\n"))
        }
        return try writer.finish()
    }
}

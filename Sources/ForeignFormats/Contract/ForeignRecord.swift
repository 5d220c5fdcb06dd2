import Interactions

/// What became of one row of another system's file.
public struct ForeignRecord: Sendable {
    /// What a row is here.
    public enum Outcome: Sendable {
        /// A record of ours as JSON in UTF-8, still to be decoded and checked like any other.
        case record([UInt8])
        /// No record can be made of it: why.
        case refused(Rejection)
    }

    /// The row's first line in the file, counted from 0; of a feed in XML the number of the item, since several may stand on one line.
    public var line: Int64
    /// Lines that it takes.
    public var lines: Int64
    /// What it is here.
    public var outcome: Outcome
    /// The row's text in UTF-8 as it stands in the file; of one that is too long the beginning.
    public var text: [UInt8]
    /// The length of its text in bytes of UTF-8.
    public var textBytes: Int
    /// The id of the user whom the row names, where that can be read.
    public var userID: String?

    init(_ row: RawRow, _ outcome: Outcome, userID: String?) {
        self.userID = userID
        line = row.line
        lines = row.lines
        text = row.bytes
        textBytes = row.byteCount
        self.outcome = outcome
    }
}

/// What was understood of a file, for people and programs.
public struct ForeignLayout: Sendable, Equatable {
    /// A column, or an element of a feed, with the field that it becomes.
    public struct Column: Sendable, Equatable {
        /// Its name in the file; empty for a constant.
        public var name: String
        /// The field that it becomes; nil where it is not used.
        public var field: String?
        /// The text of a constant.
        public var constant: String?
    }

    /// What the rows become.
    public var kind: RecordKind
    /// The separator of cells; nil where there are no cells.
    public var separator: UInt8?
    /// The columns in their order, constants last.
    public var columns: [Column]
}

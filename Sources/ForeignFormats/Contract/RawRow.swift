import Interactions

/// A row as it stands in a table.
struct RawRow: Sendable {
    /// Its first line, counted from 0.
    var line: Int64
    /// Lines that it takes.
    var lines: Int64
    /// Its text without the line break; of one that is too long the first bytes.
    var bytes: [UInt8]
    /// The length of its text in bytes of UTF-8.
    var byteCount: Int
    /// Its cells; none where ``problem`` is set, and nil for one that is no UTF-8.
    var cells: [String?] = []
    /// How many cells it has, also where not all of them were kept.
    var cellCount: Int
    /// Why no cells can be read.
    var problem: Rejection?

    /// Whether it begins in what the quote of a row before it had taken in before that was given up.
    var isWithinGivenUp = false

    /// Whether there is nothing in it.
    var isBlank: Bool { problem == nil && cells.allSatisfy { $0?.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 } ?? false } }
}

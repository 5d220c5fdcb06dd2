import EventStream
import ForeignFormats
import Interactions

/// What records are read from, one after the other.
protocol RecordSource {
    /// Whether it is a file that can be read again.
    var isRegularFile: Bool { get }
    /// How much of the file, as it is stored, has been read.
    var readFileBytes: Int64 { get }
    /// The next record; nil at the end.
    ///
    /// - Throws: `StreamError` after all whole records before a damage.
    func nextRecord() throws(StreamError) -> SourceRecord?
}

/// A record with its place in its source.
struct SourceRecord {
    enum Content {
        /// A record, valid until the next one is read, with its true length in bytes: of one that is too long the beginning is there.
        case record(UnsafeRawBufferPointer, byteCount: Int)
        /// A row of another system's file of which no record can be made.
        case refused(Rejection, ForeignRecord)
    }

    /// Its line, counted from 0.
    let number: Int64
    /// Lines that it takes.
    let lines: Int64
    let content: Content
    /// Whether there is nothing in it but white space.
    let isBlank: Bool
}

extension LineReader: RecordSource {
    func nextRecord() throws(StreamError) -> SourceRecord? {
        guard let line = try next() else { return nil }
        return SourceRecord(
            number: line.number, lines: 1, content: .record(line.bytes, byteCount: Int(line.byteCount)), isBlank: line.isBlank)
    }
}

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Reads the lines of a file, of a gzip-compressed file, of a pipe or of standard input, holding one line at a time.
///
/// A pipe is waited for: a FIFO also until somebody opens it for writing. A file of another kind, such as UTF-16 or Parquet, is
/// refused with what it looks like.
///
/// Lines end with `\n` or `\r\n`; the last one may end with the file. A byte order mark at the start is left out. Compression
/// is recognised by content; several gzip members one after the other are read as one. One thread at a time.
public final class LineReader {
    /// One line, without its ending.
    public struct Line {
        /// Counted from 0.
        public let number: Int64
        /// The line, valid until the next call of ``LineReader/next()``. Of an over-long line its first `maxLineBytes` bytes.
        public let bytes: UnsafeRawBufferPointer
        /// The line's true length.
        public let byteCount: Int64
        /// Whether the line is longer than the bound: a record to refuse, not an error.
        public var isOverlong: Bool { byteCount > Int64(bytes.count) }
        /// Whether there is nothing in it but white space.
        public var isBlank: Bool { bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } }
    }

    private let source: ByteSource
    private let maxLineBytes: Int
    private let storage: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var lines: Int64 = 0
    private var isAtEnd = false
    private var isAtStart = true

    private static let readBytes = 256 * 1_024

    /// Opens `path`, or standard input for `-`.
    ///
    /// - Parameters:
    ///   - maxLineBytes: longer lines are cut and marked; see ``Line/isOverlong``.
    ///   - isStopping: asked before each reading, and many times a second while a pipe is waited for. Once it says yes, ``next()``
    ///     returns the whole lines that were read, and then nil.
    /// - Throws: ``StreamError`` with code `fileUnreadable`.
    public init(path: String, maxLineBytes: Int = 1 << 20, isStopping: (() -> Bool)? = nil) throws(StreamError) {
        precondition(maxLineBytes > 0, "LineReader: maxLineBytes \(maxLineBytes): at least 1")
        self.maxLineBytes = maxLineBytes
        source = try ByteSource(path: path, isStopping: isStopping)
        // A line of the greatest length, its ending, and room for one read beside it.
        storage = .allocate(byteCount: maxLineBytes + 2 + Self.readBytes, alignment: 16)
    }

    deinit { storage.deallocate() }

    /// The path as it was given; `-` is standard input.
    public var path: String { source.path }

    /// Whether it is a file that can be read again; a pipe, a device and most standard inputs are not.
    public var isRegularFile: Bool { source.isRegularFile }

    /// The size of the file as it is stored, where it has one: with ``readFileBytes`` the progress.
    public var totalFileBytes: Int64? { source.totalFileBytes }

    /// How much of the file, as it is stored, has been read.
    public var readFileBytes: Int64 { source.readFileBytes }

    /// The next line, or nil at the end.
    ///
    /// - Throws: ``StreamError`` with code `fileTruncated`, `fileCorrupt`, `fileForeign` or `fileUnreadable`, after all whole lines
    ///   before the damage. The message names the line.
    public func next() throws(StreamError) -> Line? {
        var searched = 0
        while true {
            if let newline = find(from: start + searched) {
                let line = take(from: start, to: newline)
                start = newline + 1
                return line
            }
            searched = end - start
            // One byte more than the bound may be the carriage return of the ending.
            if searched > maxLineBytes + 1 { return try takeOverlong() }
            if isAtEnd {
                // Half a line that a stop cut off is no line.
                guard searched > 0, !source.wasStopped else { return nil }
                let line = take(from: start, to: end)
                start = end
                return line
            }
            try fill()
        }
    }

    /// Calls `body` with every line that is left.
    ///
    /// - Throws: what ``next()`` throws.
    public func forEach(_ body: (Line) -> Void) throws(StreamError) {
        while let line = try next() { body(line) }
    }

    private func find(from: Int) -> Int? {
        guard from < end, let base = storage.baseAddress, let hit = memchr(base + from, 0x0a, end - from) else { return nil }
        return hit - base
    }

    /// The line between two places of the buffer, without its carriage return.
    private func take(from: Int, to: Int) -> Line {
        let length = to > from && storage[to - 1] == 0x0d ? to - from - 1 : to - from
        defer { lines += 1 }
        return Line(
            number: lines, bytes: UnsafeRawBufferPointer(rebasing: storage[from..<from + min(length, maxLineBytes)]),
            byteCount: Int64(length))
    }

    /// Keeps the first bytes of a line, which has no newline in the buffer yet, and reads over the rest.
    private func takeOverlong() throws(StreamError) -> Line? {
        compact()
        var length = Int64(end)
        var last = storage[end - 1]
        start = 0
        while true {
            // Each read overwrites the one before; the kept bytes stay in front of it.
            end = maxLineBytes
            if isAtEnd {
                start = end
                if source.wasStopped { return nil }
                break
            }
            try fill()
            let newline = find(from: maxLineBytes)
            let stop = newline ?? end
            length += Int64(stop - maxLineBytes)
            if stop > maxLineBytes { last = storage[stop - 1] }
            if let newline {
                start = newline + 1
                break
            }
        }
        if last == 0x0d { length -= 1 }
        defer { lines += 1 }
        return Line(
            number: lines, bytes: UnsafeRawBufferPointer(rebasing: storage[0..<maxLineBytes]), byteCount: length)
    }

    private func compact() {
        guard start > 0, let base = storage.baseAddress else { return }
        memmove(base, base + start, end - start)
        end -= start
        start = 0
    }

    /// Reads once. What is between `start` and `end` stays.
    private func fill() throws(StreamError) {
        if storage.count - end < Self.readBytes { compact() }
        repeat {
            let room = UnsafeMutableRawBufferPointer(rebasing: storage[end..<min(storage.count, end + Self.readBytes)])
            let count: Int
            do throws(StreamError) {
                count = try source.read(into: room)
            } catch {
                throw StreamError(error.code, isRetriable: error.isRetriable, "\(error.message) \(lines) lines were read before.")
            }
            end += count
            isAtEnd = count == 0
        } while isAtStart && !isAtEnd && isStartOfMark
        guard isAtStart else { return }
        isAtStart = false
        let head = UnsafeRawBufferPointer(rebasing: storage[0..<end])
        if head.starts(with: Self.mark) { start = Self.mark.count }
        guard let kind = FileSignature.of(head) else { return }
        throw StreamError(.fileForeign, "\(source.path): looks like \(kind.name). \(kind.advice)")
    }

    private static let mark: [UInt8] = [0xef, 0xbb, 0xbf]

    /// Whether what is there may be the beginning of a byte order mark.
    private var isStartOfMark: Bool { end < Self.mark.count && Self.mark.starts(with: storage[0..<end]) }
}

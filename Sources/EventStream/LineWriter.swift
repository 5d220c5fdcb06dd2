import Files

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Writes lines where a user wants them: into a file that appears whole or not at all, or through a pipe, a device or standard
/// output as they come. One thread at a time.
///
/// A regular file is written beside its place and moved there by ``close()``; a run that fails leaves the earlier file as it was. A
/// link stays a link: what it leads to is written. Whoever stops reading a pipe ends the writing with an error, not with a signal.
public final class LineWriter {
    /// Bytes that wait in memory.
    private static let bufferBytes = 1 << 20

    /// The path as it was given; `-` is standard output.
    public let path: String
    private let descriptor: Int32
    /// Where the file is written, and where it belongs.
    private let move: (from: String, to: String)?
    private var buffer: [UInt8] = []
    private var lines = 0
    private var isClosed = false

    /// Opens `path`, or standard output for nil and `-`. The opening of a FIFO waits for its reader.
    ///
    /// - Throws: ``StreamError`` with code `fileUnwritable`.
    public init(path given: String?) throws(StreamError) {
        path = given ?? "-"
        switch try OutputPlace.of(path) {
        case .descriptor(let number):
            descriptor = fcntl(number, F_DUPFD_CLOEXEC, 0)
            move = nil
        case .through(let name):
            descriptor = open(name, O_WRONLY | O_CLOEXEC | O_NOCTTY)
            move = nil
        case .whole(let target, let mode):
            let partial = target + ".partial"
            descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o666)
            move = (partial, target)
            if let mode, descriptor >= 0 { fchmod(descriptor, mode) }
        }
        guard descriptor >= 0 else {
            isClosed = true
            throw Self.failure(path, errno)
        }
        // A reader that goes away is an error with a sentence, not the end without a word.
        if move == nil { signal(SIGPIPE, SIG_IGN) }
    }

    deinit {
        guard !isClosed else { return }
        _ = closeDescriptor(descriptor)
        if let move { unlink(move.from) }
    }

    /// Writes one line and its ending.
    ///
    /// - Throws: ``StreamError`` with code `fileUnwritable`.
    public func write(_ line: String) throws(StreamError) {
        buffer.append(contentsOf: line.utf8)
        buffer.append(0x0A)
        lines += 1
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    /// Writes what waits and puts the file in its place.
    ///
    /// - Throws: ``StreamError`` with code `fileUnwritable`; then an earlier file is as it was.
    public func close() throws(StreamError) {
        try flush()
        isClosed = true
        let closed = closeDescriptor(descriptor)
        guard let move else { return }
        guard closed == 0, rename(move.from, move.to) == 0 else {
            let code = errno
            unlink(move.from)
            throw Self.failure(path, code)
        }
    }

    /// Writes a whole text: a page, a recipe.
    ///
    /// - Throws: ``StreamError`` with code `fileUnwritable`.
    public static func write(_ text: String, to path: String) throws(StreamError) {
        let writer = try LineWriter(path: path)
        writer.buffer = Array(text.utf8)
        try writer.close()
    }

    private func flush() throws(StreamError) {
        let code = buffer.withUnsafeBytes { OpenFile.writeAll($0, to: descriptor) }
        buffer.removeAll(keepingCapacity: true)
        guard code != 0 else { return }
        throw Self.failure(path, code)
    }

    static func failure(_ path: String, _ code: Int32) -> StreamError {
        let name = path == "-" ? "standard output" : path
        let advice: String
        switch code {
        case EPIPE: return StreamError(.fileUnwritable, "cannot write \(name) to its end: whoever read it has closed it.")
        case ENOSPC, EDQUOT: advice = "free some space and run again; an earlier file is as it was"
        case ENOENT: advice = "its folder does not exist"
        case EACCES, EPERM, EROFS: advice = "its folder may not be written to"
        case EBUSY: advice = "it is mounted by itself, so that it cannot be replaced; write to - and redirect"
        default: advice = "name another place, or - for standard output"
        }
        return StreamError(.fileUnwritable, "cannot write \(name): \(String(cString: strerror(code))); \(advice).")
    }
}

/// Under a name of its own, since the method hides the function.
private func closeDescriptor(_ descriptor: Int32) -> Int32 { close(descriptor) }

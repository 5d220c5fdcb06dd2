#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A file that was read into memory once: what is checked is what is used, whatever happens to the file meanwhile, and one that is cut
/// while it is read is found to be short. A mapped file would change under its reader, or end it with a signal.
public final class LoadedFile {
    /// Where it lay.
    public let path: String
    private let bytes: UnsafeMutableRawBufferPointer

    /// What was read.
    public var byteCount: Int { bytes.count }

    /// Why a file was not read. What it means, and what to do about it, is for whoever asked for the file to say.
    public struct Failure: Error, Equatable {
        /// What did not work.
        public enum Step: Sendable, Equatable {
            /// There is nothing that may be opened.
            case opening
            /// The system does not tell its size.
            case measuring
            /// It is a folder, a pipe or a device; ``Failure/code`` is 0.
            case kind
            /// The disk does not give it.
            case reading
        }

        /// What did not work.
        public let step: Step
        /// The system's number of the error.
        public let code: Int32

        /// What the system says of it.
        public var reason: String { String(cString: strerror(code)) }
    }

    /// Reads a regular file to the end that it has when it is opened.
    ///
    /// - Throws: ``Failure`` with the step that did not work.
    public init(_ path: String) throws(Failure) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(step: .opening, code: errno) }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw Failure(step: .measuring, code: errno) }
        guard information.st_mode & S_IFMT == S_IFREG else { throw Failure(step: .kind, code: 0) }
        let size = Int(information.st_size)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: max(size, 1), alignment: 16)
        var filled = 0
        while filled < size {
            let count = readSome(descriptor, room.baseAddress.map { $0 + filled }, size - filled)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                let code = errno
                room.deallocate()
                throw Failure(step: .reading, code: code)
            }
            if count == 0 { break }
            filled += count
        }
        bytes = UnsafeMutableRawBufferPointer(start: room.baseAddress, count: filled)
    }

    deinit { bytes.deallocate() }

    /// Lends the bytes, the first at an address that 16 divides. They are there for as long as `body` runs, even where nothing else keeps
    /// the file.
    public func read<Result, Thrown: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Thrown) -> Result
    ) throws(Thrown) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawBufferPointer(bytes))
    }
}

/// Under a name of its own, since a method hides the function.
private func readSome(_ descriptor: Int32, _ room: UnsafeMutableRawPointer?, _ count: Int) -> Int { read(descriptor, room, count) }

import Bytes

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The bytes of a file, a pipe, a device or standard input, decompressed where they are gzip. It returns what has arrived, so that
/// lines of a pipe come through one by one. (zlib's own file functions wait for a full buffer.)
final class ByteSource {
    let path: String
    /// Whether it is a file whose bytes stay where they are, so that it can be read again.
    let isRegularFile: Bool
    /// Whether the reading ended because a stop was asked for.
    private(set) var wasStopped = false
    /// The size of the file as it is stored, where it has one.
    let totalFileBytes: Int64?
    /// Bytes taken from the file, as it is stored.
    private(set) var readFileBytes: Int64 = 0

    private let isStopping: (() -> Bool)?
    private let descriptor: Int32
    private let input: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var format: Format = .unknown

    private enum Format {
        case unknown, plain
        case gzip(GzipReader, betweenMembers: Bool)
    }

    private static let inputBytes = 128 * 1_024
    /// How long a wait for a pipe goes on before it looks whether a stop was asked for.
    private static let stopPollMilliseconds: Int32 = 50

    /// Opens `path`, or standard input for `-`. Where `isStopping` is given, it is asked before each reading and while a pipe is
    /// waited for; then the bytes end there.
    init(path: String, isStopping: (() -> Bool)? = nil) throws(StreamError) {
        self.path = path
        self.isStopping = isStopping
        let opened = Self.opened(path)
        guard opened >= 0 else {
            throw StreamError(.fileUnreadable, "\(path): \(Self.reason()). Check the path and its rights.")
        }
        var status = stat()
        let known = fstat(opened, &status) == 0
        guard !known || status.st_mode & S_IFMT != S_IFDIR else {
            _ = Self.closeDescriptor(opened)
            throw StreamError(.fileUnreadable, "\(path): is a directory. Name the files in it.")
        }
        isRegularFile = known && status.st_mode & S_IFMT == S_IFREG
        totalFileBytes = isRegularFile ? Int64(status.st_size) : nil
        descriptor = opened
        input = .allocate(byteCount: Self.inputBytes, alignment: 16)
    }

    private static func opened(_ path: String) -> Int32 {
        guard path != "-" else { return fcntl(0, F_DUPFD_CLOEXEC, 0) }
        // Without O_NONBLOCK the opening of a FIFO waits for its writer, and no signal would end that; `waitForBytes` waits instead.
        let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        // What a shell hands over may be a socket, or belong to somebody else: then it cannot be opened again, only used.
        if opened < 0, let number = DescriptorPath.number(of: path) { return fcntl(number, F_DUPFD_CLOEXEC, 0) }
        return opened
    }

    deinit {
        _ = Self.closeDescriptor(descriptor)
        input.deallocate()
    }

    /// Reads at least one byte into `target`; returns how many, or 0 at the end.
    ///
    /// - Throws: ``StreamError`` with code `fileTruncated`, `fileCorrupt` or `fileUnreadable`, after all bytes before the damage.
    func read(into target: UnsafeMutableRawBufferPointer) throws(StreamError) -> Int {
        if case .unknown = format { try recognise() }
        if case .gzip = format { return try inflateSome(into: target) }
        if start == end, try fillInput() == 0 { return 0 }
        let count = min(target.count, end - start)
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[start..<start + count]))
        start += count
        return count
    }

    /// Decides by the first two bytes.
    private func recognise() throws(StreamError) {
        while end < 2, try fillInput() > 0 {}
        let isGzip = end >= 2 && GzipReader.magic == [input[0], input[1]]
        if !isGzip && path.hasSuffix(".gz") && end > 0 {
            throw StreamError(.fileCorrupt, "\(path): is not gzip, although its name ends with .gz. Rename it or compress it.")
        }
        guard isGzip else {
            format = .plain
            return
        }
        guard let reader = GzipReader() else { throw StreamError(.fileUnreadable, "\(path): no memory to decompress it.") }
        format = .gzip(reader, betweenMembers: false)
    }

    private func inflateSome(into target: UnsafeMutableRawBufferPointer) throws(StreamError) -> Int {
        while case .gzip(let reader, let isBetweenMembers) = format {
            if start == end, try fillInput() == 0 {
                if isBetweenMembers || wasStopped { return 0 }
                throw StreamError(.fileTruncated, "\(path): the compressed data ends in the middle. Copy the file again.")
            }
            if isBetweenMembers {
                // Anything but another member is padding, as gzip itself takes it.
                guard input[start] == GzipReader.magic[0] else {
                    start = end
                    continue
                }
                reader.beginMember()
                format = .gzip(reader, betweenMembers: false)
            }
            let step = reader.step(UnsafeRawBufferPointer(rebasing: input[start..<end]), into: target)
            start += step.taken
            switch step.outcome {
            case .memberEnded: format = .gzip(reader, betweenMembers: true)
            case .goesOn: break
            // The bytes before the damage first: the next call meets the same error.
            case .damaged where step.written > 0: break
            case .damaged(let text):
                throw StreamError(.fileCorrupt, "\(path): the compressed data is damaged (\(text)). Copy the file again.")
            }
            if step.written > 0 { return step.written }
        }
        return 0
    }

    /// Appends what has arrived to the input; returns how much, or 0 at the end of the file and after a stop.
    private func fillInput() throws(StreamError) -> Int {
        if start == end {
            start = 0
            end = 0
        }
        while true {
            guard try waitForBytes() else { return 0 }
            let count = Self.readDescriptor(descriptor, input.baseAddress! + end, input.count - end)
            if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
            guard count >= 0 else { throw StreamError(.fileUnreadable, "\(path): \(Self.reason()).") }
            end += count
            readFileBytes += Int64(count)
            return count
        }
    }

    /// Waits until a reading would not; false where a stop was asked for before or meanwhile.
    private func waitForBytes() throws(StreamError) -> Bool {
        while true {
            if let isStopping, isStopping() {
                wasStopped = true
                return false
            }
            if isRegularFile { return true }
            var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&state, 1, isStopping == nil ? -1 : Self.stopPollMilliseconds)
            if ready > 0 { return true }
            guard ready == 0 || errno == EINTR || errno == EAGAIN else {
                throw StreamError(.fileUnreadable, "\(path): \(Self.reason()).")
            }
        }
    }

    private static func reason() -> String { String(cString: strerror(errno)) }

    // Under names of their own, since methods hide the functions.
    #if canImport(Glibc)
    private static func readDescriptor(_ d: Int32, _ p: UnsafeMutableRawPointer, _ n: Int) -> Int { Glibc.read(d, p, n) }
    private static func closeDescriptor(_ d: Int32) -> Int32 { Glibc.close(d) }
    #else
    private static func readDescriptor(_ d: Int32, _ p: UnsafeMutableRawPointer, _ n: Int) -> Int { Darwin.read(d, p, n) }
    private static func closeDescriptor(_ d: Int32) -> Int32 { Darwin.close(d) }
    #endif
}

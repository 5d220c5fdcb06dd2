/// The bytes of a file of any encoding, of a gzip-compressed file, of a pipe or of standard input, piece by piece.
///
/// For formats that are not lines of JSON; those are ``LineReader``'s. Compression is recognised by content, archives and other
/// compressions are refused with what they look like. One thread at a time.
public final class FileChunks {
    private let source: ByteSource
    private let storage: UnsafeMutableRawBufferPointer
    private var isAtStart = true

    /// The longest piece in bytes.
    public static let chunkBytes = 256 * 1_024

    /// Opens `path`, or standard input for `-`.
    ///
    /// - Parameter isStopping: asked before each reading, and many times a second while a pipe is waited for. Once it says yes, nothing
    ///   more comes, and ``wasStopped`` says so.
    /// - Throws: ``StreamError`` with code `fileUnreadable`.
    public init(path: String, isStopping: (() -> Bool)? = nil) throws(StreamError) {
        source = try ByteSource(path: path, isStopping: isStopping)
        storage = .allocate(byteCount: Self.chunkBytes, alignment: 16)
    }

    deinit { storage.deallocate() }

    /// The path as it was given; `-` is standard input.
    public var path: String { source.path }

    /// Whether it is a file that can be read again; a pipe, a device and most standard inputs are not.
    public var isRegularFile: Bool { source.isRegularFile }

    /// How much of the file, as it is stored, has been read.
    public var readFileBytes: Int64 { source.readFileBytes }

    /// Whether the reading ended because a stop was asked for.
    public var wasStopped: Bool { source.wasStopped }

    /// The next piece, valid until the next call; nil at the end.
    ///
    /// - Throws: ``StreamError`` with code `fileTruncated`, `fileCorrupt`, `fileForeign` or `fileUnreadable`, after all bytes before the
    ///   damage.
    public func next() throws(StreamError) -> UnsafeRawBufferPointer? {
        let count = try source.read(into: storage)
        guard count > 0 else { return nil }
        let piece = UnsafeRawBufferPointer(rebasing: storage[..<count])
        guard isAtStart else { return piece }
        isAtStart = false
        if let kind = FileSignature.of(piece), !kind.isText {
            throw StreamError(.fileForeign, "\(source.path): looks like \(kind.name). \(kind.advice)")
        }
        return piece
    }
}

import Bytes

#if canImport(Glibc)
    import Glibc
#endif

/// A file that is written once, with its size and checksum.
struct DurableFile: ~Copyable {
    private let path: String
    private let descriptor: Int32
    private(set) var byteCount = 0
    private(set) var checksum = CRC32()
    private(set) var digest = SHA256()

    init(creating path: String) throws(ArtifactError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw systemError("cannot be created", path) }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(ArtifactError) {
        var offset = 0
        while offset < bytes.count {
            let written = write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw systemError("cannot be written", path) }
            offset += written
        }
        checksum.combine(bytes)
        digest.combine(bytes)
        byteCount += bytes.count
    }

    mutating func append(_ array: [some BitwiseCopyable]) throws(ArtifactError) {
        let failure = array.withUnsafeBytes { bytes -> ArtifactError? in
            do throws(ArtifactError) {
                try append(bytes)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// Makes the contents durable.
    func synchronize() throws(ArtifactError) {
        guard fsync(descriptor) == 0 else { throw systemError("cannot be made durable", path) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }
}

/// A file of an artifact, read into memory once: what is checked is what is used, whatever happens to the file meanwhile, and one
/// that is cut while it is read is found to be short. A mapped file would change under its reader, or end it with a signal.
final class LoadedFile {
    let path: String
    private let bytes: UnsafeMutableRawBufferPointer
    var byteCount: Int { bytes.count }

    /// Lends the bytes. They are there for as long as `body` runs, even where nothing else keeps the file.
    func read<Result, Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Result) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawBufferPointer(bytes))
    }

    init(_ path: String) throws(ArtifactError) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR {
                throw ArtifactError(.missing, path: path, "there is no such file. Check artifacts.path and the name.")
            }
            throw systemError("cannot be opened", path)
        }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw systemError("has no readable size", path) }
        guard information.st_mode & S_IFMT == S_IFREG else {
            throw ArtifactError(.notAnArtifact, path: path, "this is not a regular file.")
        }
        let size = Int(information.st_size)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: max(size, 1), alignment: 16)
        var filled = 0
        while filled < size {
            let count = Glibc.read(descriptor, room.baseAddress.map { $0 + filled }, size - filled)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                let failure = systemError("cannot be read", path)
                room.deallocate()
                throw failure
            }
            if count == 0 { break }
            filled += count
        }
        bytes = UnsafeMutableRawBufferPointer(start: room.baseAddress, count: filled)
    }

    deinit { bytes.deallocate() }
}

func systemError(_ what: String, _ path: String) -> ArtifactError {
    ArtifactError(
        .file, path: path,
        "\(what): \(String(cString: strerror(errno))). Check the directory's rights and the space on the disk.")
}

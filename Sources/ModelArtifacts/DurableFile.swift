import Bytes
import Files

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
        let code = OpenFile.writeAll(bytes, to: descriptor)
        guard code == 0 else { throw systemError("cannot be written", path, code) }
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

extension LoadedFile {
    /// Reads a file of an artifact.
    static func ofArtifact(_ path: String) throws(ArtifactError) -> LoadedFile {
        do throws(Failure) {
            return try LoadedFile(path)
        } catch {
            switch error.step {
            case .opening where error.code == ENOENT || error.code == ENOTDIR:
                throw ArtifactError(.missing, path: path, "there is no such file. Check artifacts.path and the name.")
            case .kind: throw ArtifactError(.notAnArtifact, path: path, "this is not a regular file.")
            case .opening: throw systemError("cannot be opened", path, error.code)
            case .measuring: throw systemError("has no readable size", path, error.code)
            case .reading: throw systemError("cannot be read", path, error.code)
            }
        }
    }
}

func systemError(_ what: String, _ path: String, _ code: Int32 = errno) -> ArtifactError {
    ArtifactError(
        .file, path: path,
        "\(what): \(String(cString: strerror(code))). Check the directory's rights and the space on the disk.")
}

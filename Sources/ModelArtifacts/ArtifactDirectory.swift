import Bytes
import Files

#if canImport(Glibc)
    import Glibc
#endif

/// A directory that appears whole or not at all: it is written under another name, made durable, and renamed.
struct ArtifactDirectory {
    private static let partialMark = ".partial-"

    let root: String
    let name: String
    var path: String { "\(root)/\(name)" }
    private var temporary: String { "\(root)/\(Self.partialMark)\(getpid())-\(name)" }

    init(root: String, name: String) throws(ArtifactError) {
        let allowed = name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard allowed, 1...128 ~= name.utf8.count, !name.hasPrefix(".") else {
            throw ArtifactError(
                .invalidName, path: root,
                "\"\(name)\" is no artifact name. Use 1 to 128 letters, digits, dots, dashes and underscores, no dot first.")
        }
        self.root = root
        self.name = name
    }

    /// Writes the files by `body`, then the manifest that it returns, signed where there is a key. Gives the reference of the manifest.
    func write(
        key: [UInt8]? = nil,
        _ body: (_ add: (String, (inout DurableFile) throws(ArtifactError) -> Void) throws(ArtifactError) -> Manifest.File)
            throws(ArtifactError) -> Manifest
    ) throws(ArtifactError) -> ArtifactReference {
        try Self.makeDirectory(root)
        Self.sweep(root)
        var information = stat()
        guard lstat(path, &information) != 0 else {
            throw ArtifactError(.exists, path: path, "an artifact of this name is there already. Choose another name.")
        }
        Self.remove(temporary)
        guard mkdir(temporary, 0o755) == 0 else { throw systemError("cannot be created", temporary) }
        do throws(ArtifactError) {
            let manifest = try body { (file, fill) throws(ArtifactError) in try add(file, fill) }
            let bytes = try manifest.bytes(path: path)
            _ = try add(Manifest.fileName) { (file) throws(ArtifactError) in try file.append(bytes) }
            if let key {
                let code = bytes.withUnsafeBytes { SHA256.authenticationCode(of: $0, key: key) }
                let text = Array((Hexadecimal.text(of: code) + "\n").utf8)
                _ = try add(Manifest.signatureName) { (file) throws(ArtifactError) in try file.append(text) }
            }
            try Self.synchronize(temporary)
            guard rename(temporary, path) == 0 else { throw systemError("cannot be renamed to \(path)", temporary) }
            try Self.synchronize(root)
            return bytes.withUnsafeBytes {
                ArtifactReference(path: path, checksum: CRC32.text(of: $0), sha256: SHA256.of($0).text)
            }
        } catch {
            Self.remove(temporary)
            throw error
        }
    }

    private func add(
        _ name: String, _ fill: (inout DurableFile) throws(ArtifactError) -> Void
    ) throws(ArtifactError) -> Manifest.File {
        var file = try DurableFile(creating: "\(temporary)/\(name)")
        try fill(&file)
        try file.synchronize()
        return Manifest.File(bytes: file.byteCount, crc32: file.checksum.text, sha256: file.digest.text)
    }

    /// Reads and checks the manifest, which must be the expected one where one is expected, and signed where there is a key.
    static func manifest(
        at path: String, kind: Manifest.Kind, expecting expected: ArtifactReference? = nil, key: [UInt8]? = nil
    ) throws(ArtifactError) -> Manifest {
        let file = try LoadedFile.ofArtifact("\(path)/\(Manifest.fileName)")
        let manifest = try file.read { (bytes) throws(ArtifactError) in try Manifest.parse(bytes, path: path) }
        guard manifest.kind == kind else {
            throw ArtifactError(.otherArtifact, path: path, "it is a \(manifest.kind.rawValue), not a \(kind.rawValue).")
        }
        let checksum = file.read { CRC32.text(of: $0) }
        if let expected, checksum != expected.checksum {
            throw ArtifactError(
                .otherArtifact, path: path,
                "it is whole, but its checksum is \(checksum) and the registry says \(expected.checksum). Point artifacts.path to the "
                    + "directory that belongs to this database."
            )
        }
        if let sha256 = expected?.sha256 {
            let found = file.read { SHA256.of($0).text }
            guard found == sha256 else {
                throw ArtifactError(
                    .otherArtifact, path: path,
                    "its SHA-256 is \(found) and the registry says \(sha256): somebody changed it. Restore the directory, or train again.")
            }
        }
        if let key { try checkSignature(of: file, at: path, key: key) }
        return manifest
    }

    private static func checkSignature(of manifest: LoadedFile, at path: String, key: [UInt8]) throws(ArtifactError) {
        let name = "\(path)/\(Manifest.signatureName)"
        guard access(name, F_OK) == 0 else {
            throw ArtifactError(
                .notSigned, path: path,
                "artifacts.key is set and this artifact has no \(Manifest.signatureName): it was written without a key. "
                    + "Train again, or unset the key.")
        }
        let signature = try LoadedFile.ofArtifact(name)
        let wanted = Array((Hexadecimal.text(of: manifest.read { SHA256.authenticationCode(of: $0, key: key) }) + "\n").utf8)
        // As long for a near miss as for any other.
        let isRight = signature.read { $0.count == wanted.count && zip($0, wanted).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0 }
        guard isRight else {
            throw ArtifactError(
                .notSigned, path: path, "it was not signed with this artifacts.key. Use the key of the training, or train again.")
        }
    }

    /// Reads a file of the artifact after its size and checksums proved right.
    ///
    /// - Parameter isSigned: whether only what has a SHA-256 will do.
    static func file(
        _ name: String, at path: String, of manifest: Manifest, isSigned: Bool = false
    ) throws(ArtifactError) -> LoadedFile {
        guard let described = manifest.files[name] else {
            throw ArtifactError(.unusable, path: path, "the manifest names no \(name). Train again.")
        }
        let file = try LoadedFile.ofArtifact("\(path)/\(name)")
        guard file.byteCount == described.bytes else {
            throw ArtifactError(
                .damaged, path: file.path,
                "it has \(file.byteCount) bytes and should have \(described.bytes). Restore the file, or train again.")
        }
        guard file.read({ CRC32.text(of: $0) }) == described.crc32 else {
            throw ArtifactError(
                .damaged, path: file.path, "its checksum is wrong. Restore the file, or train again.")
        }
        guard let sha256 = described.sha256 else {
            guard !isSigned else {
                throw ArtifactError(.notSigned, path: file.path, "the manifest has no SHA-256 of it. Train again, or unset artifacts.key.")
            }
            return file
        }
        guard file.read({ SHA256.of($0).text }) == sha256 else {
            throw ArtifactError(
                .damaged, path: file.path,
                "its checksum is right and its SHA-256 is not: somebody changed it. Restore the file, or train again.")
        }
        return file
    }

    /// The names of whole artifacts under a root, in order.
    static func names(in root: String) -> [String] {
        entries(root).filter { !$0.hasPrefix(".") && access("\(root)/\($0)/\(Manifest.fileName)", F_OK) == 0 }.sorted()
    }

    /// Removes a directory and the files in it. Artifacts have no directories within.
    static func remove(_ path: String) {
        for entry in entries(path) { unlink("\(path)/\(entry)") }
        rmdir(path)
    }

    /// Removes what a process that is no longer there left half written.
    private static func sweep(_ root: String) {
        for entry in entries(root) where entry.hasPrefix(partialMark) {
            let writer = entry.dropFirst(partialMark.count).prefix { $0.isNumber }
            if let writer = Int32(writer), kill(writer, 0) != 0, errno == ESRCH { remove("\(root)/\(entry)") }
        }
    }

    private static func entries(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { start in
                start.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func makeDirectory(_ path: String) throws(ArtifactError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/\(part)"
            guard mkdir(made, 0o755) == 0 || errno == EEXIST || errno == EISDIR || errno == EROFS else {
                throw systemError("cannot be created", made)
            }
        }
    }

    private static func synchronize(_ path: String) throws(ArtifactError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError("cannot be opened", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw systemError("cannot be made durable", path) }
    }
}

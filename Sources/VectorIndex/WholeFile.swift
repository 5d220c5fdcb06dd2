#if canImport(Glibc)
    import Glibc
#endif

/// A file read or written as a whole.
final class WholeFile {
    let bytes: UnsafeRawBufferPointer
    private let room: UnsafeMutableRawBufferPointer

    /// Reads the file into memory: what is checked is what is used, whatever happens to the file meanwhile, and one that is cut while it is
    /// read is found to be short. A mapped file would end its reader with a signal.
    init(reading path: String) throws(VectorIndexError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Self.error("Cannot open \(path)") }
        defer { close(file) }
        var information = stat()
        guard fstat(file, &information) == 0 else { throw Self.error("Cannot read the size of \(path)") }
        guard information.st_mode & S_IFMT == S_IFREG else {
            throw VectorIndexError(.notAnIndex, "\(path) is not a file.")
        }
        let size = Int(information.st_size)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: max(size, 1), alignment: 16)
        var filled = 0
        while filled < size {
            let count = read(file, room.baseAddress.map { $0 + filled }, size - filled)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                let failure = Self.error("Cannot read \(path)")
                room.deallocate()
                throw failure
            }
            if count == 0 { break }
            filled += count
        }
        self.room = room
        bytes = UnsafeRawBufferPointer(start: filled == 0 ? nil : UnsafeRawPointer(room.baseAddress), count: filled)
    }

    deinit { room.deallocate() }

    /// Whether there is anything at the path.
    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Writes beside the path, makes it durable, and renames: readers see the old file or the new one.
    static func write(
        _ header: [UInt8], _ parts: [UnsafeRawBufferPointer], to path: String
    ) throws(VectorIndexError) {
        sweep(path)
        let temporary = "\(path).\(getpid())\(partialEnding)"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw error("Cannot create \(temporary)") }
        let written = header.withUnsafeBytes { put($0, file) } && parts.allSatisfy { put($0, file) }
        var failure = written ? nil : error("Cannot write \(temporary)")
        if failure == nil, fsync(file) != 0 { failure = error("Cannot make \(temporary) durable") }
        close(file)
        if failure == nil, rename(temporary, path) != 0 { failure = error("Cannot rename \(temporary) to \(path)") }
        if let failure {
            unlink(temporary)
            throw failure
        }
    }

    private static let partialEnding = ".partial"

    /// Removes what writers of this file that are no longer there left half written.
    private static func sweep(_ path: String) {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let found = withUnsafePointer(to: &entry.pointee.d_name) { start in
                start.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard found.hasPrefix(name + "."), found.hasSuffix(partialEnding),
                let writer = Int32(found.dropFirst(name.utf8.count + 1).dropLast(partialEnding.utf8.count)),
                kill(writer, 0) != 0, errno == ESRCH
            else { continue }
            unlink("\(folder)/\(found)")
        }
    }

    private static func put(_ bytes: UnsafeRawBufferPointer, _ file: Int32) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = Glibc.write(file, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }

    private static func error(_ what: String) -> VectorIndexError {
        VectorIndexError(.file, "\(what): \(String(cString: strerror(errno))). Check the path, its rights and the disk.")
    }
}

import Files

#if canImport(Glibc)
    import Glibc
#endif

/// Files that are read or written as a whole.
enum WholeFile {
    /// Reads a file.
    static func read(_ path: String) throws(VectorIndexError) -> LoadedFile {
        do throws(LoadedFile.Failure) {
            return try LoadedFile(path)
        } catch {
            let what = switch error.step {
            case .opening: "Cannot open \(path)"
            case .measuring: "Cannot read the size of \(path)"
            case .reading: "Cannot read \(path)"
            case .kind: throw VectorIndexError(.notAnIndex, "\(path) is not a file.")
            }
            throw Self.error(what, error.code)
        }
    }

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
        let code = OpenFile.writeAll(bytes, to: file)
        if code != 0 { errno = code }
        return code == 0
    }

    private static func error(_ what: String, _ code: Int32 = errno) -> VectorIndexError {
        VectorIndexError(.file, "\(what): \(String(cString: strerror(code))). Check the path, its rights and the disk.")
    }
}

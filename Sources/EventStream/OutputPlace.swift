#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How a path that a user named is written: only regular files are replaced whole.
enum OutputPlace: Equatable {
    /// A descriptor that is open already: standard output, or what a shell handed over.
    case descriptor(Int32)
    /// A FIFO, a terminal, another device: opened and written as it comes.
    case through(String)
    /// A regular file, or one that does not exist yet, links followed; with the rights of the file that is there.
    case whole(String, mode: mode_t?)

    private static let linksLimit = 40

    /// Looks at `path`; nothing is opened or made.
    ///
    /// - Throws: ``StreamError`` with code `fileUnwritable` for a folder, a socket, and links in a circle.
    static func of(_ path: String) throws(StreamError) -> OutputPlace {
        if path == "-" { return .descriptor(1) }
        if let number = DescriptorPath.number(of: path) { return .descriptor(number) }
        var status = stat()
        if stat(path, &status) == 0 {
            switch status.st_mode & S_IFMT {
            case S_IFREG: break
            case S_IFDIR: throw StreamError(.fileUnwritable, "cannot write \(path): it is a folder; name a file in it.")
            case S_IFSOCK: throw StreamError(.fileUnwritable, "cannot write \(path): it is a socket; write to - and pipe.")
            default: return .through(path)
            }
        } else if errno != ENOENT {
            throw LineWriter.failure(path, errno)
        } else if path.isEmpty || path.hasSuffix("/") {
            throw StreamError(.fileUnwritable, "cannot write “\(path)”: that is not the name of a file.")
        }
        return try followed(path)
    }

    /// Follows links to a regular file, one by one: renaming over a link would put a file in its place.
    private static func followed(_ path: String) throws(StreamError) -> OutputPlace {
        var current = path
        for _ in 0..<linksLimit {
            if let number = DescriptorPath.number(of: current) { return .descriptor(number) }
            var status = stat()
            guard lstat(current, &status) == 0 else { return .whole(current, mode: nil) }
            guard status.st_mode & S_IFMT == S_IFLNK else { return .whole(current, mode: status.st_mode & 0o7777) }
            guard let target = target(of: current) else { throw LineWriter.failure(path, errno) }
            if target.hasPrefix("/") {
                current = target
            } else {
                let folder = current.lastIndex(of: "/").map { String(current[...$0]) } ?? ""
                current = folder + target
            }
        }
        throw LineWriter.failure(path, ELOOP)
    }

    /// What a link names.
    private static func target(of link: String) -> String? {
        var characters = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(link, &characters, characters.count)
        return count > 0 ? String(decoding: characters[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}

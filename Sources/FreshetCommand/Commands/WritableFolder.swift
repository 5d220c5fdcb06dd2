import Foundation

/// Whether this user could write files into a folder, found out without leaving any.
struct WritableFolder {
    let path: String
    /// The folder itself, or the nearest one above it that exists.
    let existing: String
    /// Why files could not be written; nil where they could.
    let problem: String?

    var exists: Bool { existing == path }

    init(path: String) {
        self.path = path
        var folder = URL(fileURLWithPath: path).standardizedFileURL
        while folder.path != "/", !FileManager.default.fileExists(atPath: folder.path) { folder.deleteLastPathComponent() }
        let isThere = FileManager.default.fileExists(atPath: path)
        existing = isThere ? path : folder.path
        problem = Self.problem(of: existing, isWhole: isThere)
    }

    /// Free bytes of the disk for ordinary users; nil where nobody knows.
    var freeBytes: Int64? {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: existing)
        return (attributes?[.systemFreeSize] as? NSNumber)?.int64Value
    }

    /// Makes a file and removes it: rights, read-only disks and full ones all show.
    private static func problem(of folder: String, isWhole: Bool) -> String? {
        let shown = isWhole ? "it" : "\(folder), above it,"
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory.boolValue else {
            return "\(shown) is no folder"
        }
        let probe = folder + "/.freshet-doctor-\(getpid())"
        let file = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { return "\(shown) cannot be written by this user: \(String(cString: strerror(errno)))" }
        let written = write(file, "freshet", 7), reason = errno
        close(file)
        unlink(probe)
        return written == 7 ? nil : "\(shown) cannot be written: \(String(cString: strerror(reason)))"
    }
}

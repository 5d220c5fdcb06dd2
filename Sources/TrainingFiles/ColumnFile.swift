import Foundation

/// A file of columns while it is written: blocks go to any place, then the whole of it is mapped.
///
/// One thread at a time. The descriptor is closed with the last reference; what was mapped stays.
package final class ColumnFile {
    /// Where the file lies, or lay before its name went.
    package let path: String
    private let descriptor: Int32

    /// Makes an empty file; one that is there is replaced.
    package init(creating path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("create", path) }
    }

    deinit { close(descriptor) }

    /// Makes the folder that a file is to lie in, where it is missing.
    static func makeFolder(of path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            // Foundation wraps what the system said in words for nobody; where it wrapped nothing, its own words are all there is.
            let wrapped = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
            let posix = [wrapped, error as NSError].compactMap { $0 }.first { $0.domain == NSPOSIXErrorDomain }
            let reason = posix.map { String(cString: strerror(Int32(truncatingIfNeeded: $0.code))) }
            let denied = (error as NSError).code == CocoaError.fileWriteNoPermission.rawValue ? "Permission denied" : nil
            throw TrainingFileFailure("cannot create the folder \(folder.path): \(reason ?? denied ?? error.localizedDescription)")
        }
    }

    /// Writes bytes at an offset.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count = pwrite(descriptor, base + done, bytes.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("write", path) }
            done += count
        }
    }

    /// Reserves room on the disk, so that writing into a mapping cannot run out of it.
    package func reserve(bytes: Int) throws {
        guard bytes > 0 else { return }
        errno = posix_fallocate(descriptor, 0, off_t(bytes))
        guard errno == 0 else { throw Self.failure("write", path) }
    }

    /// Maps what the file holds now.
    package func map(writable: Bool = false) throws -> MappedFile { try MappedFile(descriptor: descriptor, path: path, writable: writable) }

    /// Takes the name away: the disk is given back with the last mapping, whatever happens to the process.
    package func unlinkPath() { unlink(path) }

    /// What the system said of a file, and what to do about it.
    package static func failure(_ verb: String, _ path: String, _ advice: String = "") -> TrainingFileFailure {
        TrainingFileFailure("cannot \(verb) \(path): \(String(cString: strerror(errno)))\(advice)")
    }
}

/// The bytes of a file, mapped until the last reference goes. Another process that cuts the file meanwhile would end this one, so
/// only files of the training folder are mapped.
package final class MappedFile: @unchecked Sendable {
    // Unchecked because of the pointer: after a read-only mapping is made its bytes never change, and a writable one has one owner.
    private let start: UnsafeMutableRawPointer?
    private let count: Int

    /// Maps a file for reading.
    package convenience init(path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ColumnFile.failure("read", path, "; start without --resume") }
        defer { close(descriptor) }
        try self.init(descriptor: descriptor, path: path, writable: false)
    }

    fileprivate init(descriptor: Int32, path: String, writable: Bool) throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw ColumnFile.failure("read", path) }
        count = Int(status.st_size)
        // An empty mapping is an error of its own.
        guard count > 0 else {
            start = nil
            return
        }
        start = mmap(nil, count, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, descriptor, 0)
        guard start != MAP_FAILED else { throw ColumnFile.failure("map", path) }
    }

    deinit { if let start { munmap(start, count) } }

    /// All bytes; valid while this is referenced.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// The bytes of a writable mapping.
    package var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: start, count: count) }
}

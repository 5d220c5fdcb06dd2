import Files
import Foundation
import Testing

@Suite("Files that are read and written as a whole")
struct FilesTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "freshet-files-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test("what is read is the whole of the file, whatever becomes of the file then", arguments: [0, 1, 100_000])
    func reading(count: Int) throws {
        try withFolder { folder in
            let path = folder + "/file", bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let file = try LoadedFile(path)
            try FileManager.default.removeItem(atPath: path)
            let found = file.read { Array($0) }
            #expect(found == bytes && file.byteCount == count && file.path == path)
        }
    }

    @Test("what is no file that can be read is refused with the step and the system's number")
    func refused() throws {
        try withFolder { folder in
            func failure(_ path: String) -> LoadedFile.Failure? {
                do throws(LoadedFile.Failure) {
                    _ = try LoadedFile(path)
                    return nil
                } catch {
                    return error
                }
            }
            #expect(failure(folder)?.step == .kind && failure("/dev/null")?.step == .kind)
            let missing = failure(folder + "/none")
            #expect(missing?.step == .opening && missing?.code == ENOENT && missing?.reason == "No such file or directory")
            #expect(failure(folder + "/none/none")?.code == ENOENT)
        }
    }

    @Test("all bytes are written, also where a pipe takes them slowly, and an error has its number")
    func writing() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let (from, to) = (ends[0], ends[1])
        // More than a pipe holds, and the end that writes does not wait.
        _ = fcntl(to, F_SETFL, O_NONBLOCK)
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        nonisolated(unsafe) var read: [UInt8] = []
        let reader = Thread {
            let handle = FileHandle(fileDescriptor: from, closeOnDealloc: true)
            read = Array(handle.readDataToEndOfFile())
        }
        let code = bytes.withUnsafeBytes { bytes in
            reader.start()
            return OpenFile.writeAll(bytes, to: to)
        }
        close(to)
        while !reader.isFinished { usleep(1_000) }
        #expect(code == 0 && read == bytes)
        let refused = bytes.withUnsafeBytes { OpenFile.writeAll($0, to: -1) }
        #expect(refused == EBADF && OpenFile.writeAll(UnsafeRawBufferPointer(start: nil, count: 0), to: -1) == 0)
    }
}

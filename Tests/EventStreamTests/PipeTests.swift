import EventStream
import Foundation
import Synchronization
import Testing

/// Pipes, devices and what shells hand over: read as they come, waited for, and left when a stop is asked for.
@Suite struct PipeTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pipes-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    private func fifo() throws -> String {
        let path = folder.appendingPathComponent(UUID().uuidString).path
        try #require(mkfifo(path, 0o600) == 0)
        return path
    }

    private func lines(_ reader: LineReader) throws -> [String] {
        var lines: [String] = []
        while let line = try reader.next() { lines.append(String(decoding: line.bytes, as: UTF8.self)) }
        return lines
    }

    /// Writes on a thread of its own, as another process would.
    private func write(_ bytes: [UInt8], to path: String, after seconds: Double) {
        Thread {
            Thread.sleep(forTimeInterval: seconds)
            let descriptor = open(path, O_WRONLY)
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 else { break }
                rest = rest.dropFirst(count)
            }
            close(descriptor)
        }.start()
    }

    @Test(.timeLimit(.minutes(15))) func aFIFOIsWaitedForAndReadToItsEnd() throws {
        let path = try fifo()
        // Opened before anybody writes: the end is not there yet.
        let reader = try LineReader(path: path, isStopping: { false })
        #expect(!reader.isRegularFile)
        write(Array("one\ntwo\nthree".utf8), to: path, after: 0.3)
        #expect(try lines(reader) == ["one", "two", "three"])
    }

    @Test(.timeLimit(.minutes(15))) func aStopEndsTheWaitForAWriter() throws {
        let stop = Mutex(false)
        let reader = try LineReader(path: try fifo(), isStopping: { stop.withLock { $0 } })
        Thread {
            Thread.sleep(forTimeInterval: 0.3)
            stop.withLock { $0 = true }
        }.start()
        #expect(try lines(reader) == [])
    }

    @Test(.timeLimit(.minutes(15))) func aStopGivesTheWholeLinesAndNotTheHalfOne() throws {
        let stop = Mutex(false)
        let path = try fifo()
        let writer = open(path, O_RDWR)
        defer { close(writer) }
        #expect(Foundation.write(writer, "one\ntw", 6) == 6)
        let reader = try LineReader(path: path, isStopping: { stop.withLock { $0 } })
        #expect(try reader.next().map { String(decoding: $0.bytes, as: UTF8.self) } == "one")
        Thread {
            Thread.sleep(forTimeInterval: 0.2)
            stop.withLock { $0 = true }
        }.start()
        #expect(try reader.next() == nil)
    }

    @Test(.timeLimit(.minutes(15))) func compressionIsSeenInAPipe() throws {
        let path = try fifo()
        let lines = (0..<5_000).map { "line \($0)" }
        let compressed = try gzip(Array(lines.joined(separator: "\n").utf8))
        write(compressed, to: path, after: 0)
        #expect(try self.lines(try LineReader(path: path)) == lines)
        // A stop in the middle is no damage.
        let stopped = try LineReader(path: path, isStopping: { true })
        #expect(try stopped.next() == nil)
    }

    @Test(.timeLimit(.minutes(15))) func aDescriptorOfTheShellIsReadUnderItsName() throws {
        for folder in ["/dev/fd/", "/proc/self/fd/"] {
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            #expect(Foundation.write(ends[1], "a\nb\n", 4) == 4)
            close(ends[1])
            #expect(try lines(try LineReader(path: "\(folder)\(ends[0])")) == ["a", "b"])
            close(ends[0])
            // A socket has no file to open again: the descriptor itself is read.
            #if canImport(Glibc)
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            #expect(Foundation.write(ends[1], "c\n", 2) == 2)
            close(ends[1])
            #expect(try lines(try LineReader(path: "\(folder)\(ends[0])")) == ["c"])
            close(ends[0])
            #endif
        }
    }

    @Test(.timeLimit(.minutes(15))) func devicesAndLinks() throws {
        #expect(try lines(try LineReader(path: "/dev/null")) == [])
        let file = folder.appendingPathComponent("file").path
        try Data("x\r\ny".utf8).write(to: URL(fileURLWithPath: file))
        let link = folder.appendingPathComponent("link").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
        let reader = try LineReader(path: link)
        #expect(reader.isRegularFile)
        #expect(try lines(reader) == ["x", "y"])
        // A device without an end and without lines is left when asked.
        let asked = Mutex(0)
        let endless = try LineReader(
            path: "/dev/zero", isStopping: { asked.withLock { $0 += 1; return $0 > 40 } })
        #expect(try endless.next() == nil)
    }

    static let foreignFiles: [(bytes: [UInt8], words: [String])] = [
        ([0xFF, 0xFE] + Array("{\0}\0".utf8), ["UTF-16", "iconv"]), ([0xFE, 0xFF, 0, 0x7B], ["UTF-16", "iconv"]),
        (Array("{\0\"\0u\0".utf8), ["UTF-16LE", "iconv"]), ([0, 0x7B, 0, 0x22, 0, 0x75], ["UTF-16BE", "iconv"]),
        ([0xFF, 0xFE, 0, 0, 0x7B, 0, 0, 0], ["UTF-32"]), ([0x28, 0xB5, 0x2F, 0xFD, 0x04], ["zstd -dc"]),
        (Array("PK".utf8) + [3, 4, 20, 0], ["zip"]), (Array("PAR1".utf8) + [0x15, 0x04], ["Parquet"]),
        (Array("BZh61AY&SY".utf8), ["bzip2 -dc"]),
        ([0xFD] + Array("7zXZ".utf8) + [0, 0], ["xz -dc"]), (Array("Obj".utf8) + [1, 4], ["Avro"]),
    ]

    @Test("what holds no lines of UTF-8 is refused with what it looks like", arguments: foreignFiles)
    func foreign(_ file: (bytes: [UInt8], words: [String])) throws {
        let plain = folder.appendingPathComponent("foreign").path
        for bytes in [file.bytes, try gzip(file.bytes)] {
            try Data(bytes).write(to: URL(fileURLWithPath: plain))
            let error = #expect(throws: StreamError.self) { try LineReader(path: plain).next() }
            #expect(error?.code == .fileForeign)
            for word in file.words + [plain] { #expect(error?.message.contains(word) == true, "\(error?.message ?? "")") }
        }
    }

    @Test func textThatOnlyBeginsLikeSomethingElseIsRead() throws {
        let path = folder.appendingPathComponent("text").path
        for text in ["PAR1\n", "PK", "BZh9\n", "Obj", "é", "", "\u{FEFF}", "\u{FEFF}a", "ab", "\0\0\0\0\n"] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            let plain = text.hasPrefix("\u{FEFF}") ? Array(text.utf8.dropFirst(3)) : Array(text.utf8)
            let read = try lines(try LineReader(path: path)).joined()
            #expect(Array(read.utf8) == plain.filter { $0 != 0x0A }, "\(text)")
        }
    }

    private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let path = folder.appendingPathComponent("plain-\(UUID().uuidString)").path
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-c", path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Array(data)
    }
}

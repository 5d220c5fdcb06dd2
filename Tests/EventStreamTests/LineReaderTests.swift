import EventStream
import Foundation
import Testing

@Suite struct LineReaderTests {
    private struct Read {
        var lines: [String] = []
        var overlong: [Int64: Int64] = [:]
        var error: StreamError?
    }

    /// Writes `bytes` to a file and reads its lines.
    private func read(_ bytes: [UInt8], name: String = "lines.jsonl", maxLineBytes: Int = 1 << 20) throws -> Read {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        let reader = try LineReader(path: file.path, maxLineBytes: maxLineBytes)
        #expect(reader.totalFileBytes == Int64(bytes.count))
        var read = Read()
        do {
            try reader.forEach { line in
                #expect(Int(line.number) == read.lines.count)
                read.lines.append(String(decoding: line.bytes, as: UTF8.self))
                if line.isOverlong { read.overlong[line.number] = line.byteCount }
            }
            #expect(reader.readFileBytes == Int64(bytes.count))
        } catch {
            read.error = error
        }
        return read
    }

    /// gzip, by the tool: an independent writer of the format.
    private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-c"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let writer = Thread {
            input.fileHandleForWriting.write(Data(bytes))
            try? input.fileHandleForWriting.close()
        }
        writer.start()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return [UInt8](data)
    }

    @Test(arguments: [
        ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("a\r\nb\r\n", ["a", "b"]),
        ("a\n\nb\n", ["a", "", "b"]), ("\u{feff}a\nb", ["a", "b"]), ("a\rb\n\r\n", ["a\rb", ""]), ("é\n", ["é"]),
    ] as [(String, [String])])
    func lineEndings(_ text: String, _ lines: [String]) throws {
        #expect(try read(Array(text.utf8)).lines == lines)
        if !text.isEmpty { #expect(try read(gzip(Array(text.utf8)), name: "lines.gz").lines == lines) }
    }

    @Test func manyLinesComeOutAsTheyWentIn() throws {
        let lines = (0..<60_000).map { "\($0) " + String(repeating: "x", count: $0 * 7 % 97) }
        let bytes = Array(lines.joined(separator: "\n").utf8)
        #expect(try read(bytes).lines == lines)
        let compressed = try gzip(bytes)
        #expect(try read(compressed, name: "lines.jsonl.gz").lines == lines)
        // Compression is seen by content, too, and members follow each other.
        #expect(try read(compressed, name: "lines").lines == lines)
        let twice = try gzip(Array("a\nb\n".utf8)) + gzip(Array("c\n".utf8)) + [0, 0, 0]
        #expect(try read(twice, name: "two.gz").lines == ["a", "b", "c"])
    }

    /// Around every bound of the line and of the buffer.
    @Test(arguments: [1, 9, 10, 11, 12, 13, 262_143, 262_144, 262_154, 262_155, 262_156, 262_157, 1_000_003], [true, false])
    func anOverlongLineIsMarkedAndTheNextOnesAreRead(_ length: Int, _ carriageReturn: Bool) throws {
        let ending = carriageReturn ? "\r\n" : "\n"
        let long = String(repeating: "y", count: length)
        let text = "first" + ending + long + ending + "last" + ending + long
        for (bytes, name) in [(Array(text.utf8), "a"), (try gzip(Array(text.utf8)), "a.gz")] {
            let seen = try read(bytes, name: name, maxLineBytes: 10)
            #expect(seen.lines == ["first", String(long.prefix(10)), "last", String(long.prefix(10))])
            #expect(seen.overlong == (length > 10 ? [1: Int64(length), 3: Int64(length)] : [:]))
            #expect(seen.error == nil)
        }
    }

    @Test func aTruncatedFileGivesItsGoodLinesFirst() throws {
        let lines = (0..<20_000).map { "{\"n\":\($0),\"h\":\"\(UInt64($0) &* 0x9e37_79b9_7f4a_7c15)\"}" }
        let whole = try gzip(Array(lines.joined(separator: "\n").utf8))
        let seen = try read(Array(whole.prefix(whole.count / 2)), name: "cut.jsonl.gz")
        #expect(seen.lines.count > 5_000 && seen.lines.count < 20_000)
        #expect(seen.lines[...] == lines.prefix(seen.lines.count))
        #expect(seen.error?.code == .fileTruncated)
        #expect(seen.error?.message.contains("cut.jsonl.gz") == true)
        #expect(seen.error?.message.contains("\(seen.lines.count) lines") == true)
        // The checksum at the end belongs to the file.
        #expect(try read(Array(whole.dropLast(4)), name: "cut.gz").error?.code == .fileTruncated)
    }

    @Test func aDamagedFileIsSaid() throws {
        var bytes = try gzip(Array((0..<5_000).map { "line \($0)\n" }.joined().utf8))
        bytes[bytes.count - 6] ^= 0xff
        #expect(try read(bytes, name: "bad.gz").error?.code == .fileCorrupt)
        #expect(try read(Array("not gzip\n".utf8), name: "plain.gz").error?.code == .fileCorrupt)
    }

    @Test func whatCannotBeReadIsNamed() {
        for path in ["/nonexistent/file.jsonl", NSTemporaryDirectory()] {
            let error = #expect(throws: StreamError.self) { try LineReader(path: path) }
            #expect(error?.code == .fileUnreadable)
            #expect(error?.message.contains(path) == true)
        }
    }

    /// What has been written to a pipe is read before the pipe is closed.
    @Test(.timeLimit(.minutes(15))) func aPipeIsReadLineByLine() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let descriptor = open(path, O_RDWR)
        defer { close(descriptor) }
        #expect(write(descriptor, "one\ntwo\n", 8) == 8)
        let reader = try LineReader(path: path)
        #expect(try reader.next().map { String(decoding: $0.bytes, as: UTF8.self) } == "one")
        #expect(try reader.next().map { String(decoding: $0.bytes, as: UTF8.self) } == "two")
    }
}

import EventStream
import Foundation
import Testing

@Suite struct LineWriterTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("writer-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private func text(_ name: String) -> String? { try? String(contentsOfFile: path(name), encoding: .utf8) }

    private func write(_ lines: [String], to path: String) throws {
        let writer = try LineWriter(path: path)
        for line in lines { try writer.write(line) }
        try writer.close()
    }

    @Test func aFileAppearsWholeAndAnEarlierOneStaysUntilThen() throws {
        try write(["old"], to: path("out"))
        #expect(chmod(path("out"), 0o640) == 0)
        let writer = try LineWriter(path: path("out"))
        try writer.write("new")
        #expect(text("out") == "old\n")
        try writer.close()
        #expect(text("out") == "new\n")
        var status = stat()
        #expect(stat(path("out"), &status) == 0 && status.st_mode & 0o777 == 0o640)
        do {
            let left = try LineWriter(path: path("out"))
            try left.write("never")
        }
        #expect(text("out") == "new\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out"])
    }

    @Test func aLinkStaysALink() throws {
        try FileManager.default.createDirectory(atPath: path("deep"), withIntermediateDirectories: true)
        try write(["old"], to: path("deep/real"))
        try FileManager.default.createSymbolicLink(atPath: path("relative"), withDestinationPath: "deep/real")
        try FileManager.default.createSymbolicLink(atPath: path("twice"), withDestinationPath: path("relative"))
        try FileManager.default.createSymbolicLink(atPath: path("nowhere"), withDestinationPath: "deep/fresh")
        for (link, target) in [("relative", "deep/real"), ("twice", "deep/real"), ("nowhere", "deep/fresh")] {
            try write([link], to: path(link))
            #expect(text(target) == link + "\n")
            #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: path(link))) != nil, "\(link)")
        }
    }

    @Test(.timeLimit(.minutes(15))) func aFIFOIsWrittenThrough() throws {
        try #require(mkfifo(path("fifo"), 0o600) == 0)
        try FileManager.default.createSymbolicLink(atPath: path("link"), withDestinationPath: "fifo")
        for name in ["fifo", "link"] {
            let reader = open(path("fifo"), O_RDONLY | O_NONBLOCK)
            try write(["a", "b"], to: path(name))
            var bytes = [UInt8](repeating: 0, count: 16)
            #expect(read(reader, &bytes, 16) == 4 && bytes.prefix(4) == [0x61, 0x0A, 0x62, 0x0A])
            close(reader)
            var status = stat()
            #expect(lstat(path("fifo"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
        }
    }

    @Test(.timeLimit(.minutes(15))) func aReaderThatGoesIsAnError() throws {
        try #require(mkfifo(path("fifo"), 0o600) == 0)
        let reader = open(path("fifo"), O_RDONLY | O_NONBLOCK)
        let writer = try LineWriter(path: path("fifo"))
        close(reader)
        try writer.write("a")
        let error = #expect(throws: StreamError.self) { try writer.close() }
        #expect(error?.code == .fileUnwritable && error?.message.contains("closed it") == true)
    }

    @Test func descriptorsAndDevices() throws {
        var ends: [Int32] = [0, 0]
        for folder in ["/dev/fd/", "/proc/self/fd/"] {
            try #require(pipe(&ends) == 0)
            try write(["x"], to: "\(folder)\(ends[1])")
            close(ends[1])
            var bytes = [UInt8](repeating: 0, count: 8)
            #expect(read(ends[0], &bytes, 8) == 2 && bytes[0] == 0x78)
            close(ends[0])
        }
        // A descriptor of a file is written where it stands: what was there before stays.
        let log = open(path("log"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        try write(["one"], to: "/dev/fd/\(log)")
        try write(["two"], to: "/dev/fd/\(log)")
        close(log)
        #expect(text("log") == "one\ntwo\n")
        try write(["x"], to: "/dev/null")
        let error = #expect(throws: StreamError.self) { try write(["x"], to: "/dev/full") }
        #expect(error?.message.contains("No space left") == true)
    }

    @Test func whatIsNoFileIsRefusedBeforeAnythingIsDone() throws {
        try FileManager.default.createSymbolicLink(atPath: path("circle"), withDestinationPath: "circle")
        try write(["x"], to: path("file"))
        for (name, word) in [
            ("", "it is a folder"), ("nowhere/out", "folder does not exist"), ("new/", "not the name"), ("circle", "symbolic links"),
            ("file/out", "directory"),
        ] {
            let error = #expect(throws: StreamError.self, "\(name)") { try LineWriter(path: folder.path + "/" + name) }
            #expect(error?.code == .fileUnwritable && error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
        #expect(throws: StreamError.self) { try LineWriter(path: "") }
    }

    @Test func manyLinesComeOutAsTheyWentIn() throws {
        let lines = (0..<200_000).map { "line \($0)" }
        try write(lines, to: path("many"))
        #expect(text("many") == lines.joined(separator: "\n") + "\n")
        try LineWriter.write("a page", to: path("page"))
        #expect(text("page") == "a page")
    }
}

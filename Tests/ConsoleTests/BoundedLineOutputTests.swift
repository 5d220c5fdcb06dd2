import Console
import Foundation
import Testing

/// Log lines never end a process, never hold it up, and what was lost is said.
@Suite(.timeLimit(.minutes(15)))
struct BoundedLineOutputTests {
    private func note(_ lines: Int, _ reason: String) -> String { "lost \(lines): \(reason)\n" }

    private func drained(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 1 << 20), text: [UInt8] = []
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        while true {
            let count = read(descriptor, &bytes, bytes.count)
            guard count > 0 else { break }
            text += bytes[0..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }

    @Test func aFullDiskDropsLinesAndCountsThem() throws {
        let full = open("/dev/full", O_WRONLY)
        try #require(full >= 0)
        defer { close(full) }
        let output = BoundedLineOutput(descriptor: full)
        for _ in 0..<3 { #expect(!output.write("a line\n", note: note)) }
        #expect(output.droppedLines == 3)
    }

    @Test func aReaderThatNoLongerReadsHoldsNobodyUpAndIsToldLater() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let output = BoundedLineOutput(descriptor: ends[1])
        let line = String(repeating: "x", count: 999) + "\n"
        var written = 0
        // More than any pipe holds; without a bound the first line that finds no room would wait for ever.
        for _ in 0..<2_000 where output.write(line, note: note) { written += 1 }
        #expect(written > 0 && written < 2_000 && output.droppedLines == 2_000 - written)
        // Those who share the descriptor see no flag of ours.
        #expect(fcntl(ends[1], F_GETFL) & O_NONBLOCK == 0)
        _ = drained(ends[0])
        #expect(output.write("again\n", note: note))
        let text = drained(ends[0])
        #expect(text.hasSuffix("lost \(2_000 - written): nobody read them in time\nagain\n"))
        #expect(output.write("once\n", note: note))
        #expect(drained(ends[0]) == "once\n")
    }

    @Test func aLineThatBrokeOffEndsBeforeTheNext() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let output = BoundedLineOutput(descriptor: ends[1])
        // Longer than a pipe holds: it breaks off.
        #expect(!output.write(String(repeating: "y", count: 1 << 20) + "\n", note: note))
        _ = drained(ends[0])
        #expect(output.write("whole\n", note: note))
        let lines = drained(ends[0]).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.suffix(3) == ["lost 1: nobody read them in time", "whole", ""], "\(lines.count)")
    }

    @Test func aReaderThatHasGoneAndAClosedDescriptorAreErrors() throws {
        StandardDescriptors.secure()
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        close(ends[0])
        let output = BoundedLineOutput(descriptor: ends[1])
        #expect(!output.write("a\n", note: note) && output.droppedLines == 1)
        close(ends[1])
        let sockets = UnsafeMutablePointer<Int32>.allocate(capacity: 2)
        defer { sockets.deallocate() }
        #if canImport(Glibc)
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, sockets) == 0)
        #else
        try #require(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0)
        #endif
        let journal = BoundedLineOutput(descriptor: sockets[0])
        #expect(journal.write("b\n", note: note))
        close(sockets[1])
        #expect(!journal.write("c\n", note: note))
        close(sockets[0])
        #expect(!BoundedLineOutput(descriptor: 1_000_000).write("d\n", note: note))
    }

    @Test func threadsDoNotMixTheirLines() async throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let output = BoundedLineOutput(descriptor: ends[1])
        await withTaskGroup(of: Void.self) { group in
            for letter in ["a", "b", "c", "d"] {
                group.addTask { for _ in 0..<15 { output.write(String(repeating: letter, count: 700) + "\n", note: { _, _ in "" }) } }
            }
        }
        let lines = drained(ends[0]).split(separator: "\n")
        #expect(lines.count == 60 - output.droppedLines)
        #expect(lines.allSatisfy { $0.count == 700 && Set($0).count == 1 })
    }
}

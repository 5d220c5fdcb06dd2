import EventStream
import Foundation
import FuzzInputs
import Testing

/// Files of any bytes, plain and compressed, whole and damaged: lines come out, or an error that names the file.
@Suite struct FileDoorTests {
    private static let maxLineBytes = 4_096

    private struct Taken {
        var lines: [[UInt8]] = []
        var error: StreamError?
    }

    private func read(_ path: String) throws -> Taken {
        let reader = try LineReader(path: path, maxLineBytes: Self.maxLineBytes)
        var taken = Taken()
        do throws(StreamError) {
            while let line = try reader.next() { taken.lines.append(Array(line.bytes)) }
        } catch {
            taken.error = error
        }
        return taken
    }

    /// The lines of a text, by the definition.
    private func lines(of bytes: [UInt8]) -> [[UInt8]] {
        var rest = bytes[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        var lines = rest.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { line in Array((line.last == 0x0D ? line.dropLast() : line[...]).prefix(Self.maxLineBytes)) }
    }

    /// Whether the first bytes are no sign of another kind of file: wide text, archives.
    private func beginsAsText(_ bytes: [UInt8]) -> Bool {
        !bytes.prefix(4).contains(0) && ![0x1F, 0xFD, 0xFE, 0xFF].contains(bytes.first ?? 0x20)
    }

    private func text(_ source: inout FuzzSource) -> [UInt8] {
        var bytes: [UInt8] = source.once(in: 10) ? [0xEF, 0xBB, 0xBF] : []
        for _ in 0..<source.below(12) {
            if source.once(in: 30) {
                bytes += [UInt8](
                    repeating: UInt8(ascii: "x"), count: source.pick([Self.maxLineBytes, 300_000, 70_000]) - 2 + source.below(5))
            } else {
                bytes += source.anyRecord(source.pick(FuzzKind.allCases))
            }
            bytes += source.pick([[0x0A], [0x0A], [0x0A], [0x0D, 0x0A], [0x0D], [0x0A, 0x0A], []])
        }
        return bytes
    }

    /// gzip, by the tool: an independent writer of the format.
    private static func compressed(_ bytes: [UInt8], in folder: String) throws -> [UInt8] {
        let file = folder + "/text"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-f", file]
        try process.run()
        process.waitUntilExit()
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: file + ".gz")))
    }

    @Test func lineFiles() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lines-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let door = FuzzDoor("files.lines", short: 400, long: 30_000)
        let members = try (0..<16).map { number in
            var source = FuzzSource(seed: door.seed, index: -1 - number)
            let bytes = text(&source)
            return (bytes, try Self.compressed(bytes, in: folder))
        }
        let path = folder + "/file", named = folder + "/file.gz"
        let report = await door.run { source, _ in
            var bytes: [UInt8] = [], expected: [UInt8]?
            let isCompressed = source.once(in: 2)
            if isCompressed {
                var plain: [UInt8] = []
                for _ in 0...source.below(2) {
                    let member = source.pick(members)
                    plain += member.0
                    bytes += member.1
                }
                if source.once(in: 3) {
                    expected = plain
                    // Padding after the last member is passed over.
                    if source.once(in: 2) { bytes += [UInt8](repeating: 0, count: source.below(600)) }
                } else {
                    source.mutate(&bytes, times: 1 + source.below(3))
                }
            } else {
                bytes = text(&source)
                if source.once(in: 3) { source.mutate(&bytes, times: 1 + source.below(3)) }
                if beginsAsText(bytes) { expected = bytes }
            }
            let target = isCompressed && source.once(in: 2) ? named : path
            try Data(bytes).write(to: URL(fileURLWithPath: target))
            let taken = try read(target)
            if let error = taken.error {
                guard expected == nil else { return .broken("\(error) for a whole file of \(bytes.count) bytes") }
                guard error.message.contains(target) else { return .broken("the file is not named: \(error.message)") }
                return .refused
            }
            if let expected, taken.lines != lines(of: expected) { return .broken("other lines from \(bytes.count) bytes") }
            return .accepted
        }
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
    }
}

import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// docs/start.md, walked as a person walks it: its blocks in their order in one folder, and what they say held to what the page prints.
    @Suite struct StartPageTests {
        /// The page; ``DocumentedCommandsTests`` leaves its blocks to these tests.
        static let page = "docs/start.md"

        /// Servers are started by the tests, as they are for all others.
        private static func isLeftOut(_ script: String) -> Bool { script.contains("ops/servers ") }

        @Test("every block does what the page says, and says what the page prints")
        func walk() throws {
            let bench = try Workbench(migrated: false)
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let bin = bench.directory.appending(path: "bin")
            try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                at: bin.appending(path: "freshet"), withDestinationURL: URL(fileURLWithPath: Program.path))
            // A training that is quick also in a debug build.
            let quick = ["FRESHET_TRAIN_PRESET": "small", "FRESHET_RANKING_COUNTERS": "off"]
            var environment = bench.program(broker: address, quick).environment
            environment["PATH"] = bin.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
            var service: Service?, said: [String] = [], scripts = 0, texts = 0
            for (kind, lines) in PrintedCommands.blocks(in: try Scripts.text(Self.page)) {
                let script = lines.joined(separator: "\n")
                switch kind {
                case "sh" where Self.isLeftOut(script): break
                case "sh" where script.hasPrefix("freshet serve"):
                    service = try bench.startService(broker: address)
                case "sh":
                    scripts += 1
                    let here = script.replacing("localhost:8080", with: "127.0.0.1:\(service?.http.port ?? 0)")
                    let result = try Scripts.run(["bash", "-ec", here], in: bench.directory, environment)
                    try #require(result.status == 0, "\(script)\n\(result.status): \(result.output)\(result.errors)")
                    said = (result.output + "\n" + result.errors).components(separatedBy: "\n")
                case "text", "json":
                    texts += 1
                    #expect(Self.missing(lines, in: said) == [], "the page prints what is not said:\n\(said.joined(separator: "\n"))")
                default: break
                }
            }
            #expect(scripts > 12 && texts > 6)
            #expect(service?.role.stop() == 0)
        }

        /// Lines that are printed and not said, in their order; `…` stands for anything.
        static func missing(_ printed: [String], in said: [String]) -> [String] {
            var place = 0
            return printed.filter { line in
                guard line != "…", !line.isEmpty else { return false }
                let found = said[place...].firstIndex { isSaid(line, by: $0) }
                if let found { place = found + 1 }
                return found == nil
            }
        }

        private static func isSaid(_ printed: String, by line: String) -> Bool {
            let parts = printed.components(separatedBy: "…")
            guard let first = parts.first, let last = parts.last, line.hasPrefix(first), line.hasSuffix(last) else { return false }
            var rest = line[...]
            for part in parts where !part.isEmpty {
                guard let found = rest.firstRange(of: part) else { return false }
                rest = rest[found.upperBound...]
            }
            return true
        }

        @Test("what the page prints is compared line by line")
        func comparison() {
            let said = ["a 1 b", "c", "d 22 e"]
            #expect(Self.missing(["a … b", "…", "d … e"], in: said) == [])
            #expect(Self.missing(["c", "a … b"], in: said) == ["a … b"])
            #expect(Self.missing(["a … c", "d"], in: said) == ["a … c", "d"])
        }
    }
}

import Console
import Foundation
import Logging
import Testing

@Suite("Log lines and failures as sentences", .serialized)
struct LogLineTests {
    @Test("one line for people: values with spaces are quoted, line ends are none")
    func text() {
        let line = LineLogHandler.line(
            level: .warning, label: "serve", message: "two\nlines", fields: [("a", "1"), ("b", "x y"), ("c", "")], format: .text)
        #expect(line.hasSuffix(" warning serve two lines a=1 b=\"x y\" c=\"\"\n"))
        #expect(line.filter(\.isNewline).count == 1)
    }

    @Test("one object for programs")
    func json() throws {
        let line = LineLogHandler.line(level: .error, label: "train", message: "say \"no\"", fields: [("exit_status", "1")], format: .json)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(
            object["level"] == "error" && object["role"] == "train" && object["message"] == "say \"no\"" && object["exit_status"] == "1")
        #expect(object["time"]?.hasSuffix("Z") == true)
    }

    @Test("what is secret is taken out of all that is shown, the newest rule alone")
    func secrets() {
        StandardError.redact { $0.replacing("hunter2", with: "…") }
        #expect(StandardError.redacted("with hunter2") == "with …")
        StandardError.redact { $0 }
        #expect(StandardError.redacted("with hunter2") == "with hunter2")
    }

    @Test("a missing file is a sentence with its path and advice")
    func files() throws {
        let path = "/nowhere-\(UUID().uuidString)/file"
        do {
            _ = try FileProblem.described(advice: "make it") { try Data(contentsOf: URL(fileURLWithPath: path)) }
            Issue.record("a file that is not there was read")
        } catch let failure as CommandFailure {
            #expect(failure.description.hasPrefix("cannot read \(path): ") && failure.description.hasSuffix("; make it"))
        }
        #expect(FileProblem(CommandFailure("a sentence already")) == nil)
    }

    @Test("work on a thread of its own returns its result or its error")
    func ownThread() async throws {
        let stackBytes = try await OwnThread.run(named: "freshet-test") { Thread.current.stackSize }
        #expect(stackBytes == 16 << 20)
        await #expect(throws: CommandFailure.self) { try await OwnThread.run(named: "x") { throw CommandFailure("no") } }
    }

    @Test("a stop is asked for once and stays asked for")
    func stop() {
        let stop = StopSignal()
        #expect(!stop.isRaised)
        stop.raise()
        #expect(stop.isRaised)
    }

    @Test("time left is said in seconds below a minute, in minutes above")
    func clock() {
        #expect(ProgressLine.clock(42.4) == "42 s")
        #expect(ProgressLine.clock(185) == "3 min 5 s")
    }
}

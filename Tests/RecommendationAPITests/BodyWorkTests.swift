import Foundation
import RecommendationAPI
import Synchronization
import Testing

/// Work on bodies: how much of it there is, that it ends with its request, and that small questions are answered beside it.
@Suite struct BodyWorkTests {
    /// Bytes that count how often they are looked at.
    private struct CountedBytes: RandomAccessCollection {
        final class Steps { var count = 0 }
        let bytes: [UInt8]
        let steps = Steps()
        var startIndex: Int { 0 }
        var endIndex: Int { bytes.count }
        subscript(index: Int) -> UInt8 {
            steps.count += 1
            return bytes[index]
        }
    }

    /// How often the splitter looks at a byte of this text.
    private static func steps(_ text: String, asLines: Bool) -> Int {
        let counted = CountedBytes(bytes: Array(text.utf8))
        _ = try? RecordSplitter.ranges(in: counted, asLines: asLines, maxRecords: .max)
        return counted.steps.count
    }

    /// Each makes a body of about `n` bytes in one shape.
    static let shapes = [
        "newlines behind an object", "newlines before an object", "blank lines between", "spaces on one line",
        "lines of one bracket", "many lines", "an array", "an array with much space", "an array that never ends",
        "strings that never end", "backslashes", "one long string", "deep brackets", "numbers on lines",
    ]

    private static func text(_ shape: String, _ n: Int) -> String {
        switch shape {
        case "newlines behind an object": return "{}\n{}" + String(repeating: "\n", count: n)
        case "newlines before an object": return String(repeating: "\n", count: n) + "{}"
        case "blank lines between": return "{}\n" + String(repeating: "  \r\n", count: n / 4) + "{}"
        case "spaces on one line": return "{}\n{}" + String(repeating: " ", count: n) + "\n{}"
        case "lines of one bracket": return "{}\n" + String(repeating: "{\n", count: n / 2)
        case "many lines": return String(repeating: "{\"a\":1}\n", count: n / 8)
        case "an array": return "[" + String(repeating: "{},", count: n / 3) + "{}]"
        case "an array with much space": return "[" + String(repeating: "1 ,\n\n\n ", count: n / 7) + "1]"
        case "an array that never ends": return "[" + String(repeating: "[],", count: n / 3)
        case "strings that never end": return String(repeating: "{\"", count: n / 2)
        case "backslashes": return "{\"" + String(repeating: "\\\\", count: n / 2)
        case "one long string": return "{\"a\":\"" + String(repeating: "x", count: n) + "\"}"
        case "deep brackets": return String(repeating: "[", count: n)
        case "numbers on lines": return "1\n" + String(repeating: "1\n", count: n / 2)
        default: return ""
        }
    }

    @Test(arguments: shapes) func theSplitterLooksAtEachByteAFewTimesWhateverTheShape(_ name: String) {
        for asLines in [false, true] {
            let small = Self.steps(Self.text(name, 10_000), asLines: asLines)
            let large = Self.steps(Self.text(name, 20_000), asLines: asLines)
            #expect(large <= 2 * small + 100, "twice the bytes took \(large) looks in place of \(small)")
            #expect(large <= 6 * 20_000, "\(large) looks at 20,000 bytes")
        }
    }

    @Test func blankLinesAreNoRecordsHoweverMany() async throws {
        let service = TestService(APIConfiguration(maxBodyBytes: 5_000_000))
        try await service.test { client in
            let body = "{\"user_id\":\"a\"}\n{\"user_id\":\"b\"}" + String(repeating: "\n", count: 4_000_000)
            let answer = try await client.send(.post, "/v1/events", body, headers: ["Content-Type": "application/json"])
            #expect(answer.status == 202)
            #expect(try answer.object()["accepted"] as? Int == 2)
        }
    }

    @Test func aNameOfMegabytesIsRefusedInFewWords() async throws {
        try await TestService(APIConfiguration(maxBodyBytes: 5_000_000)).test { client in
            for name in [String(repeating: "n", count: 3_000_000), "n" + String(repeating: "\u{301}", count: 1_000_000)] {
                for body in ["{\"\(name)\":1}", "{\"context\":{\"\(name)\":[]}}", "{\"objective\":{\"\(name)\":\"x\"}}"] {
                    let answer = try await client.send(.post, "/v1/recommendations", body, headers: ["Content-Type": "application/json"])
                    #expect(answer.status == 400)
                    #expect(answer.text.utf8.count < 2_000)
                }
            }
        }
    }

    private static func post(bytes: Int) -> String {
        let body = "{}" + String(repeating: " ", count: bytes - 2)
        return "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(bytes)\r\n\r\n" + body
    }

    @Test func smallQuestionsAreAnsweredWhileLargeBodiesTakeEveryProcessor() async throws {
        let begun = Atomic<Int>(0)
        let isOver = Atomic<Bool>(false)
        let service = TestService { operations in
            operations.submitEvents = { _ in
                begun.wrappingAdd(1, ordering: .relaxed)
                // Like a parser: it never waits, so its thread does nothing else.
                while !isOver.load(ordering: .relaxed) {}
                return IntakeOutcome(accepted: 1)
            }
        }
        let many = 2 * ProcessInfo.processInfo.activeProcessorCount
        try await service.serve { port, _ in
            defer { isOver.store(true, ordering: .relaxed) }
            let clients = try (0..<many).map { _ in try RawClient(port: port) }
            for client in clients { await client.send(Self.post(bytes: 100_000)) }
            while begun.load(ordering: .relaxed) < min(many, max(2, many / 2)) { try await Task.sleep(for: .milliseconds(10)) }
            #expect(try await RawClient.get(port, "/healthz").hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func workEndsWithTheTimeOfItsRequest() async throws {
        let ended = Atomic<Bool>(false)
        let service = TestService(APIConfiguration(requestTimeoutMilliseconds: 100)) { operations in
            operations.submitEvents = { _ in
                while !Task.isCancelled {}
                ended.store(true, ordering: .relaxed)
                return IntakeOutcome(accepted: 1)
            }
        }
        try await service.test { client in
            let answer = try await client.send(
                .post, "/v1/events", "{}" + String(repeating: " ", count: 100_000), headers: ["Content-Type": "application/json"])
            #expect(try answer.problem(504) == "timed-out")
        }
        while !ended.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(10)) }
    }

    @Test func workEndsWhenItsCallerLeaves() async throws {
        let begun = Atomic<Bool>(false)
        let ended = Atomic<Bool>(false)
        let service = TestService { operations in
            operations.recommend = { request in
                begun.store(true, ordering: .relaxed)
                try? await Task.sleep(for: .seconds(3_600))
                ended.store(true, ordering: .relaxed)
                return TestService.list(request.requestID, nil, 1)
            }
        }
        try await service.serve { port, _ in
            var client: RawClient? = try RawClient(port: port)
            await client?.send("GET /v1/recommendations HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while !begun.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(10)) }
            client = nil
            while !ended.load(ordering: .relaxed) { try await Task.sleep(for: .milliseconds(10)) }
        }
    }
}

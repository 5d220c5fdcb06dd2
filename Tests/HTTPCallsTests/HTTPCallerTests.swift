import HTTPCalls
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

/// Calls to a real server on loopback.
@Suite(.timeLimit(.minutes(15))) struct HTTPCallerTests {
    /// Runs a server that answers with what it was asked, and tells on which ports of the caller requests came.
    private func withServer(
        maxConnections: Int = 4, _ body: @escaping @Sendable (HTTPCaller, _ ports: @escaping @Sendable () -> Set<Int>) async throws -> Void
    ) async throws {
        let (listening, told) = AsyncStream.makeStream(of: Int.self)
        let seen = Ports()
        let router = Router(context: PeerContext.self)
        for method in [HTTPRequest.Method.get, .post, .put, .delete] {
            router.on("/echo", method: method) { request, context in
                seen.ports.withLock { _ = $0.insert(context.port) }
                let bytes = try await request.body.collect(upTo: 8 << 20)
                var fields: HTTPFields = [.contentType: "text/plain"]
                fields[.userAgent] = request.headers[.userAgent]
                fields[.server] = request.method.rawValue
                fields[.location] = request.uri.string
                fields[.via] = request.head.authority
                return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: bytes))
            }
        }
        router.get("/missing") { _, _ in Response(status: .notFound) }
        router.head("/missing") { _, _ in Response(status: .notFound) }
        router.get("/slow") { _, context in
            seen.ports.withLock { _ = $0.insert(context.port) }
            // As long as the test goes on: the server waits for its answers before it stops.
            while !seen.isOver.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
            return Response(status: .ok)
        }
        router.get("/large") { _, _ in
            Response(status: .ok, body: ResponseBody { writer in
                for _ in 0..<64 { try await writer.write(ByteBuffer(repeating: 0x61, count: 65_536)) }
                try await writer.finish(nil)
            })
        }
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { told.yield($0.localAddress?.port ?? 0) }, logger: quiet)
        let group = ServiceGroup(services: [application], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var ports = listening.makeAsyncIterator()
            let port = try #require(await ports.next())
            do {
                let caller = try HTTPCaller(HTTPAddress("http://127.0.0.1:\(port)"), maxConnections: maxConnections)
                try await body(caller) { seen.ports.withLock { $0 } }
            } catch {
                Issue.record(error)
            }
            seen.isOver.withLock { $0 = true }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test func sendsWhatItIsGivenAndGivesBackWhatComes() async throws {
        try await withServer { caller, ports in
            for method in [HTTPCall.Method.get, .post, .put, .delete] {
                let body = method == .get || method == .delete ? nil : Array("{\"a\":\"ü\"}".utf8)
                let answer = try await caller.send(patient(method, "/echo?n=1&x=%C3%BC", headers: [("User-Agent", "test")], body: body))
                #expect(answer.status == 200)
                #expect(answer.body == body ?? [])
                #expect(answer["server"] == method.rawValue && answer["User-Agent"] == "test")
                #expect(answer["Location"] == "/echo?n=1&x=%C3%BC" && answer["Via"] == "127.0.0.1:\(caller.address.port)")
            }
            let nothing = try await caller.send(patient(.post, "/echo"))
            #expect(nothing.status == 200 && nothing.body.isEmpty)
            let head = try await caller.send(patient(.head, "/missing"))
            #expect(head.status == 404 && head.body.isEmpty)
            let missing = try await caller.send(patient(.get, "/missing"))
            #expect(missing.status == 404, "a status is an answer, no error")
            let large = try await caller.send(patient(.put, "/echo", body: [UInt8](repeating: 7, count: 3 << 20)))
            #expect(large.body.count == 3 << 20)
            #expect(ports().count == 1, "one connection serves one call after another")
        }
    }

    @Test func asManyConnectionsAsAllowedServeAllCalls() async throws {
        try await withServer(maxConnections: 3) { caller, ports in
            try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let answer = try await caller.send(patient(.put, "/echo", body: Array("\(number)".utf8)))
                        return String(decoding: answer.body, as: UTF8.self)
                    }
                }
                let answers = try await group.reduce(into: Set<String>()) { $0.insert($1) }
                #expect(answers.count == 200, "each call has its own answer")
            }
            #expect(ports().count <= 3)
        }
    }

    @Test func aCallEndsWithItsTimeAndTheOthersGoOn() async throws {
        try await withServer(maxConnections: 1) { caller, ports in
            // Until one has reached the server before its time was over.
            while ports().isEmpty {
                let waiting = Task { try await caller.send(patient(.get, "/slow", timeout: .milliseconds(300))) }
                await #expect(throws: HTTPCallError.self) { try await waiting.value }
            }
            // The connection of the call that was given up is not used again.
            let before = ports().count
            let next = try await caller.send(patient(.get, "/echo"))
            #expect(next.status == 200 && ports().count == before + 1)
            do {
                _ = try await caller.send(patient(.get, "/slow", timeout: .milliseconds(1)))
                Issue.record("it was answered")
            } catch let error as HTTPCallError {
                #expect(error.code == .timedOut && error.isRetriable)
            }
        }
    }

    @Test func waitingForAConnectionCountsToo() async throws {
        try await withServer(maxConnections: 1) { caller, ports in
            let first = Task { try await caller.send(patient(.get, "/slow", timeout: .seconds(600))) }
            while ports().isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            do {
                _ = try await caller.send(patient(.get, "/echo", timeout: .milliseconds(100)))
                Issue.record("it was answered")
            } catch let error as HTTPCallError {
                #expect(error.code == .timedOut)
            }
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            let next = try await caller.send(patient(.get, "/echo"))
            #expect(next.status == 200, "the cancelled call has made room")
        }
    }

    @Test func aCancelledTaskAsksNothing() async throws {
        try await withServer { caller, ports in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await caller.send(patient(.get, "/echo"))
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(ports().isEmpty)
        }
    }

    @Test func aLongAnswerIsGivenUp() async throws {
        try await withServer { caller, ports in
            for (path, body) in [("/large", nil), ("/echo", [UInt8](repeating: 1, count: 100_001))] {
                do {
                    _ = try await caller.send(patient(body == nil ? .get : .put, path, body: body, maxAnswerBytes: 100_000))
                    Issue.record("it was taken")
                } catch let error as HTTPCallError {
                    #expect(error.code == .tooLarge && !error.isRetriable)
                }
            }
            let exact = try await caller.send(patient(.put, "/echo", body: [UInt8](repeating: 1, count: 100_000), maxAnswerBytes: 100_000))
            #expect(exact.body.count == 100_000)
        }
    }

    @Test func pathsThatWouldBeTwoRequestsAreRefused() async throws {
        let caller = try HTTPCaller(HTTPAddress("http://127.0.0.1:1"))
        for path in ["", "echo", "/a b", "/a\r\nHost: x", "/ü"] {
            do {
                _ = try await caller.send(patient(.get, path))
                Issue.record("\(path) was sent")
            } catch let error as HTTPCallError {
                #expect(error.code == .badAddress, "\(path)")
            }
        }
    }

    @Test func fieldsThatWouldBeTwoAreRefused() async throws {
        try await withServer { caller, ports in
            do {
                _ = try await caller.send(patient(.get, "/echo", headers: [("X-API-Key", "a\r\nHost: b")]))
                Issue.record("it was sent")
            } catch let error as HTTPCallError {
                #expect(error.code == .malformed)
            }
            #expect(ports().isEmpty)
        }
    }

    private final class Ports: Sendable {
        let ports = Mutex<Set<Int>>([])
        let isOver = Mutex(false)
    }

    private struct PeerContext: RequestContext {
        var coreContext: CoreRequestContextStorage
        let port: Int

        init(source: ApplicationRequestContextSource) {
            coreContext = CoreRequestContextStorage(source: source)
            port = source.channel.remoteAddress?.port ?? 0
        }
    }
}

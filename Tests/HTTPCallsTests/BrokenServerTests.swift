import HTTPCalls
import Testing

/// Servers that close, fall silent or speak something else.
@Suite(.timeLimit(.minutes(15))) struct BrokenServerTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private func caller(_ server: ScriptedServer) throws -> HTTPCaller {
        try HTTPCaller(HTTPAddress("http://127.0.0.1:\(server.port)"), maxConnections: 1, maxIdle: .seconds(3_600))
    }

    private func failure(_ caller: HTTPCaller, _ call: HTTPCall) async -> HTTPCallError.Code? {
        do {
            let answer = try await caller.send(call)
            Issue.record("answered \(answer.status)")
            return nil
        } catch let error as HTTPCallError {
            return error.code
        } catch {
            Issue.record("\(error)")
            return nil
        }
    }

    @Test func aKeptConnectionThatEndsIsReplacedExceptForAPost() async throws {
        let server = try await ScriptedServer([[.say(Self.ok), .close], [.say(Self.ok), .close], [.say(Self.ok)]])
        let caller = try caller(server)
        #expect(try await caller.send(patient(.get, "/")).body == Array("ok".utf8))
        let again = try await caller.send(patient(.get, "/"))
        #expect(again.status == 200)
        #expect(server.connections == 2)
        #expect(await failure(caller, patient(.post, "/")) == .closedEarly, "what a POST did is not known")
        try await server.close()
    }

    @Test func aNewConnectionThatEndsIsAnError() async throws {
        let server = try await ScriptedServer([[.close]])
        #expect(await failure(try caller(server), patient(.get, "/")) == .closedEarly)
        #expect(server.requests == 1, "it is not asked again and again")
        try await server.close()
    }

    @Test func anAnswerThatIsCutIsNone() async throws {
        let server = try await ScriptedServer([[.sayAndClose("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")]])
        let code = await failure(try caller(server), patient(.get, "/"))
        #expect(code == .closedEarly || code == .malformed)
        try await server.close()
    }

    @Test func anAnswerMayEndWithItsConnection() async throws {
        let server = try await ScriptedServer([[.sayAndClose("HTTP/1.1 200 OK\r\n\r\nto the end")], [.say(Self.ok)]])
        let caller = try caller(server)
        #expect(try await caller.send(patient(.get, "/")).body == Array("to the end".utf8))
        #expect(try await caller.send(patient(.get, "/")).status == 200)
        #expect(server.connections == 2)
        try await server.close()
    }

    @Test func aConnectionThatIsToBeClosedIsNotKept() async throws {
        let server = try await ScriptedServer([[.say("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")]])
        let caller = try caller(server)
        #expect(try await caller.send(patient(.get, "/")).status == 204)
        #expect(try await caller.send(patient(.post, "/")).status == 204)
        #expect(server.connections == 2)
        try await server.close()
    }

    @Test func whatGoesBeforeTheAnswerIsPassedOver() async throws {
        let server = try await ScriptedServer([[.say("HTTP/1.1 103 Early Hints\r\n\r\n" + Self.ok)]])
        #expect(try await caller(server).send(patient(.get, "/")).body == Array("ok".utf8))
        try await server.close()
    }

    @Test func anotherProtocolIsSaid() async throws {
        let server = try await ScriptedServer([[.say("SSH-2.0-OpenSSH_9.2\r\n")]])
        #expect(await failure(try caller(server), patient(.get, "/")) == .malformed)
        try await server.close()
    }

    @Test func aServerThatSaysNothingEndsTheCallInTime() async throws {
        let server = try await ScriptedServer([[.nothing]])
        #expect(await failure(try caller(server), patient(.get, "/", timeout: .milliseconds(200))) == .timedOut)
        try await server.close()
    }

    @Test func whereNobodyListensTheErrorSaysSo() async throws {
        let server = try await ScriptedServer([[]])
        let caller = try caller(server)
        try await server.close()
        // A busy machine may not have tried within the time.
        for milliseconds in [300, 1_000, 10_000, 100_000] {
            do {
                _ = try await caller.send(patient(.get, "/", timeout: .milliseconds(milliseconds)))
                Issue.record("answered")
            } catch let error as HTTPCallError {
                if error.code == .timedOut, milliseconds < 100_000 { continue }
                #expect(error.code == .notConnected && error.isRetriable)
                #expect(error.message.contains("127.0.0.1:\(caller.address.port)"), "\(error.message)")
                break
            }
        }
    }

    #if !TLS
    @Test func withoutTheTraitHTTPSIsRefusedWithAWord() throws {
        let address = try HTTPAddress("https://shop.example")
        let error = #expect(throws: HTTPCallError.self) { try HTTPCaller(address) }
        #expect(error?.code == .builtWithoutTLS)
        #expect(error?.message.contains("--traits TLS") == true)
    }
    #endif
}

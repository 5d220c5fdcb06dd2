import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import RecommendationAPI
import ServiceLifecycle
import Testing

/// Other tests may hold every processor meanwhile; that a service is slow then is no fault of it.
private let patient = TestClient.Configuration(timeout: .seconds(300))

/// The client that the framework brings names no host by itself.
private let host: HTTPFields = [HTTPField.Name("Host") ?? .accept: "localhost"]

/// The service on a real port of loopback.
@Suite struct ServerTests {
    @Test func requestsFollowEachOtherOnOneConnection() async throws {
        let service = TestService(APIConfiguration(maxBodyBytes: 10_000))
        try await service.serve { port, _ in
            try await TestClient.withClient(host: "127.0.0.1", port: port, configuration: patient) { client async throws in
                for index in 0..<20 {
                    let answer = try await client.get("/v1/recommendations?user_id=u\(index)&n=2", headers: host)
                    #expect(answer.status == .ok)
                }
                // A refused body must not be taken for the next request.
                let large = ByteBuffer(repeating: UInt8(ascii: "x"), count: 200_000)
                #expect(try await client.post("/v1/events", headers: host, body: large).status == .contentTooLarge)
                #expect(try await client.get("/nowhere", headers: host).status == .notFound)
                let head = try await client.head("/v1/users/u1", headers: host)
                #expect(head.status == .ok && (head.body?.readableBytes ?? 0) == 0)
                #expect(try await client.get("/healthz", headers: host).status == .ok)
            }
        }
        #expect(service.seen.withLock { $0.recommendations.map(\.userID) } == (0..<20).map { "u\($0)" })
    }

    @Test func aTakenPortIsAClearError() async throws {
        try await TestService().serve { port, _ in
            let second = RecommendationServer(
                operations: TestService().operations, configuration: APIConfiguration(port: port),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let error = try #require(await #expect(throws: ListenError.self) { try await second.run() })
            #expect(error.code == .portTaken && error.isRetriable)
            #expect(error.description.contains("127.0.0.1:\(port)"))
            #expect(error.description.contains("http.port"))
        }
    }

    @Test func anAddressOfAnotherMachineIsAClearError() async throws {
        let server = RecommendationServer(
            operations: TestService().operations, configuration: APIConfiguration(host: "192.0.2.1", port: 0),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let error = try #require(await #expect(throws: ListenError.self) { try await server.run() })
        #expect(error.code == .badAddress)
        #expect(error.description.contains("http.host"))
    }

    @Test func aStreamSendsStatisticsUntilTheServiceStops() async throws {
        let service = TestService(APIConfiguration(maxStreams: 1))
        try await service.serve { port, stop in
            try await TestClient.withClient(host: "127.0.0.1", port: port, configuration: patient) { client async throws in
                async let streamed = client.get("/v1/stream", headers: host)
                while service.seen.withLock({ $0.statisticsReads }) < 2 { try await Task.sleep(for: .milliseconds(20)) }
                try await TestClient.withClient(host: "127.0.0.1", port: port, configuration: patient) { other async throws in
                    #expect(try await other.get("/v1/stream", headers: host).status == .serviceUnavailable)
                }
                await stop()
                let answer = try await streamed
                #expect(answer.headers[.contentType] == "text/event-stream")
                let messages = String(buffer: answer.body ?? ByteBuffer()).split(separator: "\n\n")
                #expect(messages.count >= 2)
                for message in messages {
                    let lines = message.split(separator: "\n")
                    #expect(lines.first == "event: stats")
                    let data = try #require(lines.last?.dropFirst("data: ".count))
                    let object = try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any]
                    #expect(object?["serving"] != nil)
                }
            }
        }
    }
}

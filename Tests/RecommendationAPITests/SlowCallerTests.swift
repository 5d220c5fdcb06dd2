import Foundation
import RecommendationAPI
import Recommending
import Synchronization
import Testing

/// Callers that send or read slowly, never, or too many at once: others are answered, and what is held for them has an end.
@Suite struct SlowCallerTests {
    private static let body =
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n{"
    private static let details = "GET /v1/recommendations?n=1000&details HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// Answers of `megabytes` each.
    private static func large(_ megabytes: Int, _ operations: inout ServiceOperations) {
        // Titles are cut, so that only many items make a large answer.
        let title = String(repeating: "t", count: 500)
        operations.recommend = { request in
            var list = TestService.list(request.requestID, nil, megabytes * 2_000)
            for index in list.items.indices { list.items[index].details = ItemSummary(itemID: "i", title: title) }
            return list
        }
    }

    private func metric(_ port: Int, _ name: String) async throws -> Double? {
        let text = try await RawClient.get(port, "/metrics")
        return text.split(separator: "\n").first { $0.hasPrefix(name + " ") }.flatMap { Double($0.dropFirst(name.count + 1)) }
    }

    private func eventually(_ port: Int, _ name: String, _ wanted: (Double) -> Bool) async throws {
        for _ in 0..<6_000 {
            if let value = try await metric(port, name), wanted(value) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        try #require(Bool(false), "\(name) stays as it is")
    }

    @Test func aBodyThatNeverEndsTakesNoPlaceAndIsAnswered() async throws {
        let service = TestService(APIConfiguration(maxConcurrentRequests: 1, requestMilliseconds: 1_500))
        try await service.serve { port, _ in
            let slow = try (0..<8).map { _ in try RawClient(port: port) }
            for client in slow { await client.send(Self.body) }
            #expect(try await RawClient.get(port, "/v1/recommendations?user_id=u").hasPrefix("HTTP/1.1 200 "))
            for client in slow {
                let answer = await client.receiveAll()
                #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("request-timeout") && answer.contains("http.request_seconds"))
            }
            try await eventually(port, "freshet_http_held_bytes") { $0 == 0 }
        }
    }

    @Test func halfAHeadIsAnsweredToo() async throws {
        try await TestService(APIConfiguration(requestMilliseconds: 2_000)).serve { port, _ in
            let client = try RawClient(port: port)
            await client.send("GET /healthz HTTP/1.1\r\nHost: loc")
            let answer = await client.receiveAll()
            #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("request-timeout"))
            // Behind an answered request as well.
            let second = try RawClient(port: port)
            await second.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let first = await second.receive(until: "\r\n\r\n")
            await second.send("GET /heal")
            let rest = await second.receiveAll()
            #expect(first.hasPrefix("HTTP/1.1 200 ") && rest.contains("HTTP/1.1 408 "))
        }
    }

    @Test func aStopWaitsNeitherForBodiesNorForReaders() async throws {
        let service = TestService(APIConfiguration(answerMilliseconds: 600_000)) { Self.large(8, &$0) }
        let slow = Mutex<[RawClient]>([])
        // It returns: that is the test.
        try await service.serve { port, stop in
            let clients = [try RawClient(port: port), try RawClient(port: port), try RawClient(port: port, receiveBytes: 4_096)]
            slow.withLock { $0 = clients }
            await clients[0].send(Self.body)
            await clients[1].send("GET /hea")
            await clients[2].send(Self.details)
            try await eventually(port, "freshet_http_held_bytes") { $0 > 8_000_000 }
            await stop()
        }
    }

    @Test func idleConnectionsMakeRoomForNewOnes() async throws {
        let service = TestService(APIConfiguration(maxConnections: 8))
        try await service.serve { port, _ in
            var idle: [RawClient] = []
            for _ in 0..<40 {
                idle.append(try RawClient(port: port))
                #expect(try await RawClient.get(port, "/healthz").hasPrefix("HTTP/1.1 200 "))
            }
            #expect(await idle[0].isClosed())
            let metrics = try await RawClient.get(port, "/metrics")
            #expect(metrics.contains("freshet_http_connections_limit 8\n"))
            #expect(!metrics.contains(#"freshet_http_connections_closed_total{cause="made_room"} 0"#))
            // The newest is still there.
            await idle[39].send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            #expect(await idle[39].receiveAll().hasPrefix("HTTP/1.1 200 "))
        }
        let lines = service.logged.all.filter { $0.contains("closed the oldest idle connections: the limit of 8 connections is reached") }
        #expect((1...20).contains(lines.count), "a flood is one line a minute, however slow the minutes are here: \(lines.count)")
    }

    @Test func connectionsThatSendBodiesSlowlyMakeRoomToo() async throws {
        try await TestService(APIConfiguration(maxConnections: 4, requestMilliseconds: 600_000)).serve { port, _ in
            let slow = try (0..<12).map { _ in try RawClient(port: port) }
            for client in slow { await client.send(Self.body) }
            #expect(try await RawClient.get(port, "/healthz").hasPrefix("HTTP/1.1 200 "))
            #expect(slow.count == 12)
        }
    }

    @Test func moreConnectionsThanDescriptorsLeaveRoomFor() {
        #expect(DescriptorLimit.connections(ofDescriptors: 1_024) == 768)
        #expect(DescriptorLimit.connections(ofDescriptors: 100) == 36)
        #expect(DescriptorLimit.connections(ofDescriptors: 10) == 1)
        #expect(DescriptorLimit.connections(ofDescriptors: 1_000_000) == 999_488)
        let limit = DescriptorLimit.raise()
        #expect(limit >= 256 && DescriptorLimit.raise() == limit)
    }

    @Test func aLimitBelowWhatIsAskedForIsSaid() {
        #expect(DescriptorLimit.shortage(room: 48, maxConnections: 48, maxConcurrentRequests: 1_024) == nil)
        let asked = DescriptorLimit.shortage(room: 48, maxConnections: 49, maxConcurrentRequests: 16)
        #expect(asked?.contains("http.max_connections is 49") == true && asked?.contains("room for 48") == true)
        // Nobody set it: each request that is answered at once needs a connection.
        let unset = DescriptorLimit.shortage(room: 48, maxConnections: nil, maxConcurrentRequests: 1_024)
        #expect(unset?.contains("room for 48 connections") == true && unset?.contains("http.max_concurrent_requests (1024)") == true)
        #expect(DescriptorLimit.shortage(room: 1_024, maxConnections: nil, maxConcurrentRequests: 1_024) == nil)
    }

    @Test func anAnswerThatIsNotReadEnds() async throws {
        let service = TestService(APIConfiguration(answerMilliseconds: 1_000)) { Self.large(8, &$0) }
        try await service.serve { port, _ in
            let clients = try (0..<3).map { _ in try RawClient(port: port, receiveBytes: 4_096) }
            for client in clients { await client.send(Self.details + Self.details + Self.details) }
            // How much is held meanwhile nobody can say here: on a busy machine all may be over between two looks.
            try await eventually(port, #"freshet_http_connections_closed_total{cause="slow_reader"}"#) { $0 >= 3 }
            try await eventually(port, "freshet_http_held_bytes") { $0 == 0 }
            for client in clients { #expect(await client.receiveAll().utf8.count < 8_000_000) }
            // Who reads gets all of it, however large.
            #expect(try await RawClient.get(port, "/v1/recommendations?n=1000&details").utf8.count > 8_000_000)
        }
    }

    @Test func whatIsHeldForAllCallersTogetherIsBounded() async throws {
        let service = TestService(APIConfiguration(answerMilliseconds: 600_000, maxHeldBytes: 20_000_000)) { Self.large(8, &$0) }
        try await service.serve { port, _ in
            let clients = try (0..<12).map { _ in try RawClient(port: port, receiveBytes: 4_096) }
            for client in clients {
                await client.send(Self.details)
                try await eventually(port, "freshet_http_held_bytes") { $0 < 20_000_000 }
            }
            try await eventually(port, #"freshet_http_connections_closed_total{cause="held_bytes"}"#) { $0 >= 9 }
            #expect(try await RawClient.get(port, "/v1/recommendations?n=1000&details").utf8.count > 8_000_000)
            #expect(await clients[0].receiveAll().utf8.count < 8_000_000)
        }
        #expect(service.logged.all.contains { $0.contains("http.max_held_bytes") })
    }

    @Test func aStreamThatIsNotReadEnds() async throws {
        let service = TestService(APIConfiguration(maxStreams: 1, answerMilliseconds: 1_000)) { operations in
            let statistics = operations.statistics
            operations.statistics = {
                var large = try await statistics()
                large.recentUserIDs = [String(repeating: "u", count: 8_000_000)]
                return large
            }
        }
        try await service.serve { port, _ in
            let client = try RawClient(port: port, receiveBytes: 4_096)
            await client.send("GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            // Its place is free again.
            try await eventually(port, #"freshet_http_connections_closed_total{cause="slow_reader"}"#) { $0 >= 1 }
            while true {
                let next = try RawClient(port: port)
                await next.send("GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
                if await next.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 ") { break }
            }
            await client.send("")
        }
    }
}

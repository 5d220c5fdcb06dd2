import AsyncHTTPClient
import Foundation

/// The serving workload against a running service: closed-loop connections as wrk makes them, then latency at a fixed rate, open-loop.
struct ServeBench: Sendable {
    let service: ServiceClient
    let users: [String]
    let connections: Int
    let seconds: Int
    /// Requests a second of the open loop; nil takes half of what the closed loop reached.
    let rate: Int?

    func run() async throws -> ResultLine {
        let closed = try await closedLoop()
        let perSecond = Double(closed.count) / Double(seconds)
        let asked = rate ?? max(1, Int(perSecond / 2))
        let open = try await openLoop(rate: asked)
        return ResultLine([
            "bench": .text("serve"), "connections": .integer(connections), "seconds": .integer(seconds),
            "rps": .number(perSecond.rounded()), "p50_ms": .number(closed.percentile(50)), "p99_ms": .number(closed.percentile(99)),
            "open_loop_rps": .integer(asked), "open_loop_p50_ms": .number(open.percentile(50)),
            "open_loop_p99_ms": .number(open.percentile(99)),
        ])
    }

    private func closedLoop() async throws -> LatencySample {
        let end = ContinuousClock.now + .seconds(seconds)
        return try await withThrowingTaskGroup(of: LatencySample.self) { group in
            for connection in 0..<connections {
                group.addTask {
                    var sample = LatencySample()
                    var number = connection
                    while ContinuousClock.now < end {
                        let start = ContinuousClock.now
                        _ = try await service.send(.GET, path(number), body: nil)
                        sample.add(start.duration(to: .now))
                        number += connections
                    }
                    return sample
                }
            }
            return try await group.reduce(into: LatencySample()) { $0.merge($1) }
        }
    }

    private func openLoop(rate: Int) async throws -> LatencySample {
        let start = ContinuousClock.now
        let total = rate * seconds
        return try await withThrowingTaskGroup(of: Duration.self) { group in
            for number in 0..<total {
                // Every request has its time, whether or not the ones before it are answered (coordinated omission).
                let due = start + .seconds(Double(number) / Double(rate))
                try await Task.sleep(until: due)
                group.addTask {
                    _ = try await service.send(.GET, path(number), body: nil)
                    return due.duration(to: .now)
                }
            }
            return try await group.reduce(into: LatencySample()) { $0.add($1) }
        }
    }

    private func path(_ number: Int) -> String {
        "/v1/recommendations?n=20&user_id=\(users[number &* 7_919 % users.count])"
    }
}

extension LatencySample {
    /// Takes in what another task measured.
    mutating func merge(_ other: LatencySample) {
        for value in other.milliseconds { add(.seconds(value / 1_000)) }
    }
}

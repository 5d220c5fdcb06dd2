import HTTPTypes
import HummingbirdCore
import Interactions
import Logging
import NIOCore
import Synchronization

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What all requests share.
package final class ServiceCore: Sendable {
    let operations: ServiceOperations
    let configuration: APIConfiguration
    let logger: Logger
    /// Reads bodies that are no records, by the rules of records.
    let decoder: RecordDecoder
    let metrics: RequestMetrics
    let idempotency: IdempotencyCache
    let deadlines = DeadlineClock()
    let rateLimit: RateLimit?
    let statistics: StatisticsCache
    let openStreams = Atomic<Int>(0)
    let connections: Connections
    private static let defaultMaxConnections = 10_000
    let ids = RequestIDs()
    /// Who may do what.
    let keys: KeyCheck
    /// By which names it is called.
    let hosts: HostRules
    /// What pages may do.
    let origins: OriginRules

    /// Makes what all routes share.
    package init(
        operations: ServiceOperations, configuration: APIConfiguration, logger: Logger,
        routes: [(method: String, route: String)]
    ) {
        self.operations = operations
        self.configuration = configuration
        keys = KeyCheck(configuration.keyRing, logger: logger)
        hosts = HostRules(configuration)
        origins = OriginRules(configuration, hosts: hosts)
        self.logger = logger
        // How long an id may be is checked with its place in hand: a user's may be that of a session's own person.
        decoder = RecordDecoder(
            rules: DecodingRules(maxRecordBytes: configuration.maxBodyBytes, maxIDBytes: configuration.maxBodyBytes))
        // No connection may be one more descriptor than the process has: its runtime ends without a word then.
        let room = DescriptorLimit.connections(ofDescriptors: DescriptorLimit.raise())
        if let shortage = DescriptorLimit.shortage(
            room: room, maxConnections: configuration.maxConnections, maxConcurrentRequests: configuration.maxConcurrentRequests) {
            logger.warning("\(shortage)")
        }
        connections = Connections(
            maxConnections: min(configuration.maxConnections ?? Self.defaultMaxConnections, room), maxHeldBytes: configuration.maxHeldBytes,
            limits: ConnectionLimits(
                idle: .seconds(Int64(configuration.idleConnectionSeconds)),
                request: .milliseconds(Int64(configuration.requestMilliseconds)),
                answer: .milliseconds(Int64(configuration.answerMilliseconds)),
                stop: .milliseconds(Int64(configuration.stopMilliseconds))),
            logger: logger)
        let metrics = RequestMetrics(routes: routes)
        self.metrics = metrics
        idempotency = IdempotencyCache(
            maxKeys: configuration.maxIdempotencyKeys, maxBytes: configuration.maxIdempotencyBytes,
            lifetimeSeconds: configuration.idempotencySeconds)
        rateLimit = configuration.maxRequestsPerSecond.map {
            RateLimit(requestsPerSecond: $0, burstRequests: configuration.rateBurstRequests, now: .now)
        }
        statistics = StatisticsCache {
            let statistics = try await operations.statistics()
            return statistics.json(
                serving: metrics.serving(second: ServiceCore.secondsSince1970()), parts: await operations.readiness())
        }
    }

    /// The wall clock in whole seconds.
    static func secondsSince1970() -> Int64 {
        Int64(Date().timeIntervalSince1970)
    }
}

/// Answers of JSON.
extension Response {
    init(json bytes: [UInt8], status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

/// The newest statistics for all who ask within half a second, read once.
actor StatisticsCache {
    private static let lifetime = Duration.milliseconds(500)
    private let read: @Sendable () async throws -> [UInt8]
    private var held: (bytes: [UInt8], at: ContinuousClock.Instant)?
    private var reading: Task<[UInt8], any Error>?

    init(_ read: @escaping @Sendable () async throws -> [UInt8]) {
        self.read = read
    }

    /// The wire form of the statistics.
    func bytes() async throws -> [UInt8] {
        if let held, ContinuousClock.now - held.at < Self.lifetime { return held.bytes }
        if let reading { return try await reading.value }
        let task = Task { [read] in try await read() }
        reading = task
        defer { reading = nil }
        let bytes = try await task.value
        held = (bytes, .now)
        return bytes
    }
}

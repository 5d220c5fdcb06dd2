import HummingbirdCore
import NIOCore

/// Takes each request through the concerns of answering, one after another, to the work of its route.
package struct ServiceResponder: Sendable {
    private let table: RouteTable
    private let core: ServiceCore
    private let chain: any RequestHandler

    /// The connections that requests come by.
    var connections: Connections { core.connections }

    init(table: RouteTable, core: ServiceCore) {
        self.table = table
        self.core = core
        chain = Self.chain(core)
    }

    /// Answers a request that came by `channel`; every failure becomes a problem.
    package func respond(to request: Request, channel: any Channel) async throws -> Response {
        let connection = core.connections[channel]
        await connection?.waitUntilTaken()
        var exchange = Exchange(service: core, request: request, table: table, connection: connection)
        return try await chain.handle(&exchange)
    }

    /// The concerns in their order, outermost first. What costs little and says no stands before what reads, waits or works.
    private static func chain(_ core: ServiceCore) -> any RequestHandler {
        let configuration = core.configuration
        let crossOrigin = CrossOrigin(allowedOrigins: configuration.allowedOrigins)
        let work = Admission(metrics: core.metrics, maxConcurrentRequests: configuration.maxConcurrentRequests)
            .then(
                RequestDeadline(clock: core.deadlines, limitMilliseconds: configuration.requestTimeoutMilliseconds).then(RouteWork()))
        let read = KnownQuery().then(BodyIntake(maxBytes: configuration.maxBodyBytes).then(work))
        let admitted = core.keys.then(CallerRates(limit: core.rateLimit).then(core.origins.then(read)))
        let addressed = RefusedHeads().then(core.hosts.then(KnownRoutes(crossOrigin: crossOrigin).then(admitted)))
        let told = AnswerMarks().then(ProblemDetails(logger: core.logger).then(addressed))
        let counted = AnswerCount(metrics: core.metrics).then(crossOrigin.then(told))
        return AccessLog(logger: core.logger).then(AuditLog(to: core.logger).then(counted))
    }
}

import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Every route of the service, in the order of the OpenAPI document.
public struct RouteDescription: Sendable, Hashable {
    /// `GET`, `POST`, …
    public let method: String
    /// `/v1/items/{id}/similar`
    public let path: String
    /// What the caller's key must open; nil for everybody.
    public let scope: AccessScope?
}

/// The routes that ``RecommendationServer`` serves.
public let routeDescriptions: [RouteDescription] = allRoutes.map {
    RouteDescription(method: $0.method.rawValue, path: $0.template, scope: $0.scope)
}

private let allRoutes =
    RecommendationRoutes.routes + IntakeRoutes.routes + LookupRoutes.routes + ServiceRoutes.routes

/// Makes what answers requests, without a port: ``RecommendationServer`` lets it listen, and tests ask it directly.
package func makeResponder(
    operations: ServiceOperations, configuration: APIConfiguration = APIConfiguration(), logger: Logger = Logger(label: "freshet.http")
) -> ServiceResponder {
    var routes = allRoutes
    if operations.foreign != nil {
        if configuration.servesGorse { routes += GorseDoor.routes }
        if configuration.servesMetarank { routes += MetarankRoutes.routes }
    }
    let core = ServiceCore(
        operations: operations, configuration: configuration, logger: logger, routes: routes.map { ($0.method.rawValue, $0.template) })
    return ServiceResponder(table: RouteTable(routes), core: core)
}

/// The HTTP service, to be run in a `ServiceGroup`. It stops accepting on a graceful shutdown and answers what it has begun.
public struct RecommendationServer: Service {
    private let server: Server<ServiceChannel>
    private let configuration: APIConfiguration

    /// Makes the service; nothing listens before ``run()``.
    ///
    /// - Parameter onListening: called with the port once the service listens.
    public init(
        operations: ServiceOperations, configuration: APIConfiguration = APIConfiguration(),
        logger: Logger = Logger(label: "freshet.http"), onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        let responder = makeResponder(operations: operations, configuration: configuration, logger: logger)
        let connections = responder.connections
        // The framework logs each connection at info; ours says once where it listens.
        var frameworkLogger = logger
        frameworkLogger.logLevel = max(logger.logLevel, .warning)
        let dates = AnswerDates()
        server = Server(
            childChannelSetup: ServiceChannel(
                responder: { request, writer, channel in
                    var response = try await responder.respond(to: request, channel: channel)
                    response.headers[.date] = dates.header(second: ServiceCore.secondsSince1970())
                    do {
                        try await writer.write(response: response.head, body: response.body)
                    } catch is HTTPParserError {
                        // As itself it would have the framework write another answer into this one.
                        throw BrokenAnswer()
                    }
                }, connections: connections),
            configuration: ServerConfiguration(address: .hostname(configuration.host, port: configuration.port), backlog: 1_024),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? configuration.port
                connections.sweep(under: channel)
                try? await channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(AcceptWatch(connections), position: .first)
                }.get()
                logger.info("listening", metadata: ["url": "http://\(configuration.host):\(port)"])
                await onListening(port)
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: frameworkLogger)
    }

    /// The request that was being answered turned out to be none.
    private struct BrokenAnswer: Error {}

    /// Listens and answers until the group shuts down.
    /// - Throws: ``ListenError`` where the address cannot be had.
    public func run() async throws {
        do {
            try await server.run()
        } catch let error as IOError {
            throw ListenError(error, configuration)
        } catch let error as SocketAddressError {
            throw ListenError(badAddress: error, configuration)
        } catch let error as SocketAddressError.UnknownHost {
            throw ListenError(badAddress: error, configuration)
        }
    }
}

/// Why the service could not listen.
public struct ListenError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it was.
    public enum Code: Sendable, Equatable {
        case portTaken, notPermitted, badAddress, other
    }

    /// What kind of failure it was.
    public let code: Code
    /// True where it may work later: the port may become free.
    public var isRetriable: Bool { code == .portTaken }
    /// What was wrong, where, and what to do.
    public let description: String

    init(_ error: IOError, _ configuration: APIConfiguration) {
        let place = "\(configuration.host):\(configuration.port)"
        switch error.errnoCode {
        case EADDRINUSE:
            code = .portTaken
            description =
                "Cannot listen on \(place): another program has the port. Stop it, or choose another with http.port (FRESHET_HTTP_PORT)."
        case EACCES, EPERM:
            code = .notPermitted
            description = "Cannot listen on \(place): not permitted. Ports below 1024 need a privilege; choose a higher http.port."
        case EADDRNOTAVAIL:
            code = .badAddress
            description = "Cannot listen on \(place): this machine has no such address. Correct http.host."
        default:
            code = .other
            description = "Cannot listen on \(place): \(error)."
        }
    }

    init(badAddress error: any Error, _ configuration: APIConfiguration) {
        code = .badAddress
        description = "Cannot listen on \(configuration.host): the name or address is not known (\(error)). Correct http.host."
    }
}

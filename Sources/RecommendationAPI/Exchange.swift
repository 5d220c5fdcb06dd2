import HTTPTypes
import HummingbirdCore
import NIOCore

/// One request on its way through the service, with what each concern has found out about it.
package struct Exchange: Sendable {
    let service: ServiceCore
    /// What was asked.
    package let request: Request
    /// The connection that it came in by; nil where a test asks without one.
    let connection: Connection?
    /// Names the answer; also the `X-Request-Id` where the caller sent none.
    package let requestID: String
    let began: ContinuousClock.Instant
    let match: RouteTable.Match
    /// The route; ``Route/none`` where it met none, which ``KnownRoutes`` sees to.
    let found: Route
    /// Whether a look-up says that somebody only looks. What the body of a POST says is for its route to tell.
    package let asksForPreview: Bool
    /// Who was let in by ``KeyCheck``; nil before, and where it refused.
    package var admitted: Caller?
    /// The number of the caller's key in the ring, or -1.
    package var caller: Int { admitted?.number ?? -1 }
    /// Where the request comes from.
    let address: SocketAddress?
    /// What stands for that address among those who send wrong keys; nil where it is not known.
    let origin: UInt64?
    /// What stands in the query; whole behind ``KnownQuery``.
    package private(set) var query = QueryParameters()
    private var isQueryRead = false
    /// The body, where the route takes one; set by ``BodyIntake``.
    package var body: [UInt8] = []

    /// A caller that was let in.
    package struct Caller: Sendable, Equatable {
        /// The number of its key in the ring; -1 where none is needed.
        package let number: Int
        /// The name of its key, which is no secret; nil where none is needed.
        package let name: String?

        /// A caller.
        package init(number: Int, name: String?) {
            self.number = number
            self.name = name
        }
    }

    /// A request that has come, and its route.
    init(service: ServiceCore, request: Request, table: RouteTable, connection: Connection?, address: SocketAddress? = nil) {
        self.service = service
        self.address = address ?? connection?.address
        origin = connection?.origin ?? KeyGuesses.origin(address)
        self.request = request
        self.connection = connection
        began = .now
        requestID = service.ids.next()
        match = table.match(request.method, path: request.uri.path)
        if case .found(let index, _) = match { found = table.routes[index] } else { found = .none }
        guard found.parameters.takesPreview, let read = try? QueryParameters(request.uri.query) else {
            asksForPreview = false
            return
        }
        query = read
        isQueryRead = true
        asksForPreview = (try? read.flag(KnownParameters.preview)) ?? false
    }

    /// The same, without a connection.
    package init(service: ServiceCore, request: Request, table: RouteTable, address: SocketAddress? = nil) {
        self.init(service: service, request: request, table: table, connection: nil, address: address)
    }

    /// Reads the query where nobody has.
    mutating func readQuery() throws(Problem) {
        guard !isQueryRead else { return }
        query = try QueryParameters(request.uri.query)
        isQueryRead = true
    }

    /// The place of the route in the table, or -1.
    var route: Int { matchedRoute ?? -1 }

    /// The same, or nil where it met none.
    var matchedRoute: Int? { if case .found(let index, _) = match { index } else { nil } }

    /// What stood where the route's template has `{…}`, decoded.
    var parameters: [String] { if case .found(_, let values) = match { values } else { [] } }
}

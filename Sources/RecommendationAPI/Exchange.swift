import HTTPTypes
import HummingbirdCore

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
    /// The number of the caller's key in the ring, or -1; set by ``KeyCheck``.
    package var caller = -1
    /// What stands in the query; whole behind ``KnownQuery``.
    package private(set) var query = QueryParameters()
    private var isQueryRead = false
    /// The body, where the route takes one; set by ``BodyIntake``.
    package var body: [UInt8] = []

    /// A request that has come, and its route.
    init(service: ServiceCore, request: Request, table: RouteTable, connection: Connection?) {
        self.service = service
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
    package init(service: ServiceCore, request: Request, table: RouteTable) {
        self.init(service: service, request: request, table: table, connection: nil)
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

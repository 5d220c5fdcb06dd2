import HTTPTypes
import HummingbirdCore

/// The parameters that a route reads from its query. Any other one is refused: a misspelt one must not be answered as if it were not there.
package struct KnownParameters: Sendable {
    /// What marks a question of somebody who only looks: nothing of it is stored, and it is in no figure.
    static let preview = "preview"

    /// Whatever it is: of pages, whose links others write.
    static let any = KnownParameters(prefixes: [""])

    let names: [String]
    /// Beginnings of names that go on as the caller likes: `context.`.
    let prefixes: [String]

    /// Names that a query may have, and prefixes of such names.
    package init(_ names: [String] = [], prefixes: [String] = []) {
        self.names = names
        self.prefixes = prefixes
    }

    var takesPreview: Bool { names.contains(Self.preview) }
}

/// A method and a path, what they need, and what they do. An object, since it goes along with every request.
package final class Route: Sendable {
    /// Stands for no route: what ``KnownRoutes`` lets through is another.
    static let none = Route(.get, "", scope: nil, isTimed: false, isLimited: false) { _ in
        throw Problem(.notFound, "unknown-route", "There is nothing at this path. See /openapi.json for what there is.")
    }

    /// The method that it answers.
    package let method: HTTPRequest.Method
    /// `/v1/items/{id}/similar`, as the OpenAPI document writes it.
    package let template: String
    /// What the caller's key must open; nil for everybody.
    let scope: AccessScope?
    /// A further scope that opens this route alone.
    let orScope: AccessScope?
    let takesBody: Bool
    let parameters: KnownParameters
    /// False for what goes on for as long as the caller listens.
    let isTimed: Bool
    /// False for probes, which must be answered when the service is full, too.
    let isLimited: Bool
    /// Whether what is answered is written down as shown.
    let recordsImpressions: Bool
    /// What a request does that is written down whoever may do it, in words without ids of users; nil for all else.
    let audit: (@Sendable (Exchange) -> String)?
    let handle: @Sendable (Exchange) async throws -> Response
    let segments: [Substring]

    /// Makes a route.
    package init(
        _ method: HTTPRequest.Method, _ template: String, scope: AccessScope?, or orScope: AccessScope? = nil,
        takesBody: Bool = false, parameters: KnownParameters = KnownParameters(), isTimed: Bool = true, isLimited: Bool = true,
        recordsImpressions: Bool = false, audit: (@Sendable (Exchange) -> String)? = nil,
        handle: @escaping @Sendable (Exchange) async throws -> Response
    ) {
        self.method = method
        self.template = template
        self.scope = scope
        self.orScope = orScope
        self.takesBody = takesBody
        self.parameters = parameters
        self.isTimed = isTimed
        self.isLimited = isLimited
        self.recordsImpressions = recordsImpressions
        self.audit = audit
        self.handle = handle
        segments = template.split(separator: "/")
    }
}

/// Finds the route of a request.
///
/// A table of its own rather than the framework's router: it tells an unknown path (404) from a known one under another method
/// (405 with `Allow`), decodes a segment after it was split off (so that `%2F` may stand in an id), and can be walked by the
/// test that holds it against the OpenAPI document.
package struct RouteTable: Sendable {
    enum Match: Sendable {
        case found(Int, parameters: [String])
        /// The path is known, the method is not: the methods that are.
        case otherMethods([HTTPRequest.Method])
        /// A segment is no percent-encoded UTF-8.
        case badEncoding
        case unknown
    }

    let routes: [Route]
    /// Routes without parameters, by path.
    private let fixed: [String: [Int]]
    /// Routes with parameters, by the number of segments.
    private let patterns: [Int: [Int]]

    /// A table of these routes.
    package init(_ routes: [Route]) {
        self.routes = routes
        var fixed: [String: [Int]] = [:]
        var patterns: [Int: [Int]] = [:]
        for (index, route) in routes.enumerated() {
            if route.template.contains("{") {
                patterns[route.segments.count, default: []].append(index)
            } else {
                fixed[route.template, default: []].append(index)
            }
        }
        self.fixed = fixed
        self.patterns = patterns
    }

    /// Matches a raw path, still percent-encoded. A `HEAD` is matched as a `GET`.
    func match(_ method: HTTPRequest.Method, path: String) -> Match {
        let method = method == .head ? .get : method
        var path = GorseDoor.path(path)
        if path.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        if let candidates = fixed[path] { return choose(method, candidates, parameters: []) }
        let segments = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let candidates = patterns[segments.count] else { return .unknown }
        let matching = candidates.filter { index in
            zip(routes[index].segments, segments).allSatisfy { pattern, segment in
                pattern.utf8.first == UInt8(ascii: "{") || pattern.utf8.elementsEqual(segment)
            }
        }
        guard let first = matching.first else { return .unknown }
        var parameters: [String] = []
        for (pattern, segment) in zip(routes[first].segments, segments) where pattern.utf8.first == UInt8(ascii: "{") {
            guard let text = PercentEncoding.decode(segment, plusIsSpace: false) else { return .badEncoding }
            parameters.append(text)
        }
        return choose(method, matching, parameters: parameters)
    }

    private func choose(_ method: HTTPRequest.Method, _ candidates: [Int], parameters: [String]) -> Match {
        for index in candidates where routes[index].method == method { return .found(index, parameters: parameters) }
        var methods = candidates.map { routes[$0].method }
        if methods.contains(.get) { methods.append(.head) }
        return .otherMethods(methods + [.options])
    }
}

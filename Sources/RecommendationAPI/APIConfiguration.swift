/// What a caller may do. Scopes do not imply each other: a key lists all that it has.
public enum AccessScope: String, Sendable, CaseIterable {
    /// Recommendations, look-ups, statistics.
    case read
    /// Events, items and users.
    case write
    /// Promotion and rollback of models.
    case admin
    /// `/metrics` and nothing else; ``read`` opens it too.
    case metrics
}

/// A key that callers send as `X-API-Key` or as `Authorization: Bearer`.
///
/// The description shows the name and the scopes, never the secret.
public struct APIKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A name for logs and rate limits.
    public let name: String
    /// The scopes that it opens.
    public let scopes: Set<AccessScope>
    let secret: [UInt8]

    /// Makes a key. The secret is compared byte for byte in constant time.
    public init(name: String, secret: String, scopes: Set<AccessScope>) {
        self.name = name
        self.secret = Array(secret.utf8)
        self.scopes = scopes
    }

    /// Tells this key from others without showing the secret: of use within this process only.
    public var fingerprint: Int {
        var hasher = Hasher()
        hasher.combine(secret)
        hasher.combine(scopes)
        return hasher.finalize()
    }

    /// The name and the scopes.
    public var description: String { "APIKey(\(name): \(scopes.map(\.rawValue).sorted().joined(separator: ", ")))" }
    /// The same.
    public var debugDescription: String { description }
    /// The name alone, so that dumps show no secret.
    public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}

/// Settings of the HTTP service. Every bound carries its unit in its name.
public struct APIConfiguration: Sendable {
    /// The address to listen on; loopback unless configured.
    public var host: String
    /// The port to listen on; 0 picks a free one.
    public var port: Int
    /// Keys that callers may present. None means that every caller may do everything.
    public var apiKeys: [APIKey] {
        get { keyRing.keys }
        set { keyRing = KeyRing(newValue) }
    }
    /// The same, to be exchanged while the service runs; copies of this configuration share it.
    public private(set) var keyRing: KeyRing
    /// Web pages of these origins (`https://shop.example`) may call the service from a browser.
    public var allowedOrigins: [String]
    /// A larger request body is refused with 413.
    public var maxBodyBytes: Int
    /// More events in one request are refused with 413.
    public var maxEventsPerRequest: Int
    /// The largest `n`.
    public var maxRecommendations: Int
    /// The `n` of a request that names none.
    public var defaultRecommendations: Int
    /// The largest number of ids in `items` and in `exclude`.
    public var maxListedItems: Int
    /// The longest id in UTF-8 bytes.
    public var maxIDBytes: Int
    /// A request that takes longer is answered with 504.
    public var requestTimeoutMilliseconds: Int
    /// More requests at once are answered with 503 and `Retry-After`.
    public var maxConcurrentRequests: Int
    /// Requests a second that each key may make, or all callers together where there are no keys; nil means no limit.
    /// More are answered with 429 and `Retry-After`.
    public var maxRequestsPerSecond: Int?
    /// Requests that may come at once before ``maxRequestsPerSecond`` holds them back.
    public var rateBurstRequests: Int
    /// Answers kept for repeated `Idempotency-Key`s.
    public var maxIdempotencyKeys: Int
    /// Memory of these answers and their keys; the oldest go first.
    public var maxIdempotencyBytes: Int
    /// How long such an answer is kept.
    public var idempotencySeconds: Int
    /// Open `/v1/stream` connections.
    public var maxStreams: Int
    /// A connection without a request for this long is closed.
    public var idleConnectionSeconds: Int
    /// Names beside those of this machine by which a service without keys on loopback may be called, such as a proxy's.
    public var allowedHosts: [String]
    /// Open connections; the oldest idle ones make room for new ones. nil: as many as the limit of open files leaves room for.
    public var maxConnections: Int?
    /// A request that has not come in whole after this long is answered with 408, and its connection closed.
    public var requestMilliseconds: Int
    /// A caller that reads next to nothing of its answer for this long is cut off.
    public var answerMilliseconds: Int
    /// Bytes of bodies and answers held for all callers together; the slowest are cut off beyond it.
    public var maxHeldBytes: Int
    /// Whether clients of Gorse are served, under `/api`.
    public var servesGorse = true
    /// Whether clients of Metarank are served, at `/feedback`, `/rank` and `/recommend`.
    public var servesMetarank = true
    /// When the service stops, connections are closed after this long, whatever they do.
    public var stopMilliseconds: Int

    /// Makes a configuration; the defaults serve one machine on loopback.
    public init(
        host: String = "127.0.0.1", port: Int = 8080, apiKeys: [APIKey] = [], allowedOrigins: [String] = [],
        maxBodyBytes: Int = 4 << 20, maxEventsPerRequest: Int = 1_000, maxRecommendations: Int = 1_000,
        defaultRecommendations: Int = 10, maxListedItems: Int = 1_000, maxIDBytes: Int = 256,
        requestTimeoutMilliseconds: Int = 10_000, maxConcurrentRequests: Int = 1_024,
        maxRequestsPerSecond: Int? = nil, rateBurstRequests: Int = 100, maxIdempotencyKeys: Int = 10_000,
        maxIdempotencyBytes: Int = 16 << 20, idempotencySeconds: Int = 3_600, maxStreams: Int = 32, idleConnectionSeconds: Int = 120,
        allowedHosts: [String] = [], maxConnections: Int? = nil, requestMilliseconds: Int = 30_000,
        answerMilliseconds: Int = 30_000, maxHeldBytes: Int = 512 << 20, stopMilliseconds: Int = 15_000
    ) {
        self.host = host
        self.port = port
        keyRing = KeyRing(apiKeys)
        self.allowedOrigins = allowedOrigins
        self.maxBodyBytes = maxBodyBytes
        self.maxEventsPerRequest = maxEventsPerRequest
        self.maxRecommendations = maxRecommendations
        self.defaultRecommendations = defaultRecommendations
        self.maxListedItems = maxListedItems
        self.maxIDBytes = maxIDBytes
        self.requestTimeoutMilliseconds = requestTimeoutMilliseconds
        self.maxConcurrentRequests = maxConcurrentRequests
        self.maxRequestsPerSecond = maxRequestsPerSecond
        self.rateBurstRequests = rateBurstRequests
        self.maxIdempotencyKeys = maxIdempotencyKeys
        self.maxIdempotencyBytes = maxIdempotencyBytes
        self.idempotencySeconds = idempotencySeconds
        self.maxStreams = maxStreams
        self.idleConnectionSeconds = idleConnectionSeconds
        self.allowedHosts = allowedHosts
        self.maxConnections = maxConnections
        self.requestMilliseconds = requestMilliseconds
        self.answerMilliseconds = answerMilliseconds
        self.maxHeldBytes = maxHeldBytes
        self.stopMilliseconds = stopMilliseconds
    }

    /// True where the service can be reached from this machine only. It asks the resolver where ``host`` is a name.
    public var listensOnLoopbackOnly: Bool { LoopbackAddress.isAll(of: host) }
}

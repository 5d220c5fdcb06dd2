import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Interactions
import Logging
import NIOCore
import RecommendationAPI
import Recommending
import Synchronization
import Testing

/// Operations that remember what they were asked and answer as they are told.
final class TestService: Sendable {
    struct Seen {
        var recommendations: [RecommendationRequest] = []
        var similar: [SimilarItemsRequest] = []
        /// The text of each event of each submission.
        var events: [[String]] = []
        var waited: [Bool] = []
        var records: [(route: String, id: String, body: String)] = []
        var promoted: [Int] = []
        var statisticsReads = 0
    }

    let seen = Mutex(Seen())
    let configuration: APIConfiguration
    let logged = LoggedLines()
    private let change: @Sendable (inout ServiceOperations) -> Void

    init(
        _ configuration: APIConfiguration = APIConfiguration(),
        _ change: @escaping @Sendable (inout ServiceOperations) -> Void = { _ in }
    ) {
        var configuration = configuration
        // Other tests keep the processors busy meanwhile: how long an answer takes decides no test but those that set a limit.
        if configuration.requestTimeoutMilliseconds == APIConfiguration().requestTimeoutMilliseconds {
            configuration.requestTimeoutMilliseconds = 600_000
        }
        self.configuration = configuration
        self.change = change
    }

    static let list: @Sendable (String, String?, Int) -> RecommendationList = { requestID, userID, count in
        let reasons = RecommendationReason.allCases
        return RecommendationList(
            requestID: requestID, userID: userID, modelVersion: 3,
            items: (0..<count).map {
                RecommendedEntry(itemID: "i\($0)", score: 1 - Float($0) / 128, reason: reasons[$0 % reasons.count])
            }, isColdUser: userID == "stranger")
    }

    var operations: ServiceOperations {
        let record: @Sendable (String) -> @Sendable (RecordSubmission) async throws -> IntakeOutcome = { route in
            { submission in
                self.seen.withLock {
                    $0.records.append((route, submission.id, String(decoding: submission.body, as: UTF8.self)))
                    $0.waited.append(submission.waitsForCommit)
                }
                return IntakeOutcome(accepted: 1, watermark: "2:8")
            }
        }
        let deletion: @Sendable (String) -> @Sendable (DeletionRequest) async throws -> IntakeOutcome = { route in
            { request in
                self.seen.withLock {
                    $0.records.append((route, request.id, ""))
                    $0.waited.append(request.waitsForCommit)
                }
                return IntakeOutcome(accepted: 1)
            }
        }
        var operations = ServiceOperations(
            recommend: { request in
                self.seen.withLock { $0.recommendations.append(request) }
                return Self.list(request.requestID, request.userID, request.count)
            },
            similar: { request in
                self.seen.withLock { $0.similar.append(request) }
                return Self.list(request.requestID, nil, request.count)
            },
            submitEvents: { self.take($0) },
            putItem: record("put item"), deleteItem: deletion("delete item"), putUser: record("put user"),
            deleteUser: deletion("delete user"),
            user: { id in
                id == "nobody" ? nil : UserView(
                    userID: id, attributes: #"{"age":25}"#, aliases: ["session:s4"],
                    history: [
                        UserView.HistoryLine(
                            itemID: "i9", type: .addToCart, time: EventTime(milliseconds: 1_700_000_000_123),
                            item: ItemSummary(itemID: "i9", title: "Shoe \"9\"", categories: ["shoes"]))
                    ], counts: InteractionCounts(clicks: 4))
            },
            item: { id in
                id == "nothing" ? nil : ItemView(
                    record: ItemRecord(
                        itemID: id, title: "Tab\there", categories: ["a"], priceMicros: 89_900_000, currency: "EUR",
                        attributes: #"{"brand":"Acme"}"#), indexState: .fresh, catalogueVersion: 7)
            },
            models: { [ModelVersionView(version: 3, isPromoted: true, status: "promoted", metrics: ["ndcg@10": 0.125])] },
            promote: { version, request in
                guard version < 9 else { throw ServiceError(.notFound, "There is no model version \(version).") }
                guard version != 8 || request.force else { throw ServiceError(.conflict, "The gate refused version 8.") }
                self.seen.withLock { $0.promoted.append(version) }
                return ModelVersionView(
                    version: version, isPromoted: true, status: "promoted", note: request.reason, refusal: version == 8 ? "worse" : nil)
            },
            rollback: { _ in throw ServiceError(.conflict, "No version served before this one.") },
            statistics: {
                self.seen.withLock { $0.statisticsReads += 1 }
                return ServiceStatistics(
                    time: EventTime(milliseconds: 1_700_000_000_000), eventsTotal: 12, eventsByType: ["click": 12],
                    eventSeries: [RatePoint(second: 1_700_000_000, count: 5)], lagRecords: 4,
                    deadLettersByCode: ["missing_field": 2], items: 50, users: 9, recentUserIDs: ["u1"],
                    refusals: RefusalStatistics(
                        total: 5, inARow: 2, version: 7, at: EventTime(milliseconds: 1_700_000_000_000), reason: "worse by 7 %"))
            },
            readiness: { [PartStatus(name: "database", isReady: true, detail: "schema 1")] },
            gauges: {
                [
                    Gauge(name: "freshet_lag", help: "Lag.", labels: ["partition": "0"], value: 1.5),
                    Gauge(name: "freshet_other", help: "A \\ and\na line.", kind: .counter, value: 2),
                    Gauge(name: "freshet_lag", help: "Lag.", labels: ["partition": "\"1\""], value: 3),
                ]
            },
            export: { id in
                guard id != "nobody" else { return nil }
                // Of three pages one is empty, which is not the end.
                let pages = Mutex([[#"{"kind":"user"}"#], [], [#"{"kind":"interaction"}"#, #"{"kind":"interaction"}"#]])
                return PersonalData(ids: [id, "session:s4"]) {
                    if id == "broken", pages.withLock({ $0.count }) == 1 { throw ServiceError(.unavailable, "the database is away") }
                    return pages.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                }
            })
        change(&operations)
        return operations
    }

    private func take(_ submission: EventSubmission) -> IntakeOutcome {
        let texts = (0..<submission.count).map { index in
            submission.withEvent(at: index) { String(decoding: $0, as: UTF8.self) }
        }
        seen.withLock {
            $0.events.append(texts)
            $0.waited.append(submission.waitsForCommit)
        }
        var outcome = IntakeOutcome(
            accepted: 0, watermark: "events:0=5", isCommitted: submission.waitsForCommit ? true : nil)
        for (index, text) in texts.enumerated() {
            if text.contains("user_id") {
                outcome.accepted += 1
            } else {
                outcome.refusals.append(
                    IntakeOutcome.Refusal(
                        index: index, rejection: Rejection(.missingField, field: "user_id", "`user_id` is missing")))
            }
        }
        return outcome
    }

    /// Talks to the routes directly.
    func test(_ body: @Sendable (any TestClientProtocol) async throws -> Void) async throws {
        let logged = logged
        let logger = Logger(label: "test", factory: { _ in logged.handler() })
        let responder = makeResponder(operations: operations, configuration: configuration, logger: logger)
        let application = Application(responder: RoutedResponder(responder: responder), logger: logger)
        try await application.test(.router, body)
    }
}

/// The service's routes as the framework's test client asks them.
struct RoutedResponder: HTTPResponder {
    struct Context: RequestContext {
        var coreContext: CoreRequestContextStorage
        let channel: any Channel

        init(source: ApplicationRequestContextSource) {
            coreContext = CoreRequestContextStorage(source: source)
            channel = source.channel
        }
    }

    let responder: ServiceResponder

    func respond(to request: Request, context: Context) async throws -> Response {
        try await responder.respond(to: request, channel: context.channel)
    }
}

/// Keeps every log line, at every level.
final class LoggedLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func handler() -> any LogHandler { Handler(target: self) }

    private struct Handler: LogHandler {
        let target: LoggedLines
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            target.lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
        }
    }
}

/// An answer, with its body read as JSON where a test asks.
struct Answer {
    let status: Int
    let headers: HTTPFields
    let text: String

    subscript(header: String) -> String? { HTTPField.Name(header).flatMap { headers[$0] } }

    func object() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    /// Checks that it is a problem as RFC 9457 has it, and gives its last part of `type` back.
    func problem(_ status: Int) throws -> String {
        #expect(self.status == status, "\(text)")
        #expect(self["Content-Type"] == "application/problem+json")
        let object = try object()
        #expect(object["status"] as? Int == status)
        #expect((object["title"] as? String)?.isEmpty == false)
        #expect((object["detail"] as? String)?.isEmpty == false)
        #expect((object["instance"] as? String)?.hasPrefix("urn:freshet:request:") == true)
        let type = try #require(object["type"] as? String)
        #expect(type.hasPrefix("urn:freshet:problem:"))
        return String(type.dropFirst("urn:freshet:problem:".count))
    }
}

extension TestClientProtocol {
    func send(
        _ method: HTTPRequest.Method, _ uri: String, _ body: String? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        try await send(method, uri, bytes: body.map { Array($0.utf8) }, headers: headers)
    }

    func send(
        _ method: HTTPRequest.Method, _ uri: String, bytes: [UInt8]?, headers: [String: String] = [:]
    ) async throws -> Answer {
        var fields: HTTPFields = [:]
        for (name, value) in headers { fields[try #require(HTTPField.Name(name))] = value }
        return try await execute(uri: uri, method: method, headers: fields, body: bytes.map { ByteBuffer(bytes: $0) }) {
            Answer(status: $0.status.code, headers: $0.headers, text: String(buffer: $0.body))
        }
    }
}

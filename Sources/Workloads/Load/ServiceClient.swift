import Console
import Foundation
import HTTPCalls

/// A client of a running service, for measurements and demonstrations.
public struct ServiceClient: Sendable {
    /// The part of an answer that measuring needs.
    public struct Answer: Decodable, Sendable {
        /// One place of the list, by the names of the wire.
        public struct Item: Decodable, Sendable, Equatable {
            /// What is recommended.
            public let item_id: String
            let score: Double
            let reason: String
            let exploration: Bool?
        }

        /// What an event may name as the list that it comes from.
        public let request_id: String
        /// The model that answered; nil where none serves.
        package let model_version: Int?
        let watermark: String?
        /// Best first.
        public let items: [Item]
    }

    /// What `POST /v1/events` says.
    public struct Intake: Decodable, Sendable {
        /// Events that were taken.
        public let accepted: Int
        let rejected: Int
        let watermark: String?
    }

    /// A status other than 2xx.
    public struct Refused: Error, CustomStringConvertible {
        /// The status.
        public let status: Int
        /// What came with it.
        public let body: String
        /// Both, cut to what a line can hold.
        public var description: String { "the service answered \(status): \(body.prefix(300))" }
    }

    static let maxAnswerBytes = 4 << 20

    /// Loads have hundreds of requests under way.
    static let maxConnections = 1_024

    /// The service's URL.
    public let base: String
    private let caller: HTTPCaller
    private let apiKey: String?
    private let leastTimeout: Duration

    /// Makes a client; nothing is connected before the first request.
    ///
    /// - Throws: ``CommandFailure`` where `base` is no URL that can be asked.
    public init(base: String, apiKey: String?) throws {
        try self.init(base: base, apiKey: apiKey, leastTimeout: .zero)
    }

    /// The same with more patience than each request asks for, as tests on a busy machine need it.
    package init(base: String, apiKey: String?, leastTimeout: Duration) throws {
        self.base = base
        self.apiKey = apiKey
        self.leastTimeout = leastTimeout
        do {
            caller = try HTTPCaller(HTTPAddress(base), maxConnections: Self.maxConnections)
        } catch {
            throw CommandFailure(error.message)
        }
    }

    /// `GET /v1/recommendations`
    ///
    /// - Parameters:
    ///   - count: items asked for (`n`).
    ///   - timeout: from now to the whole answer.
    /// - Throws: ``Refused`` for a status other than 2xx; `HTTPCallError` where there is no answer.
    public func recommendations(
        userID: String, count: Int, category: String? = nil, exclude: [String] = [], timeout: Duration = .seconds(10)
    ) async throws -> Answer {
        var path = "/v1/recommendations?user_id=\(Self.escaped(userID))&n=\(count)"
        if let category { path += "&category=\(Self.escaped(category))" }
        for item in exclude { path += "&exclude=\(Self.escaped(item))" }
        return try JSONDecoder().decode(Answer.self, from: try await send(.get, path, body: nil, timeout: timeout))
    }

    /// Asks until an answer is as wanted.
    ///
    /// - Parameters:
    ///   - start: what the time is measured from.
    ///   - pause: between two questions: every answer is also an impression of each of its items, which the database must store.
    /// - Returns: the answer, and when it was there; nil where none came within `limit`.
    func recommendations(
        userID: String, count: Int, category: String? = nil, since start: ContinuousClock.Instant, within limit: Duration, pause: Duration,
        until isWanted: (Answer) -> Bool
    ) async throws -> (answer: Answer, took: Duration)? {
        while start.duration(to: .now) < limit {
            let answer = try await recommendations(userID: userID, count: count, category: category)
            if isWanted(answer) { return (answer, start.duration(to: .now)) }
            try await Task.sleep(for: pause)
        }
        return nil
    }

    /// `POST /v1/events`
    ///
    /// - Parameter events: JSON objects.
    /// - Throws: ``Refused`` for a status other than 2xx; `HTTPCallError` where there is no answer.
    public func post(events: [String], timeout: Duration = .seconds(10)) async throws -> Intake {
        let body = "[" + events.joined(separator: ",") + "]"
        return try JSONDecoder().decode(Intake.self, from: try await send(.post, "/v1/events", body: body, timeout: timeout))
    }

    /// Any request; the answer's bytes, if its status is 2xx.
    func send(_ method: HTTPCall.Method, _ path: String, body: String?, timeout: Duration = .seconds(10)) async throws -> Data {
        var call = HTTPCall(method, path, body: body.map { Array($0.utf8) })
        call.timeout = max(timeout, leastTimeout)
        call.maxAnswerBytes = Self.maxAnswerBytes
        if let apiKey { call.headers.append(("X-API-Key", apiKey)) }
        if body != nil { call.headers.append(("Content-Type", "application/json")) }
        let answer = try await caller.send(call)
        guard (200..<300).contains(answer.status) else {
            throw Refused(status: answer.status, body: String(decoding: answer.body, as: UTF8.self))
        }
        return Data(answer.body)
    }

    /// A new record with the content of an item, as JSON; nil where the item is not there any more.
    ///
    /// - Parameter categories: in place of the item's own; nil keeps those.
    func contentOfItem(_ id: String, categories: [String]? = nil) async throws -> String? {
        let data: Data
        do {
            data = try await send(.get, "/v1/items/\(Self.escaped(id))", body: nil)
        } catch let refused as Refused where refused.status == 404 {
            return nil
        }
        guard let record = try JSONSerialization.jsonObject(with: data) as? [String: Any] else { return nil }
        let names = ["title", "description", "categories", "tags", "price", "currency", "attributes"]
        var kept = record.filter { names.contains($0.key) && !($0.value is NSNull) }
        if let categories { kept["categories"] = categories }
        return String(decoding: try JSONSerialization.data(withJSONObject: kept), as: UTF8.self)
    }

    static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }
}

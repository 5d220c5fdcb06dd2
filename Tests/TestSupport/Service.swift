import Foundation

/// A running `freshet serve`, asked as its clients ask it.
public final class Service: Sendable {
    /// The process.
    public let role: Program.Role
    /// Where it listens.
    public let http: HTTPConnection

    /// Waits for the line that tells the port.
    public init(role: Program.Role, limit: Double = 30) throws {
        self.role = role
        func port() -> UInt16? {
            guard let found = role.log.range(of: "ready url=http://127.0.0.1:") else { return nil }
            let digits = role.log[found.upperBound...].prefix { $0.isNumber }
            let rest = role.log[found.upperBound...].dropFirst(digits.count)
            return rest.isEmpty ? nil : UInt16(digits)
        }
        guard eventually(within: limit, { port() != nil || !role.isRunning }), let found = port() else {
            throw TestDatabase.Failure("the service did not start: \(role.log)")
        }
        http = HTTPConnection(port: found)
    }

    /// A list of recommendations.
    public struct List: Sendable {
        /// The answer's request.
        public var requestID: String
        /// The model's version; nil where no model is in force.
        public var modelVersion: Int?
        /// Item ids, best first.
        public var items: [String]
        /// Why each is there.
        public var reasons: [String]
        /// What the answer knew of the events topic.
        public var watermark: String?
    }

    /// `GET /v1/recommendations`.
    public func recommendations(user: String, n: Int = 10, _ more: String = "") throws -> List {
        let answer = try http.send("GET", "/v1/recommendations?user_id=\(user)&n=\(n)\(more)")
        guard answer.status == 200 else { throw TestDatabase.Failure("\(answer.status): \(answer.body)") }
        let object = answer.object
        let items = object["items"] as? [[String: Any]] ?? []
        return List(
            requestID: object["request_id"] as? String ?? "", modelVersion: object["model_version"] as? Int,
            items: items.compactMap { $0["item_id"] as? String }, reasons: items.compactMap { $0["reason"] as? String },
            watermark: object["watermark"] as? String)
    }

    /// Posts an event that happens now and returns its watermark.
    @discardableResult
    public func post(
        _ type: String, user: String, item: String, id: String = UUID().uuidString, request: String? = nil, more: String = ""
    ) throws -> String {
        let time = Int64(Date().timeIntervalSince1970 * 1_000)
        let shown = request.map { #","request_id":"\#($0)""# } ?? ""
        let answer = try http.send(
            "POST", "/v1/events",
            body:
                #"{"event_id":"\#(id)","type":"\#(type)","user_id":"\#(user)","item_id":"\#(item)","timestamp":\#(time)\#(shown)\#(more)}"#)
        guard answer.status == 202, answer.object["accepted"] as? Int == 1, let mark = answer.object["watermark"] as? String else {
            throw TestDatabase.Failure("POST /v1/events: \(answer.status) \(answer.body)")
        }
        return mark
    }

    /// `PUT /v1/items/{id}`, and waits for the commit.
    public func put(item: String, _ fields: String) throws {
        let answer = try http.send("PUT", "/v1/items/\(item)?wait=true", body: "{\(fields)}")
        guard answer.status == 202, answer.object["accepted"] as? Int == 1 else {
            throw TestDatabase.Failure("PUT item: \(answer.status) \(answer.body)")
        }
    }
}

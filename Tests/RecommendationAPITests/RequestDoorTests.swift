import Foundation
import FuzzInputs
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Interactions
import Logging
import RecommendationAPI
import Recommending
import Synchronization
import Testing

/// Any bodies, queries, paths and header fields on every route: each is answered, and what gets through keeps the rules.
@Suite struct RequestDoorTests {
    private static let decoder = RecordDecoder(
        rules: DecodingRules(idForm: IDForm(name: "NFC") { $0.precomposedStringWithCanonicalMapping }))
    private static let origin = RecordOrigin(source: "http", cluster: "http", position: Position(partition: 0, offset: 0))
    private static let now = EventTime(rfc3339: "2026-11-21T08:00:00Z") ?? EventTime(milliseconds: 0)

    /// What got through and must not have.
    private final class Faults: Sendable {
        private let first = Mutex<String?>(nil)
        func add(_ sentence: String) { first.withLock { $0 = $0 ?? sentence } }
        func take() -> String? {
            first.withLock { first in
                defer { first = nil }
                return first
            }
        }

        func check(id: String, _ name: String) {
            let bad = id.unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }
            if id.isEmpty || id.utf8.count > 256 || bad { add("\(name) is \(id.debugDescription)") }
        }
    }

    /// Operations that decode what they get, as the roles do, and keep nothing.
    private static func operations(_ faults: Faults) -> ServiceOperations {
        var operations = TestService().operations
        operations.recommend = { request in
            for id in [request.userID, request.sessionID, request.category].compactMap({ $0 }) {
                faults.check(id: id, "an id of a request")
            }
            for id in request.excludedItemIDs + (request.candidateItemIDs ?? []) { faults.check(id: id, "a listed item") }
            if !(1...1_000).contains(request.count) { faults.add("n is \(request.count)") }
            if !request.objective.values.allSatisfy({ $0.isFinite && $0 >= 0 }) { faults.add("a weight is \(request.objective)") }
            return TestService.list(request.requestID, request.userID, min(3, request.count))
        }
        operations.similar = { request in
            faults.check(id: request.itemID, "the item")
            return TestService.list(request.requestID, nil, 1)
        }
        operations.submitEvents = { submission in
            var outcome = IntakeOutcome(accepted: 0)
            for index in 0..<submission.count {
                switch submission.withEvent(at: index, { decoder.interaction($0, origin: origin, now: now) }) {
                case .success: outcome.accepted += 1
                case .failure(let rejection): outcome.refusals.append(IntakeOutcome.Refusal(index: index, rejection: rejection))
                }
            }
            return outcome
        }
        operations.putItem = { put($0, faults) { decoder.item($0, origin: origin, now: now).map(\.itemID) } }
        operations.putUser = { put($0, faults) { decoder.user($0, origin: origin, now: now).map(\.userID) } }
        operations.deleteItem = {
            faults.check(id: $0.id, "the item"); return IntakeOutcome(accepted: 1)
        }
        operations.deleteUser = {
            faults.check(id: $0.id, "the user"); return IntakeOutcome(accepted: 1)
        }
        return operations
    }

    /// The record must name what the path names: what is stored under another id would be lost.
    private static func put(
        _ submission: RecordSubmission, _ faults: Faults, _ decode: (UnsafeRawBufferPointer) -> Result<String, Rejection>
    ) -> IntakeOutcome {
        faults.check(id: submission.id, "the path's id")
        switch submission.body.withUnsafeBytes(decode) {
        case .success(let id):
            if id != submission.id {
                faults.add(
                    "the path says \(submission.id.debugDescription), the record \(String(decoding: submission.body, as: UTF8.self))")
            }
            return IntakeOutcome(accepted: 1)
        case .failure(let rejection):
            return IntakeOutcome(accepted: 0, refusals: [IntakeOutcome.Refusal(index: 0, rejection: rejection)])
        }
    }

    private func run(_ door: FuzzDoor, _ make: @escaping @Sendable (inout FuzzSource) -> OddRequest) async throws -> FuzzDoor.Report {
        let faults = Faults()
        // No streams: they answer for ever.
        var configuration = APIConfiguration(
            maxBodyBytes: 200_000, requestTimeoutMilliseconds: 600_000, maxIdempotencyKeys: 100, maxStreams: 0)
        configuration.allowedOrigins = ["https://shop.example"]
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let responder = makeResponder(operations: Self.operations(faults), configuration: configuration, logger: quiet)
        let application = Application(responder: RoutedResponder(responder: responder), logger: quiet)
        let result = Mutex(FuzzDoor.Report())
        try await application.test(.router) { client async throws in
            let report = await door.runWaiting { source, _ in
                try await Self.answer(make(&source), client, faults)
            }
            result.withLock { $0 = report }
        }
        return result.withLock { $0 }
    }

    private static func answer(_ request: OddRequest, _ client: any TestClientProtocol, _ faults: Faults) async throws -> FuzzDoor.Outcome {
        guard let method = HTTPRequest.Method(request.method) else { return .refused }
        var fields: HTTPFields = [:]
        for (name, value) in request.headers { HTTPField.Name(name).map { fields[$0] = value } }
        let told = "\(request.method) \(request.target) \(request.headers) \(String(decoding: request.body ?? [], as: UTF8.self))"
        let sent = request.body.map { ByteBuffer(bytes: $0) }
        return try await client.execute(uri: request.target, method: method, headers: fields, body: sent) { response in
            let status = response.status.code
            if let fault = faults.take() { return .broken("\(fault): \(told)") }
            guard status < 500 || status == 503 else { return .broken("status \(status): \(told)") }
            let isJSON = response.headers[.contentType]?.contains("json") ?? false
            guard method != .head, response.body.readableBytes > 0, isJSON else { return status < 400 ? .accepted : .refused }
            let object = try? JSONSerialization.jsonObject(with: Data(response.body.readableBytesView)) as? [String: Any]
            guard let object else { return .broken("the answer is no JSON: \(told)") }
            guard status >= 400 else { return .accepted }
            guard response.headers[.contentType] == "application/problem+json", object["status"] as? Int == status,
                (object["detail"] as? String)?.isEmpty == false
            else { return .broken("the problem is \(object): \(told)") }
            return .refused
        }
    }

    private func expectHolds(_ report: FuzzDoor.Report) {
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
        guard report.inputs >= 500 else { return }
        #expect(report.accepted > report.inputs / 20 && report.accepted < report.inputs * 19 / 20, "\(report.accepted) of \(report.inputs)")
    }

    @Test func queries() async throws {
        expectHolds(try await run(FuzzDoor("http.queries", short: 2_000, long: 250_000)) { $0.oddQuery() })
    }

    @Test func bodies() async throws {
        expectHolds(try await run(FuzzDoor("http.bodies", short: 2_000, long: 250_000)) { $0.oddBody() })
    }
}

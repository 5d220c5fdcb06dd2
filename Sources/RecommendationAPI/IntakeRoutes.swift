import HTTPTypes
import HummingbirdCore

/// `/v1/events`, and what changes items and users.
enum IntakeRoutes {
    private static let wait = KnownParameters(["wait"])
    /// The longest path of a request whose answer is kept for its `Idempotency-Key`.
    private static let maxKeptPathBytes = 4_096

    static let routes: [Route] = [
        Route(.post, "/v1/events", scope: .write, takesBody: true, parameters: wait) { exchange in
            try await intake(exchange) { waits, key in
                try await exchange.service.operations.submitEvents(try submission(exchange, waits, key))
            }
        },
        Route(.put, "/v1/items/{id}", scope: .write, takesBody: true, parameters: wait) { exchange in
            try await intake(exchange) { waits, _ in
                try await exchange.service.operations.putItem(try record(exchange, "item_id", waits))
            }
        },
        Route(.patch, "/v1/items/{id}", scope: .write, takesBody: true, parameters: wait) { exchange in
            try await intake(exchange) { waits, _ in
                try await exchange.service.operations.putItem(try record(exchange, "item_id", waits, isPatch: true))
            }
        },
        Route(.delete, "/v1/items/{id}", scope: .write, parameters: wait) { exchange in
            try await intake(exchange) { waits, _ in
                try await exchange.service.operations.deleteItem(try deletion(exchange, "item_id", waits))
            }
        },
        Route(.put, "/v1/users/{id}", scope: .write, takesBody: true, parameters: wait) { exchange in
            try await intake(exchange) { waits, _ in
                try await exchange.service.operations.putUser(try record(exchange, "user_id", waits))
            }
        },
        Route(.patch, "/v1/users/{id}", scope: .write, takesBody: true, parameters: wait) { exchange in
            try await intake(exchange) { waits, _ in
                try await exchange.service.operations.putUser(try record(exchange, "user_id", waits, isPatch: true))
            }
        },
        Route(.delete, "/v1/users/{id}", scope: .write, parameters: wait, audit: { _ in "erasure of a user" }) { exchange in
            try await intake(exchange) { waits, _ in
                try await exchange.service.operations.deleteUser(try deletion(exchange, "user_id", waits))
            }
        },
    ]

    /// Runs an intake once for each `Idempotency-Key`.
    private static func intake(
        _ exchange: Exchange, _ work: (_ waits: Bool, _ key: String?) async throws -> IntakeOutcome
    ) async throws -> Response {
        let core = exchange.service
        let waits = try exchange.query.flag("wait")
        guard let header = exchange.request.headers[.idempotencyKey] else {
            return accepted(try await counted(core, work(waits, nil)).json())
        }
        guard !header.isEmpty, header.utf8.count <= 128, header.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Problem(
                .badRequest, "invalid-idempotency-key", "Idempotency-Key must be 1 to 128 visible ASCII characters.",
                parameter: "Idempotency-Key")
        }
        let path = exchange.request.uri.path
        // No id is so long: it is refused, and nothing of it is kept.
        guard path.utf8.count <= maxKeptPathBytes else { return accepted(try await counted(core, work(waits, header)).json()) }
        let key = IdempotencyCache.Key(caller: exchange.caller, route: exchange.route, path: path, key: header)
        let fingerprint = IdempotencyCache.fingerprint(exchange.body, waitsForCommit: waits)
        switch core.idempotency.admit(key, fingerprint: fingerprint, now: exchange.began) {
        case .replay(let answer):
            var response = accepted(answer.body)
            response.headers[.idempotencyReplayed] = "true"
            return response
        case .inProgress:
            throw Problem(
                .conflict, "in-progress", "The first request with this Idempotency-Key is not answered yet.",
                headers: [.retryAfter: "1"])
        case .mismatch:
            throw Problem(
                .unprocessableContent, "idempotency-key-reused",
                "This Idempotency-Key came with another request before. Use a new one for each request.")
        case .proceed:
            do {
                let body = counted(core, try await work(waits, header)).json()
                core.idempotency.finish(key, answer: IdempotencyCache.Answer(body: body))
                return accepted(body)
            } catch {
                core.idempotency.abandon(key)
                throw error
            }
        }
    }

    private static func counted(_ core: ServiceCore, _ outcome: IntakeOutcome) -> IntakeOutcome {
        core.metrics.took(outcome)
        return outcome
    }

    private static func accepted(_ body: [UInt8]) -> Response {
        Response(json: body, status: .accepted)
    }

    private static func submission(_ exchange: Exchange, _ waits: Bool, _ key: String?) throws(Problem) -> EventSubmission {
        let asLines = exchange.request.headers[.contentType].map { ContentType($0).isLines } ?? false
        let maxRecords = exchange.service.configuration.maxEventsPerRequest
        let body = exchange.body
        let split = body.withUnsafeBytes { bytes in
            Result { () throws(Problem) in
                try RecordSplitter.ranges(in: bytes, asLines: asLines, maxRecords: maxRecords)
            }
        }
        let ranges = try split.get()
        guard let key else { return EventSubmission(body: body, ranges: ranges, waitsForCommit: waits) }
        // A repeat that outlives the cache, or meets another server, still counts once: its events have the same ids.
        var named: [UInt8] = []
        named.reserveCapacity(body.count + ranges.count * 48)
        var namedRanges: [Range<Int>] = []
        body.withUnsafeBytes { bytes in
            for (index, range) in ranges.enumerated() {
                let start = named.count
                RecordEditor.append(
                    UnsafeRawBufferPointer(rebasing: bytes[range]), to: &named, setting: "event_id",
                    to: "\(key)#\(index)")
                namedRanges.append(start..<named.count)
            }
        }
        return EventSubmission(body: named, ranges: namedRanges, waitsForCommit: waits)
    }

    private static func record(
        _ exchange: Exchange, _ field: StaticString, _ waits: Bool, isPatch: Bool = false
    ) throws(Problem) -> RecordSubmission {
        let id = try self.id(exchange, field)
        let result = exchange.body.withUnsafeBytes { bytes in
            Result { () throws(Problem) -> [UInt8] in
                let ranges = try RecordSplitter.ranges(in: bytes, asLines: false, maxRecords: 1)
                let first = RecordSplitter.skipSpace(bytes, from: 0)
                guard ranges.count == 1, bytes[first] == UInt8(ascii: "{") else {
                    throw .malformedBody("The body must be one JSON object.")
                }
                let record = UnsafeRawBufferPointer(rebasing: bytes[ranges[0]])
                if case .value(let range) = RecordEditor.find("\(field)", in: record) {
                    let value = UnsafeRawBufferPointer(rebasing: record[range])
                    guard !isPatch || !value.elementsEqual("null".utf8) else {
                        throw .badParameter("\(field)", "`\(field)` is null, but what a record needs cannot be removed. Leave it out.")
                    }
                    try check(value, is: id, "\(field)", exchange)
                }
                if "\(field)" == "user_id", case .value(let range) = RecordEditor.find("id_space", in: record),
                    !UnsafeRawBufferPointer(rebasing: record[range]).elementsEqual("null".utf8)
                {
                    throw .badParameter(
                        "id_space", "`id_space` is in the body, but the path has the whole id: send `/v1/users/SPACE:ID` without it.")
                }
                var named: [UInt8] = []
                RecordEditor.append(record, to: &named, setting: field, to: id)
                if isPatch {
                    // Of a name that occurs twice the last counts.
                    named.removeLast()
                    named += Array(",\"patch\":true}".utf8)
                }
                return named
            }
        }
        return RecordSubmission(id: id, body: try result.get(), isPatch: isPatch, waitsForCommit: waits)
    }

    /// Sees to it that an id in the body, which may be a whole number as in every record, is that of the path.
    private static func check(
        _ value: UnsafeRawBufferPointer, is id: String, _ field: String, _ exchange: Exchange
    ) throws(Problem) {
        if value.elementsEqual("null".utf8) { return }
        switch exchange.service.decoder.id(inJSON: value, field: field) {
        case .success(id): return
        case .success:
            throw .badParameter(field, "`\(field)` in the body is not the id in the path. Make them equal, or leave it out.")
        case .failure(let rejection): throw .badParameter(field, "`\(field)` \(rejection.detail).")
        }
    }

    private static func deletion(_ exchange: Exchange, _ field: StaticString, _ waits: Bool) throws(Problem) -> DeletionRequest {
        DeletionRequest(id: try id(exchange, field), waitsForCommit: waits)
    }

    /// The id in the path: that of an item, or of a user, whom a session may have named.
    private static func id(_ exchange: Exchange, _ field: StaticString) throws(Problem) -> String {
        let bounds = exchange.service.configuration
        let text = exchange.parameters[0]
        return "\(field)" == "user_id" ? try bounds.userID(text, "id") : try bounds.id(text, "id")
    }
}

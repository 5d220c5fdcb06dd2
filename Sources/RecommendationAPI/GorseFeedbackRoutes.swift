import Bytes
import ForeignClients
import HTTPTypes
import HummingbirdCore
import Interactions

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Feedback as clients of Gorse write, read and delete it.
enum GorseFeedbackRoutes {
    static let routes: [Route] = [
        GorseDoor.route(.post, "/api/feedback", .write, takesBody: true) { exchange in try await write(exchange, replaces: false) },
        GorseDoor.route(.put, "/api/feedback", .write, takesBody: true) { exchange in try await write(exchange, replaces: true) },
        GorseDoor.route(.get, "/api/feedback", .read) { exchange in try await page(exchange, type: nil) },
        GorseDoor.route(.get, "/api/feedback/{type}", .read) { exchange in try await page(exchange, type: exchange.parameters[0]) },
        GorseDoor.route(.get, "/api/feedback/{user}/{item}", .read) { exchange in
            list(try await find(exchange, user: exchange.parameters[0], item: exchange.parameters[1], type: nil))
        },
        GorseDoor.route(.delete, "/api/feedback/{user}/{item}", .write) { exchange in
            try await delete(exchange, user: exchange.parameters[0], item: exchange.parameters[1], type: nil)
        },
        GorseDoor.route(.get, "/api/feedback/{type}/{user}/{item}", .read) { exchange in
            let parts = exchange.parameters
            guard let found = try await find(exchange, user: parts[1], item: parts[2], type: parts[0]).first else {
                return Response(json: Array("{}".utf8))
            }
            return GorseDoor.json { found.writeForGorse(to: &$0) }
        },
        GorseDoor.route(.delete, "/api/feedback/{type}/{user}/{item}", .write) { exchange in
            let parts = exchange.parameters
            return try await delete(exchange, user: parts[1], item: parts[2], type: parts[0])
        },
        GorseDoor.route(.get, "/api/user/{user}/feedback", .read) { exchange in
            newestFirst(try await find(exchange, user: exchange.parameters[0], item: nil, type: nil))
        },
        GorseDoor.route(.get, "/api/user/{user}/feedback/{type}", .read) { exchange in
            guard let condition = FeedbackCondition(exchange.parameters[1]) else {
                throw Problem(
                    .badRequest, "invalid-parameter",
                    "\(exchange.parameters[1].quotedForMessage) is no feedback type, nor one with a bound such as read>=3.")
            }
            let found = try await find(exchange, user: exchange.parameters[0], item: nil, type: condition.type)
            return newestFirst(found.filter { condition.holds($0.value) })
        },
        GorseDoor.route(.get, "/api/item/{item}/feedback", .read) { exchange in
            list(try await find(exchange, user: nil, item: exchange.parameters[0], type: nil))
        },
        GorseDoor.route(.get, "/api/item/{item}/feedback/{type}", .read) { exchange in
            list(try await find(exchange, user: nil, item: exchange.parameters[0], type: exchange.parameters[1]))
        },
    ]

    static var now: EventTime { EventTime(milliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down))) }

    // MARK: Writes

    /// Stores the feedback of a body, once for each `Idempotency-Key`.
    private static func write(_ exchange: Exchange, replaces: Bool) async throws -> Response {
        let core = exchange.service
        let sent = try GorseObjects.list(exchange.body).map { tree in try GorseFeedback(tree) }
        guard sent.count <= core.configuration.maxEventsPerRequest * 10 else {
            throw Problem.tooLarge("The body has \(sent.count) feedbacks; send \(core.configuration.maxEventsPerRequest * 10) at most.")
        }
        guard let header = exchange.request.headers[.idempotencyKey], !header.isEmpty, header.utf8.count <= 128 else {
            try await store(sent, exchange, replaces: replaces)
            return GorseDoor.affected(sent.count)
        }
        let key = IdempotencyCache.Key(caller: exchange.caller, route: exchange.route, path: exchange.request.uri.path, key: header)
        let fingerprint = IdempotencyCache.fingerprint(exchange.body, waitsForCommit: true)
        switch core.idempotency.admit(key, fingerprint: fingerprint, now: exchange.began) {
        case .replay(let answer): return Response(json: answer.body)
        case .inProgress:
            throw Problem(
                .conflict, "in-progress", "The first request with this Idempotency-Key is not answered yet.", headers: [.retryAfter: "1"])
        case .mismatch:
            throw Problem(.unprocessableContent, "idempotency-key-reused", "This Idempotency-Key came with another body before.")
        case .proceed:
            do {
                try await store(sent, exchange, replaces: replaces)
                core.idempotency.finish(key, answer: IdempotencyCache.Answer(body: Array(#"{"RowAffected":\#(sent.count)}"#.utf8)))
                return GorseDoor.affected(sent.count)
            } catch {
                core.idempotency.abandon(key)
                throw error
            }
        }
    }

    static func store(_ sent: [GorseFeedback], _ exchange: Exchange, replaces: Bool) async throws {
        let writes = DoorWrites(exchange: exchange), known = try writes.doors.typeNames, now = now
        let first = GorseFeedback.firsts(sent)
        try await writes.makeItems(first.map(\.itemID))
        let salt = replaces ? exchange.requestID : nil
        var events: [[UInt8]] = []
        for feedback in first {
            // What stands before it in the partition goes, with what it counted for; itself it stands behind.
            if replaces { events.append(GorseFeedback.deletion(userID: feedback.userID, itemID: feedback.itemID, type: feedback.type)) }
            events.append(feedback.event(knownTypes: known, now: now, salt: salt))
        }
        let step = replaces ? 2 : 1
        func sentFeedback(_ refusal: IntakeOutcome.Refusal) -> GorseFeedback { first[refusal.index / step] }
        // Clients cut moments to seconds: what comes in the second in which its user was erased was said after it.
        func isCut(_ refusal: IntakeOutcome.Refusal) -> Bool {
            guard refusal.code == RejectionCode.erasedUser.rawValue, let time = sentFeedback(refusal).time else { return false }
            return time.milliseconds % 1_000 == 0 && abs(now.milliseconds - time.milliseconds) < cutMilliseconds
        }
        let outcome = try await writes.send(events, mayRefuse: isCut)
        let again = outcome.refusals.filter(isCut).map { refusal in
            var feedback = sentFeedback(refusal)
            feedback.time = now
            return feedback.event(knownTypes: known, now: now, salt: salt)
        }
        try await writes.send(again)
    }

    /// A moment without a fraction may lie so far before the one that it means.
    private static let cutMilliseconds: Int64 = 2_000

    private static func delete(_ exchange: Exchange, user: String, item: String, type: String?) async throws -> Response {
        let found = try await find(exchange, user: user, item: item, type: type)
        if found.isEmpty { return GorseDoor.affected(0) }
        try await DoorWrites(exchange: exchange).send([GorseFeedback.deletion(userID: user, itemID: item, type: type)])
        return GorseDoor.affected(found.count)
    }

    // MARK: Reads

    static func find(_ exchange: Exchange, user: String?, item: String?, type: String?) async throws -> [Feedback] {
        let bounds = exchange.service.configuration
        if let user { _ = try bounds.userID(user, "user_id") }
        if let item { _ = try bounds.id(item, "item_id") }
        if let type { _ = try bounds.id(type, "feedback_type") }
        return try await DoorWrites(exchange: exchange).doors.feedback(
            FeedbackQuestion(userID: user, itemID: item, type: type, limit: GorseDoor.listedFeedbackLimit))
    }

    private static func list(_ feedback: [Feedback]) -> Response {
        GorseDoor.json { writer in
            writer.array { list in
                for one in feedback { one.writeForGorse(to: &list) }
            }
        }
    }

    /// Without what lies ahead.
    private static func newestFirst(_ feedback: [Feedback]) -> Response {
        let now = now
        let come = feedback.filter { $0.time <= now }.enumerated()
        return Self.list(come.sorted { ($1.element.time, $0.offset) < ($0.element.time, $1.offset) }.map(\.element))
    }

    private static func page(_ exchange: Exchange, type: String?) async throws -> Response {
        let window = try GorseDoor.Window(exchange)
        if let type { _ = try exchange.service.configuration.id(type, "feedback_type") }
        let found = try await DoorWrites(exchange: exchange).doors.feedback(
            FeedbackQuestion(type: type, after: try place(GorseDoor.cursor(exchange)), limit: window.count + 1))
        let page = Array(found.prefix(window.count))
        let next = found.count > page.count ? page.last.map { Self.place(of: $0) } ?? "" : ""
        return GorseDoor.page("Feedback", page, cursor: next) { feedback, writer in feedback.writeForGorse(to: &writer) }
    }

    /// User, item and name with a control character between them, which none of them has, in hexadecimal digits.
    private static func place(of feedback: Feedback) -> String {
        Hexadecimal.text(of: Array([feedback.userID, feedback.itemID, feedback.type].joined(separator: "\u{1}").utf8))
    }

    private static func place(_ cursor: String) throws(Problem) -> [String]? {
        if cursor.isEmpty { return nil }
        var bytes: [UInt8] = []
        var digits = cursor.utf8.makeIterator()
        while let high = digits.next() {
            guard let low = digits.next(), let byte = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16) else { break }
            bytes.append(byte)
        }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "\u{1}", omittingEmptySubsequences: false).map(String.init)
        guard bytes.count * 2 == cursor.utf8.count, parts.count == 3 else {
            throw .badParameter("cursor", "`cursor` is not one that this service gave; begin with an empty one.")
        }
        return parts
    }
}

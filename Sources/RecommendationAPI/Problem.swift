import Bytes
import HTTPTypes
import HummingbirdCore
import NIOCore
import Interactions

/// An answer that says what was wrong, as RFC 9457 has it.
package struct Problem: Error, Sendable {
    /// The status of the answer.
    package var status: HTTPResponse.Status
    /// The last part of `type`: stable, for programs.
    package var slug: String
    /// A sentence for the caller: what was wrong and what to do.
    package var detail: String
    /// Headers beside those of every problem.
    package var headers: HTTPFields = [:]
    /// The parameter or header at fault.
    var parameter: String?

    /// Makes a problem.
    package init(
        _ status: HTTPResponse.Status, _ slug: String, _ detail: String, parameter: String? = nil,
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.slug = slug
        self.detail = detail
        self.parameter = parameter
        self.headers = headers
    }

    /// The answer; `instance` is the id of the request, which the logs carry too.
    func response(requestID: String) -> Response {
        var writer = JSONWriter(reservingBytes: 256)
        writer.object { writer in
            writer.field("type", "urn:freshet:problem:\(slug)")
            writer.field("title", status.reasonPhrase)
            writer.key("status")
            writer.integer(status.code)
            writer.field("detail", detail)
            writer.field("instance", "urn:freshet:request:\(requestID)")
            writer.field("parameter", parameter)
        }
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: writer.bytes)))
    }

    static func badParameter(_ name: String, _ detail: String) -> Problem {
        Problem(.badRequest, "invalid-parameter", detail, parameter: name)
    }

    /// A name that nothing here has, with the nearest one that something has, and all of them.
    static func unknown(_ name: String, kind: String, known: [String], ifNone: String) -> Problem {
        let nearest = NearestName.of(name, among: known).map { " Did you mean `\($0)`?" } ?? ""
        let all = known.isEmpty ? ifNone : "known are " + known.map { "`\($0)`" }.joined(separator: ", ")
        return Problem(
            .badRequest, "unknown-\(kind)", "There is no \(kind) \(name.quotedForMessage) here.\(nearest) (\(all))",
            parameter: name.cutForMessage)
    }

    /// Why a body, or a field of it, was refused.
    init(_ rejection: Rejection) {
        if rejection.code == .tooLarge, rejection.field == nil {
            self = .tooLarge(rejection.detail)
        } else if let field = rejection.field?.cutForMessage {
            self = .badParameter(field, "`\(field)` \(rejection.detail).")
        } else {
            self = .malformedBody("The body must be a JSON object in UTF-8: \(rejection.detail).")
        }
    }

    static func malformedBody(_ detail: String) -> Problem {
        Problem(.badRequest, "malformed-body", detail)
    }

    static func tooLarge(_ detail: String) -> Problem {
        Problem(.contentTooLarge, "too-large", detail)
    }

    /// Why the body was not read to its end.
    init(_ interrupted: RequestInterrupted) {
        switch interrupted {
        case .tooSlow:
            let refused = RefusedRequest.tooSlow
            self.init(refused.status, refused.slug, refused.detail, headers: [.connection: "close"])
        case .holdsTooMuch:
            self.init(
                .serviceUnavailable, "overloaded", "The service holds too many bytes for callers that are slow to send or to read.",
                headers: [.connection: "close", .retryAfter: "1"])
        }
    }

    /// Nobody waits for the answer any more.
    static var cancelled: Problem {
        Problem(
            .serviceUnavailable, "cancelled", "The request was cancelled: its time was over, its caller left, or the service stops.",
            headers: [.retryAfter: "1"])
    }

    static func timedOut(milliseconds: Int) -> Problem {
        Problem(
            .gatewayTimeout, "timed-out",
            "The request took longer than \(milliseconds) ms and was given up: the database, the broker or this machine is slower than "
                + "usual. Ask again.")
    }

    init(_ error: ServiceError) {
        var headers: HTTPFields = [:]
        if let seconds = error.retryAfterSeconds { headers[.retryAfter] = String(seconds) }
        switch error.code {
        case .invalid: self.init(.badRequest, "invalid-request", error.detail)
        case .notFound: self.init(.notFound, "not-found", error.detail)
        case .conflict: self.init(.conflict, "conflict", error.detail)
        case .tooMany: self.init(.tooManyRequests, "too-many-requests", error.detail, headers: headers)
        case .unavailable:
            if headers[.retryAfter] == nil { headers[.retryAfter] = "1" }
            self.init(.serviceUnavailable, "unavailable", error.detail, headers: headers)
        case .timedOut: self.init(.gatewayTimeout, "timed-out", error.detail)
        }
    }
}

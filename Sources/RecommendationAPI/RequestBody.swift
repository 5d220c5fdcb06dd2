import HTTPTypes
import HummingbirdCore
import NIOCore

/// Takes in the body of a request, where it is JSON and not too large.
enum RequestBody {
    /// - Parameter connection: is told that the body is wanted, for callers that wait with it.
    static func read(_ request: Request, maxBytes limit: Int, from connection: Connection?) async throws -> [UInt8] {
        let tooLarge = Problem.tooLarge("The body is larger than \(limit) bytes. Split the request.")
        if let declared = request.headers[.contentLength].flatMap(Int.init), declared > limit { throw tooLarge }
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Problem(
                .unsupportedMediaType, "unsupported-encoding",
                "Content-Encoding \(encoding.quotedForMessage) is not read. Send plain JSON.")
        }
        let header = request.headers[.contentType] ?? ""
        let type = ContentType(header)
        // What a form can send comes from pages of any site without a question before it: from a browser, only what says JSON is read.
        guard type.isJSON || type.isUnstated && !OriginRules.isFromPage(request) else { throw unsupported(header) }
        if request.headers[.expect] != nil { connection?.channel.pipeline.fireUserInboundEventTriggered(BodyWanted()) }
        let bytes: [UInt8]
        do {
            bytes = Array((try await request.body.collect(upTo: limit)).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
        if !type.isJSON, !header.isEmpty, let first = bytes.first(where: { !isSpace($0) }), first != UInt8(ascii: "{"),
            first != UInt8(ascii: "["), first != 0xEF
        {
            throw unsupported(header)
        }
        // A byte order mark says nothing in UTF-8; some editors write one.
        return bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    private static func unsupported(_ type: String) -> Problem {
        Problem(
            .unsupportedMediaType, "unsupported-media-type",
            (type.isEmpty ? "A body without a Content-Type" : "Content-Type \(type.quotedForMessage)")
                + " is not read here. Send JSON as application/json (curl: -H 'Content-Type: application/json').")
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
}

/// The media type of a body.
struct ContentType {
    private let essence: String

    init(_ header: String) {
        let end = header.firstIndex(of: ";") ?? header.endIndex
        essence = header[..<end].filter { $0 != " " && $0 != "\t" }.lowercased()
    }

    /// One record a line.
    var isLines: Bool {
        ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines", "application/x-jsonlines"]
            .contains(essence)
    }

    /// What command-line clients send when nobody says otherwise. A form of any page can send it, too.
    var isUnstated: Bool { essence.isEmpty || essence == "application/x-www-form-urlencoded" || essence == "text/plain" }

    var isJSON: Bool { essence == "application/json" || essence.hasSuffix("+json") || isLines }
}

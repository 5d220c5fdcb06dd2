import Bytes
import HTTPTypes
import HummingbirdCore
import NIOCore

/// All that is stored of a person, as it is written down for them.
public struct PersonalData: Sendable {
    /// The person's ids, the user's own first.
    public var ids: [String]
    /// The next lines, each a JSON object; nil at the end.
    public var next: @Sendable () async throws -> [String]?

    /// Makes it.
    public init(ids: [String], next: @escaping @Sendable () async throws -> [String]?) {
        self.ids = ids
        self.next = next
    }
}

/// `GET /v1/users/{id}/export`: JSON lines, the first with the ids, the last with how many lie between, so that what was cut is seen.
enum PersonalDataStream {
    static func response(_ exchange: Exchange) async throws -> Response {
        let id = try exchange.service.configuration.userID(exchange.parameters[0], "id")
        let slot = try StreamSlot.open(exchange.service)
        guard let data = try await exchange.service.operations.export(id) else {
            throw Problem(.notFound, "unknown-user", "Nothing is stored of this user.")
        }
        let headers: HTTPFields = [.contentType: "application/x-ndjson", .cacheControl: "no-store"]
        guard exchange.request.method == .get else { return Response(status: .ok, headers: headers) }
        let body = ResponseBody { writer in
            defer { withExtendedLifetime(slot) {} }
            try await writer.write(line { $0.field("kind", "export"); $0.key("ids"); $0.strings(data.ids) })
            var count = 0
            while let page = try await data.next() {
                guard !page.isEmpty else { continue }
                count += page.count
                var buffer = ByteBuffer()
                for line in page {
                    buffer.writeString(line)
                    buffer.writeString("\n")
                }
                try await writer.write(buffer)
            }
            let sum = count
            try await writer.write(line { $0.field("kind", "end"); $0.key("lines"); $0.integer(sum) })
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private static func line(_ fields: (inout JSONWriter) -> Void) -> ByteBuffer {
        var json = JSONWriter()
        json.object { fields(&$0) }
        var buffer = ByteBuffer(bytes: json.bytes)
        buffer.writeString("\n")
        return buffer
    }
}

import HTTPTypes
import HummingbirdCore
import NIOCore
import ServiceLifecycle
import Synchronization

/// The statistics every second as server-sent events, for as long as the caller listens.
enum StatisticsStream {
    static func response(_ exchange: Exchange) throws(Problem) -> Response {
        let core = exchange.service
        guard exchange.request.method == .get else {
            return Response(status: .ok, headers: [.contentType: "text/event-stream"])
        }
        let slot = try StreamSlot.open(core, instead: "Ask /v1/stats instead.")
        let body = ResponseBody { writer in
            defer { withExtendedLifetime(slot) {} }
            while !Task.isCancelled, !Task.isShuttingDownGracefully {
                try await writer.write(await message(core))
                try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }

    private static func message(_ core: ServiceCore) async -> ByteBuffer {
        var buffer = ByteBuffer()
        do {
            let bytes = try await core.statistics.bytes()
            buffer.writeString("event: stats\ndata: ")
            buffer.writeBytes(bytes)
        } catch {
            core.logger.warning("statistics failed", metadata: ["error": "\(error)"])
            buffer.writeString("event: failure\ndata: {\"detail\":\"The statistics cannot be read now.\"}")
        }
        buffer.writeString("\n\n")
        return buffer
    }
}

/// An open stream; its end makes room for another, however it ends.
final class StreamSlot: Sendable {
    private let core: ServiceCore

    private init(_ core: ServiceCore) {
        self.core = core
    }

    /// Takes one of the streams that may be open at a time.
    ///
    /// - Parameter instead: what to do where all are taken.
    static func open(_ core: ServiceCore, instead: String = "Try again later.") throws(Problem) -> StreamSlot {
        let before = core.openStreams.wrappingAdd(1, ordering: .relaxed).oldValue
        guard before < core.configuration.maxStreams else {
            core.openStreams.wrappingSubtract(1, ordering: .relaxed)
            throw Problem(
                .serviceUnavailable, "too-many-streams", "\(core.configuration.maxStreams) streams are open already. \(instead)",
                headers: [.retryAfter: "5"])
        }
        return StreamSlot(core)
    }

    deinit {
        core.openStreams.wrappingSubtract(1, ordering: .relaxed)
    }
}

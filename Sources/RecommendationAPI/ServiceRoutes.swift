import Bytes
import HTTPTypes
import HummingbirdCore
import NIOCore

/// Probes, metrics, the OpenAPI document and the dashboard.
enum ServiceRoutes {
    static let routes: [Route] = [
        Route(.get, "/healthz", scope: nil, isLimited: false) { _ in
            Response(json: Array(#"{"status":"ok"}"#.utf8))
        },
        Route(.get, "/readyz", scope: nil, isLimited: false) { exchange in
            let parts = await exchange.service.operations.readiness()
            let isReady = parts.canAnswer
            let withDetail = exchange.service.keys.mayRead(exchange)
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("status", isReady ? "ready" : "not ready")
                writer.key("parts")
                writer.array { writer in
                    for part in parts { part.write(to: &writer, withDetail: withDetail) }
                }
            }
            return Response(json: writer.bytes, status: isReady ? .ok : .serviceUnavailable)
        },
        Route(.get, "/metrics", scope: .read, or: .metrics, isLimited: false) { exchange in
            var text = PrometheusText()
            exchange.service.metrics.write(to: &text)
            exchange.service.connections.write(to: &text)
            text.write(await exchange.service.operations.gauges())
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text.text)))
        },
        StaticFile.route("/openapi.json", PackageResources.openapi_json, type: "application/json"),
        // Links to a page carry marks of campaigns and the like, which mean nothing here.
        StaticFile.route("/", PackageResources.dashboard_html, type: "text/html; charset=utf-8", parameters: .any),
        StaticFile.route("/dashboard.css", PackageResources.dashboard_css, type: "text/css; charset=utf-8"),
        StaticFile.route("/dashboard.js", PackageResources.dashboard_js, type: "text/javascript; charset=utf-8"),
        StaticFile.route("/charts.js", PackageResources.charts_js, type: "text/javascript; charset=utf-8"),
        StaticFile.route("/shopper.js", PackageResources.shopper_js, type: "text/javascript; charset=utf-8"),
        StaticFile.route("/favicon.svg", PackageResources.favicon_svg, type: "image/svg+xml"),
    ]
}

/// A file that is part of the binary.
enum StaticFile {
    /// Scripts, styles and connections of this service only; no frames.
    static let contentSecurityPolicy =
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

    static func route(
        _ path: String, _ bytes: [UInt8], type: String, parameters: KnownParameters = KnownParameters()
    ) -> Route {
        let tag = "\"\(String(IdempotencyCache.fingerprint(bytes, waitsForCommit: false), radix: 16))\""
        let buffer = ByteBuffer(bytes: bytes)
        return Route(.get, path, scope: nil, parameters: parameters, isTimed: false) { exchange in
            var headers: HTTPFields = [
                .contentType: type, .cacheControl: "no-cache", .eTag: tag,
                .contentSecurityPolicy: contentSecurityPolicy,
            ]
            headers[.referrerPolicy] = "no-referrer"
            if exchange.request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: headers) }
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: buffer))
        }
    }
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = Self("Referrer-Policy")!
}

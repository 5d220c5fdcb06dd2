#if TLS
import Foundation
import HTTPCalls
import NIOCore
import NIOPosix
import NIOSSL
import Testing

/// Calls to `https`, in a build with the trait: `swift test --traits TLS --filter HTTPCallsTests`.
@Suite(.timeLimit(.minutes(15))) struct SecureTests {
    @Test func aCertificateThatTheMachineDoesNotTrustIsRefusedAndNothingIsSent() async throws {
        let certificate = try NIOSSLCertificate(bytes: Array(Self.certificate.utf8), format: .pem)
        let key = try NIOSSLPrivateKey(bytes: Array(Self.key.utf8), format: .pem)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: [.certificate(certificate)], privateKey: .privateKey(key)))
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(NIOSSLServerHandler(context: context), Refusal())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        for host in ["localhost", "127.0.0.1"] {
            let caller = try HTTPCaller(HTTPAddress("https://\(host):\(port)"))
            do {
                _ = try await caller.send(patient(.get, "/"))
                Issue.record("it was answered")
            } catch let error as HTTPCallError {
                #expect(error.code == .notConnected, "\(error)")
                #expect(error.message.contains("\(host):\(port)") && error.message.contains("not signed by one that is trusted"))
            }
        }
        try await server.close()
    }

    @Test func aCertificateThatTheFileNamesIsTrusted() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("secure-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("authorities.pem").path
        try Self.certificate.write(toFile: file, atomically: true, encoding: .utf8)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [.certificate(try NIOSSLCertificate(bytes: Array(Self.certificate.utf8), format: .pem))],
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(Self.key.utf8), format: .pem))))
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(NIOSSLServerHandler(context: context), Greeting())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        for host in ["localhost", "127.0.0.1"] {
            let answer = try await HTTPCaller(HTTPAddress("https://\(host):\(port)"), authorities: file).send(patient(.get, "/"))
            #expect(answer.status == 204)
        }
        try await server.close()
    }

    /// Answers whatever comes.
    private final class Greeting: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 204 No Content\r\n\r\n")), promise: nil)
        }
    }

    /// No byte of a request may come this far.
    private final class Refusal: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            Issue.record("a request was sent to a server that nobody trusts")
        }
    }

    /// Of nobody, for this test alone.
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBmzCCAUGgAwIBAgIUVIhrlJfm3q3F+uGMNgGKq/DNyvYwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEzMDAyMTMwMVoYDzIxMjYxMTA2
        MDIxMzAxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAASN3KW2LSSPoWFP2AVTxnmgdkOnhhtXXhX5c6/tegWSNZdXFxsu7+VI
        Umj3BtqPHeTeomXKFGcHZ2XsI2vuWqFlo28wbTAdBgNVHQ4EFgQUZAJBajQ2B20H
        PIs2Pdlhtx3hqIcwHwYDVR0jBBgwFoAUZAJBajQ2B20HPIs2Pdlhtx3hqIcwDwYD
        VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
        zj0EAwIDSAAwRQIgGFueQwf9FIN4QnYZed77mgm1OlguiR9LaSOSGXZgt3oCIQDc
        49w8qfJuKTa+kqO/2gv3z9dlL9zLtkg7M8UsyjxcrA==
        -----END CERTIFICATE-----
        """
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHEUdxW8F7fVd9HN5
        WVmGEApTjSRazcraeOQXj2UjDXihRANCAASN3KW2LSSPoWFP2AVTxnmgdkOnhhtX
        XhX5c6/tegWSNZdXFxsu7+VIUmj3BtqPHeTeomXKFGcHZ2XsI2vuWqFl
        -----END PRIVATE KEY-----
        """
}
#endif

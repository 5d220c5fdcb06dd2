#if TLS
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
                #expect(error.message.contains("\(host):\(port)"))
            }
        }
        try await server.close()
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

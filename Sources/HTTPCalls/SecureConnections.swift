import NIOCore

#if TLS
import NIOSSL
#endif

/// TLS for calls to `https` addresses, where the program was built with the package trait `TLS`.
struct SecureConnections: Sendable {
    /// What went wrong on a connection, for people: the library names a line of its own source.
    static func words(of error: any Error) -> String {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return "its certificate is expired, or not signed by one that is trusted here: name the file of those that sign it (ca_file), "
                + "as PEM"
        }
        if text.contains("WRONG_VERSION_NUMBER") { return "it does not speak TLS there: is it http?" }
        return text
    }

    #if TLS
    private let context: NIOSSLContext?

    /// - Parameter authorities: a file of certificates that sign the service's, as PEM; nil for those that the machine trusts.
    /// - Throws: ``HTTPCallError`` where the certificates cannot be read.
    init(to address: HTTPAddress, authorities: String? = nil) throws(HTTPCallError) {
        guard address.isSecure else {
            context = nil
            return
        }
        do {
            var settings = TLSConfiguration.makeClientConfiguration()
            settings.applicationProtocols = ["http/1.1"]
            if let authorities { settings.trustRoots = .file(authorities) }
            context = try NIOSSLContext(configuration: settings)
        } catch {
            let file = authorities.map { " with the certificates of \($0)" } ?? ""
            throw HTTPCallError(.notConnected, "TLS cannot be prepared\(file): \(error)")
        }
    }

    /// Puts TLS first into the pipeline of a new connection; a certificate must be of `host` and signed by one that the machine trusts.
    func prepare(_ pipeline: ChannelPipeline.SynchronousOperations, host: String) throws {
        guard let context else { return }
        // An address is no name to ask a server for; its certificate is then held against the address itself.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host))
    }
    #else
    /// - Throws: ``HTTPCallError`` with the code ``HTTPCallError/Code/builtWithoutTLS`` for an `https` address.
    init(to address: HTTPAddress, authorities: String? = nil) throws(HTTPCallError) {
        guard !address.isSecure else {
            throw HTTPCallError(
                .builtWithoutTLS, "this program was built without TLS: build it with --traits TLS, or ask by http")
        }
    }

    /// Nothing is to be prepared without TLS.
    func prepare(_ pipeline: ChannelPipeline.SynchronousOperations, host: String) throws {}
    #endif
}

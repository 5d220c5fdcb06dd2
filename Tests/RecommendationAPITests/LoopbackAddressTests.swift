import RecommendationAPI
import Testing

@Suite("What only this machine can reach")
struct LoopbackAddressTests {
    @Test("addresses of this machine alone", arguments: [
        "127.0.0.1", "127.8.9.10", "127.1", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "localhost",
    ])
    func loopback(host: String) {
        #expect(LoopbackAddress.isAll(of: host))
        #expect(APIConfiguration(host: host).listensOnLoopbackOnly)
    }

    @Test("addresses that others reach, however they are written", arguments: [
        "0.0.0.0", "0", "::", "::0", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0", "::ffff:10.0.0.1", "10.0.0.1", "192.168.1.7", "128.0.0.1",
        "fe80::1",
        "::7f00:1",
        "127.0.0.1.example.invalid", "127.example.invalid", "localhost.example.invalid", "", " ", "127.0.0.1\u{0}",
    ])
    func reachable(host: String) {
        #expect(!LoopbackAddress.isAll(of: host))
    }
}

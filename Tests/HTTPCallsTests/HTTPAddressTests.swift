import HTTPCalls
import Testing

@Suite struct HTTPAddressTests {
    @Test(arguments: [
        ("http://127.0.0.1:8080", false, "127.0.0.1", 8_080, ""),
        ("HTTP://shop.example", false, "shop.example", 80, ""),
        ("https://shop.example/", true, "shop.example", 443, ""),
        ("https://shop.example:8443/freshet//", true, "shop.example", 8_443, "/freshet"),
        ("http://[::1]:9090/a/b", false, "::1", 9_090, "/a/b"),
        ("http://[fe80::1]", false, "fe80::1", 80, ""),
    ])
    func whatAURLSays(url: String, isSecure: Bool, host: String, port: Int, prefix: String) throws {
        let address = try HTTPAddress(url)
        #expect(address.isSecure == isSecure)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.pathPrefix == prefix)
    }

    @Test(arguments: [
        "", "127.0.0.1:8080", "ftp://shop.example", "http://", "http://:80", "http://shop.example:", "http://shop.example:0",
        "http://shop.example:65536", "http://shop.example:8o", "http://[::1", "http://[::1]8080", "http://me@shop.example",
        "http://shop.example/?a=b", "http://shop.example/#top", "http://shop example", "http://shop.example/\r\nHost: x", "http://::1",
    ])
    func whatIsNone(url: String) {
        let error = #expect(throws: HTTPCallError.self) { try HTTPAddress(url) }
        #expect(error?.code == .badAddress)
        #expect(error?.isRetriable == false)
    }
}

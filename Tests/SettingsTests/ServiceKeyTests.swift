import Settings
import Testing

@Suite("Settings of what the service lets in")
struct ServiceKeyTests {
    @Test("an open door needs a word")
    func open() throws {
        #expect(!(try Sources.yaml("http: {host: 0.0.0.0}").boolean(.httpOpen)))
        #expect(try Sources.yaml("http: {open: true}").boolean(.httpOpen))
        for text in ["yes", "1", "on"] { Sources.expectRefusal(saying: "http.open") { try Sources.yaml("http: {open: '\(text)'}") } }
    }

    @Test("bounds of intake and impressions have a least value: none of them is off by mistake", arguments: [
        "http.max_intake_requests", "http.max_intake_bytes", "serve.impressions_per_answer", "serve.impressions_per_second",
    ])
    func bounds(key: String) {
        for text in ["0", "-1", "1.5", ""] { Sources.expectRefusal(saying: key) { try Sources.flags((key, text)) } }
    }
}

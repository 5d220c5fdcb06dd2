import Foundation
import Settings
import Testing

@Suite("Files of settings")
struct FileTests {
    @Test("a key that stands twice is refused with both lines")
    func duplicates() {
        Sources.expectRefusal(saying: "port", "line 2", "line 4") { try Sources.yaml("http:\n  port: 1\n  host: a\n  port: 2\n") }
        Sources.expectRefusal(saying: "http", "line 1", "line 5") {
            try Sources.yaml("http:\n  port: 1\ndatabase:\n  url: x\nhttp:\n  host: a\n")
        }
        Sources.expectRefusal(saying: "http.port", "line 2", "line 3") { try Sources.yaml("http:\n  port: 1\nhttp.port: 2\n") }
        Sources.expectRefusal(saying: "http.port", "line 2", "line 3") { try Sources.yaml("http:\n  port: ~\nhttp.port: 2\n") }
        Sources.expectRefusal(saying: "kafka.properties.linger.ms", "line 3", "line 4") {
            try Sources.yaml("kafka:\n  properties:\n    linger.ms: 5\nkafka.properties.linger.ms: 6\n")
        }
        Sources.expectRefusal(saying: "port", "line 1") { try Sources.yaml("http: {port: 1, port: 2}\n") }
        Sources.expectRefusal(saying: "epochs", "line 2", "line 3") { try Sources.yaml("train:\n  epochs: 1\n  'epochs': 2\n") }
    }

    @Test("a second document is refused")
    func documents() throws {
        Sources.expectRefusal(saying: "second document", "--config") { try Sources.yaml("http: {port: 1}\n---\nhttp: {port: 2}\n") }
        #expect(try Sources.yaml("---\nhttp: {port: 1}\n...\n").integer(.httpPort) == 1)
        #expect(try Sources.yaml("---\n").settings.isEmpty)
        #expect(try Sources.yaml("# nothing\n").settings.isEmpty)
    }

    @Test("a tab is named, a merge key too")
    func tabs() {
        Sources.expectRefusal(saying: "file1.yaml:2", "tab") { try Sources.yaml("http:\n\tport: 1\n") }
        Sources.expectRefusal(saying: "merge") { try Sources.yaml("http: &h\n  port: 1\ntrain:\n  <<: *h\n") }
    }

    @Test("an alias stands for what it names")
    func aliases() throws {
        let configuration = try Sources.yaml("topics:\n  events: &name shop.events\nkafka:\n  group: *name\n")
        #expect(configuration.text(.kafkaGroup) == "shop.events")
        Sources.expectRefusal(saying: "alias") { try Sources.yaml("kafka:\n  group: *nobody\n") }
    }

    @Test("what is not UTF-8 is named by its line")
    func encodings() throws {
        let bom = Data([0xEF, 0xBB, 0xBF]) + Data("http: {port: 81}\r\n".utf8)
        #expect(try Sources.load(files: [bom]).integer(.httpPort) == 81)
        let latin = Data("http:\n  host: caf".utf8) + Data([0xE9]) + Data("\n".utf8)
        Sources.expectRefusal(saying: "file1.yaml:2", "UTF-8") { try Sources.load(files: [latin]) }
        let wide = try #require("http: {port: 81}".data(using: .utf16))
        Sources.expectRefusal(saying: "UTF-16", "UTF-8") { try Sources.load(files: [wide]) }
        Sources.expectRefusal(saying: "file1.yaml:2", "control characters") {
            try Sources.load(files: [Data("http:\n  host: a".utf8) + Data([0, 0x0A])])
        }
    }

    @Test("an error repeats nothing of a line, which may hold a password")
    func secrets() {
        Sources.expectRefusal(saying: "file1.yaml", without: "s3cret") { try Sources.yaml("database:\n  url: \"s3cret\n") }
        Sources.expectRefusal(saying: "file1.yaml", without: "s3cret") { try Sources.yaml("http: [s3cret\nx: {") }
        Sources.expectRefusal(saying: "file1.yaml", without: "s3cret") { try Sources.yaml("kafka:\n  properties: s3cret: b: c\n") }
        Sources.expectRefusal(saying: "database.url", without: "s3cret") { try Sources.yaml("database:\n  url: [s3cret]\n") }
    }

    @Test("a key with a space at its end is shown in quotes")
    func spaces() {
        Sources.expectRefusal(saying: "\"http.port \"", "did you mean http.port?") { try Sources.yaml("http:\n  'port ': 1\n") }
        Sources.expectRefusal(saying: "\" linger.ms\"") { try Sources.yaml("kafka: {properties: {' linger.ms': 5}}") }
    }

    @Test("a key that is no word is refused")
    func words() {
        Sources.expectRefusal(saying: "plain word") { try Sources.yaml("? [a]\n: b\n") }
        Sources.expectRefusal(saying: "plain word") { try Sources.yaml("~: b\n") }
        Sources.expectRefusal(saying: "unknown key 1") { try Sources.yaml("1: b\n") }
    }

    @Test("nesting without an end stops nothing")
    func nesting() {
        Sources.expectRefusal(saying: "file1.yaml") { try Sources.yaml("http: " + String(repeating: "[", count: 100_000)) }
        Sources.expectRefusal(saying: "file1.yaml") {
            try Sources.yaml("rules:\n  exclude: " + String(repeating: "[", count: 500) + String(repeating: "]", count: 500))
        }
    }

    @Test("a missing file, a folder and a huge file each have their sentence")
    func unreadable() throws {
        let load = { (path: String) in try Configuration.load(files: [path], environment: [:], flags: []) }
        Sources.expectRefusal(saying: "/nowhere/freshet.yaml", "No such file") { try load("/nowhere/freshet.yaml") }
        Sources.expectRefusal(saying: "/tmp", "folder") { try load("/tmp") }
        Sources.expectRefusal(saying: "larger than") { try Sources.load(files: [Data(repeating: UInt8(ascii: "#"), count: 2 << 20)]) }
    }

    @Test("a pipe is read to its end")
    func pipes() throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("http: {port: 81}\n".utf8))
        try pipe.fileHandleForWriting.close()
        let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
        #expect(try Configuration.load(files: [path], environment: [:], flags: []).integer(.httpPort) == 81)
    }

    @Test("a later file wins by key, and in mappings by entry")
    func layers() throws {
        let both = try Sources.yaml(
            "http: {port: 81, host: a.example}\nkafka: {properties: {linger.ms: 5, acks: 1}}\nrules: {exclude: [purchased]}\ntrain: "
                + "{epochs: 3, seed: 4}\n",
            "http: {port: 82}\nkafka: {properties: {acks: all}}\nrules: {exclude: []}\ntrain: {seed: 5}\n")
        #expect(both.integer(.httpPort) == 82 && both.text(.httpHost) == "a.example")
        #expect(both.map(.kafkaProperties) == ["linger.ms": "5", "acks": "all"])
        #expect(both.list(.rulesExclude) == [])
        #expect(both.trainerSettings["epochs"]?.value == .scalar("3") && both.trainerSettings["seed"]?.value == .scalar("5"))
        #expect(both.settings["http.port"]?.source.contains("file2.yaml") == true)
    }

    @Test("flags win over variables, which win over files")
    func precedence() throws {
        let all = try Sources.load(
            files: [Data("http: {port: 1, host: a}\nclock: data\n".utf8)],
            environment: ["FRESHET_HTTP_PORT": "2", "FRESHET_HTTP_HOST": "b"],
            flags: [(key: "http.port", value: "3")])
        #expect(all.integer(.httpPort) == 3 && all.text(.httpHost) == "b" && all.text(.clock) == "data")
    }

    @Test("one setting is known although others are wrong")
    func glimpse() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "freshet-glimpse-\(UUID().uuidString).yaml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("http: {port: eighty}\nlog:\n  format: json\n".utf8).write(to: URL(fileURLWithPath: path))
        func format(_ files: [String], _ environment: [String: String] = [:], _ flags: [(key: String, value: String)] = []) -> String? {
            Configuration.glimpse(.logFormat, files: files, environment: environment, flags: flags)
        }
        #expect(format([path]) == "json")
        #expect(format([path], ["FRESHET_LOG_FORMAT": "text"]) == "text")
        #expect(format([path], ["FRESHET_LOG_FORMAT": "text"], [("log.format", "json")]) == "json")
        #expect(format([path], ["FRESHET_LOG_FORMAT": "shout"]) == "json")
        #expect(format(["/nowhere"]) == nil)
    }
}

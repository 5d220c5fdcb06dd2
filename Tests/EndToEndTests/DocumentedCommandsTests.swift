import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// README and the pages, held to what the program does: every command of a block is run here or stands in a list with the reason
    /// why it cannot be, and whatever else is printed names subcommands, options, keys and paths that exist.
    @Suite struct DocumentedCommandsTests {
        private static func blockCommands() throws -> [PrintedCommand] {
            try PrintedCommands.pages(Scripts.root).filter { $0 != StartPageTests.page }
                .flatMap { try PrintedCommands.inBlocks(Scripts.text($0), page: $0) }
        }

        @Test("every command of a block has its place in the list here, and the list has no other")
        func classified() throws {
            let printed = try Self.blockCommands()
            #expect(printed.count > 20)
            for command in printed {
                #expect(DocumentedPlan.all[command.text] != nil, "\(command.page) prints a command that no test knows: \(command.text)")
            }
            let texts = Set(printed.map(\.text))
            for (text, _) in DocumentedPlan.all { #expect(texts.contains(text), "no page prints: \(text)") }
        }

        @Test("the commands of the blocks do what the pages say")
        func run() throws {
            let shop = try SmallShop()
            let folder = shop.bench.directory
            // What the pages' files are called.
            let events = try String(contentsOf: folder.appending(path: "events.jsonl"), encoding: .utf8)
                .split(separator: "\n").map(String.init)
            func zip(_ lines: [String], _ name: String) throws {
                let plain = try shop.bench.write(lines, to: name)
                #expect(try Scripts.run(["gzip", "-f", plain], in: folder).status == 0)
            }
            // A stream is later than what the model has learned from.
            let start = Int64(Date().timeIntervalSince1970 * 1_000) - 3_600_000
            try zip(
                (0..<300).map {
                    #"{"event_id":"s\#($0)","type":"click","user_id":"u\#($0 % 40)","item_id":"i\#($0 * 7 % 300)","#
                        + #""timestamp":\#(start + Int64($0) * 1_000)}"#
                }, "stream.jsonl")
            try zip(events + events, "train.jsonl")
            #expect(try shop.service.http.send("PUT", "/v1/items/i9?wait=true", body: #"{"title":"x"}"#).status == 202)
            for command in try Self.blockCommands() {
                let place = "\(command.page): \(command.text)"
                let words = command.words.map { $0 == "7" ? "1" : $0 }
                switch DocumentedPlan.all[command.text] {
                case .run where words[0] == "freshet":
                    let result = try shop.program.run(Array(words.dropFirst()), limit: 300)
                    #expect(result.status == 0 && !result.wasKilled, "\(place): \(result.status) \(result.errors)")
                case .run:
                    let result = try Scripts.run(words, in: folder)
                    #expect(result.status == 0, "\(place): \(result.errors)")
                case .role(let said):
                    let role = try shop.program.with(["FRESHET_KAFKA_GROUP": "documented"]).start(Array(words.dropFirst()))
                    #expect(role.waitFor(said), "\(place): \(role.log)")
                    #expect(role.stop() == 0, "\(place): \(role.log)")
                case .request(let status):
                    // curl sends a body as a form unless it is told otherwise.
                    let request = try Self.request(words)
                    let answer = try shop.service.http.send(
                        request.method, request.target, body: request.body, headers: request.headers)
                    #expect(answer.status == status, "\(place): \(answer.status) \(answer.body)")
                case .settings:
                    let pair = words[1].split(separator: "=", maxSplits: 1).map(String.init)
                    let result = try shop.program.with([pair[0]: pair[1]]).run("configuration")
                    #expect(result.status == 0, "\(place): \(result.errors)")
                case .not, nil: break
                }
            }
        }

        @Test("whatever subcommand or option a page prints, --help knows it")
        func help() throws {
            let helps = try Helps(Workbench(migrated: false).program())
            var seen = 0
            for page in try PrintedCommands.pages(Scripts.root) + Self.schedules() {
                let text = try Scripts.text(page)
                let printed = page.hasSuffix(".md")
                    ? PrintedCommands.inBlocks(text, page: page) + PrintedCommands.inSentences(text, page: page)
                    : text.components(separatedBy: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
                        line.firstRange(of: /freshet (?=[a-z])[^|>]*/).map { PrintedCommand(page: page, text: String(line[$0])) }
                    }
                for command in printed {
                    seen += 1
                    let words = command.words
                    if let ours = words.firstIndex(where: { $0 == "freshet" || $0.hasSuffix("/freshet") }), words[0] != "install" {
                        if DocumentedPlan.promised.keys.contains(where: { command.text.hasPrefix($0) }) { continue }
                        #expect(helps.unknown(in: Array(words[(ours + 1)...])) == [], "\(page): \(command.text)")
                    } else if words[0].hasPrefix("ops/") {
                        let script = try Scripts.text(words[0])
                        for word in words.dropFirst() where word.hasPrefix("--") && words[0] != "ops/test" {
                            #expect(script.contains(Self.option(word)), "\(page): \(command.text)")
                        }
                    }
                }
                for span in PrintedCommands.spans(in: text) where page.hasSuffix(".md") && span.hasPrefix("--") {
                    let option = Self.option(span)
                    if DocumentedPlan.optionsOfOthers.keys.contains(option) { continue }
                    #expect(try helps.knows(option) || Self.isScriptOption(option), "\(page) names \(span), which no command has")
                }
            }
            #expect(seen > 60)
            // The rule finds what it forbids.
            #expect(helps.unknown(in: ["trian"]) == ["trian"])
            #expect(helps.unknown(in: ["train", "--epoch", "3"]) == ["--epoch"])
            #expect(helps.unknown(in: ["models", "promote", "7", "--json"]) == [])
        }

        @Test("whatever path or key a page prints, the service and the configuration know it")
        func pathsAndKeys() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let service = try bench.startService(broker: address)
            let paths = try #require(service.http.send("GET", "/openapi.json").object["paths"] as? [String: Any]).keys
            func isRoute(_ path: String) -> Bool {
                let asked = path.split(separator: "/")
                return ["/", "/openapi.json"].contains(path) || paths.contains { route in
                    let parts = route.split(separator: "/")
                    return parts.count == asked.count && zip(parts, asked).allSatisfy { $0.hasPrefix("{") || $0 == $1 || $1.hasPrefix("{") }
                }
            }
            #expect(isRoute("/v1/items/i9/similar") && !isRoute("/v1/item/i9") && !isRoute("/v2/events"))
            let keys = try Keys(bench.program().run("configuration").output)
            #expect(keys.knows("http.port") && keys.knows("train.data_*") && !keys.knows("http.prot") && !keys.knows("train.nothing_*"))
            for page in try PrintedCommands.pages(Scripts.root) {
                let text = try Scripts.text(page)
                for command in PrintedCommands.inBlocks(text, page: page) where command.words[0] == "curl" {
                    let target = try Self.request(command.words).target
                    #expect(isRoute(target.split(separator: "?").first.map(String.init) ?? target), "\(page): \(command.text)")
                }
                for span in PrintedCommands.spans(in: text) {
                    let path = /(?:(?:GET|POST|PUT|PATCH|DELETE) )?(\/(?:v1\/|healthz|readyz|metrics|openapi)[^? ]*)(?:\?.*)?/
                    if let match = span.wholeMatch(of: path) {
                        #expect(isRoute(String(match.1)), "\(page) names \(span), which is no route")
                    }
                    if let match = span.wholeMatch(of: /([a-z_]+\.[a-z_0-9.]+\*?)(?::.*|=.*)?/), keys.hasSection(of: String(match.1)) {
                        #expect(keys.knows(String(match.1)), "\(page) names \(span), which is no key")
                    }
                }
                for (kind, lines) in PrintedCommands.blocks(in: text) where kind == "yaml" {
                    let file = try bench.write(lines, to: "printed.yaml")
                    let result = try bench.program().run("configuration", "--config", file)
                    #expect(result.status == 0, "\(page): \(lines.joined(separator: "\n"))\n\(result.errors)")
                }
            }
        }

        /// What schedulers run.
        private static func schedules() throws -> [String] {
            try FileManager.default.subpathsOfDirectory(atPath: Scripts.root.appending(path: "ops/schedule").path)
                .filter { $0 == "crontab" || $0.hasSuffix(".service") }.map { "ops/schedule/" + $0 }
        }

        private static func option(_ word: String) -> String {
            String(word.prefix { $0 == "-" || $0.isLetter || $0.isNumber })
        }

        private static func isScriptOption(_ option: String) throws -> Bool {
            try FileManager.default.contentsOfDirectory(atPath: Scripts.root.appending(path: "ops").path).contains { name in
                (try? Scripts.text("ops/" + name).contains(option)) ?? false
            }
        }

        /// The request that `curl` makes of its arguments.
        private static func request(
            _ words: [String]
        ) throws -> (method: String, target: String, body: String?, headers: [String: String]) {
            var method: String?, url = "", body: String?, headers: [String: String] = [:]
            var rest = words.dropFirst()
            while let word = rest.popFirst() {
                switch word {
                case "-X": method = rest.popFirst()
                case "-d": body = rest.popFirst()
                case "-H":
                    let pair = (rest.popFirst() ?? "").split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
                    if pair.count == 2 { headers[pair[0]] = pair[1] }
                default:
                    guard !word.hasPrefix("-"), url.isEmpty else { throw TestDatabase.Failure("this test does not know curl's \(word)") }
                    url = word
                }
            }
            if body != nil, !headers.keys.contains(where: { $0.lowercased() == "content-type" }) {
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            }
            let target = url.replacing(/^(http:\/\/)?[^\/]+/, with: "")
            return (method ?? (body == nil ? "GET" : "POST"), target, body, headers)
        }
    }
}

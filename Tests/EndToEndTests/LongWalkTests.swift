import Foundation
import FuzzInputs
import Interactions
import Testing
import TestSupport

extension EndToEnd {
    /// Odd but well-formed records walk the whole way: files and Kafka, PostgreSQL, a training, answers. No role stops, nothing is lost.
    @Suite struct LongWalkTests {
        /// The records of one run, written to files by the way that they will take.
        private struct Records {
            var files: [String: [UInt8]] = [:]
            /// By file: what the decoder takes and what it does not.
            var accepted: [String: Int] = [:]
            var refused: [String: Int] = [:]
        }

        private static let decoder = RecordDecoder(
            rules: DecodingRules(idForm: IDForm(name: "NFC") { $0.precomposedStringWithCanonicalMapping }))

        private static func decodes(_ kind: FuzzKind, _ line: [UInt8], now: EventTime) -> Bool {
            let origin = RecordOrigin(source: "walk", cluster: "k1", position: Position(partition: 0, offset: 0), recordTime: now)
            return line.withUnsafeBytes { bytes in
                switch kind {
                case .events: (try? decoder.interaction(bytes, origin: origin, now: now).get()) != nil
                case .items: (try? decoder.item(bytes, origin: origin, now: now).get()) != nil
                case .users: (try? decoder.user(bytes, origin: origin, now: now).get()) != nil
                case .impressions: (try? decoder.slate(bytes, origin: origin, now: now).get()) != nil
                }
            }
        }

        /// Most go by file, the rest and all impressions by Kafka.
        private func generate(_ door: FuzzDoor) async -> (Records, FuzzDoor.Report) {
            var records = Records()
            let now = EventTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
            let kinds: [FuzzKind] = [.events, .events, .events, .events, .events, .items, .users, .impressions]
            let report = await door.run { source, _ in
                let kind = source.pick(kinds)
                let way = kind == .impressions || source.once(in: 4) ? "kafka" : "file"
                // A line is a record: white space between values may be a line break elsewhere.
                let line = source.plausibleRecord(kind).map { $0 == 0x0A || $0 == 0x0D ? UInt8(ascii: " ") : $0 }
                let name = "\(way)-\(kind.rawValue).jsonl"
                records.files[name, default: []] += line + [0x0A]
                let isAccepted = Self.decodes(kind, line, now: now)
                if isAccepted { records.accepted[name, default: 0] += 1 } else { records.refused[name, default: 0] += 1 }
                return isAccepted ? .accepted : .refused
            }
            return (records, report)
        }

        private func number(_ name: String, in output: String) -> Int {
            let object = try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
            return object?[name] as? Int ?? -1
        }

        private func encoded(_ id: String) -> String {
            id.utf8.map { byte in
                let digits = String(byte, radix: 16, uppercase: true)
                return "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }.joined()
        }

        @Test("generated records through files, Kafka, PostgreSQL, a training and answers: counts add up, no role stops")
        func walk() async throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker(partitions: 4)
            defer { _ = broker.stop() }
            let program = bench.program(broker: address, SmallShop.training)
            let (records, report) = await generate(FuzzDoor("walk.records", short: 3_400, long: 350_000))
            try #require(report.findings.isEmpty)
            for (name, bytes) in records.files { _ = try bench.write(bytes: bytes, to: name) }

            // What is no record is a dead letter, and what is one is stored; nothing is neither.
            for kind in ["items", "users", "events"] {
                let name = "file-\(kind).jsonl"
                guard records.files[name] != nil else { continue }
                let result = try program.run("backfill", "--\(kind)", name, "--json", limit: 1_200)
                try #require(result.status == 0, "\(result.errors)")
                let (accepted, refused) = (records.accepted[name, default: 0], records.refused[name, default: 0])
                let rejected = number("rejected", in: result.output)
                #expect(number("lines", in: result.output) == accepted + refused, "\(kind): \(result.output)")
                let conflicts = try bench.database.sql(
                    "select count(*) from dead_letters where code = 'conflicting_duplicate' and source like 'file:\(kind)%'")
                #expect("\(rejected - refused)" == conflicts, "\(kind): \(refused) refused, \(result.output)")
                if kind == "events" {
                    let stored = number("stored", in: result.output) + number("duplicates", in: result.output)
                    #expect(stored + rejected == accepted + refused, "\(result.output)")
                }
            }
            for kind in FuzzKind.allCases where records.files["kafka-\(kind.rawValue).jsonl"] != nil {
                let produced = try program.run("produce", "--topic", kind.rawValue, "kafka-\(kind.rawValue).jsonl", limit: 600)
                try #require(produced.status == 0, "\(produced.errors)")
            }
            let ingested = try program.run("ingest", "--until-end", "--json", limit: 1_200)
            try #require(ingested.status == 0, "\(ingested.errors)")
            let refused = records.refused.values.reduce(0, +)
            let letters = try bench.database.sql("select count(*) from dead_letters where code <> 'conflicting_duplicate'")
            #expect(letters == "\(refused)", "every refused record is a dead letter, and no other")

            let unfolded = try bench.database.sql(
                """
                select json_agg(i) from interactions i where not exists (select from user_features f where f.user_id = i.user_id)
                or not exists (select from item_features f where f.item_id = i.item_id)
                """)
            #expect(unfolded.isEmpty, "events without features: \(unfolded.prefix(4_000))")

            // Everything that was stored can be read again: by a training, by its evaluation, by those who look at dead letters.
            let trained = try program.run("train", "--set", "holdout=none", "--json", limit: 1_800)
            try #require(trained.status == 0, "\(trained.errors)")
            let listed = try program.run("dead-letters", "list", "--json")
            #expect(listed.status == 0, "\(listed.errors)")
            let evaluated = try program.run("evaluate", "--json", limit: 1_200)
            #expect(evaluated.status == 0, "\(evaluated.errors)")

            let people = try people(bench)
            let users = try bench.write(people.map { #"{"user_id":\#(JSONText.quoted($0))}"# }, to: "people.jsonl")
            let answered = try program.run("recommend", "--users", users, "--n", "10", limit: 1_800)
            try #require(answered.status == 0, "\(answered.errors)")
            let answers = answered.output.split(separator: "\n")
            #expect(answers.count == people.count)
            #expect(answers.allSatisfy { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) != nil })
            try serve(people, program, bench)
        }

        /// Ids that a query gives, byte for byte: Foundation's ways from output to text lose characters that no text should have.
        private func ids(_ bench: Workbench, _ query: String) throws -> [String] {
            try bench.database.sql("select encode(convert_to(id, 'UTF8'), 'hex') from (\(query)) ids").split(separator: "\n").map { row in
                let digits = Array(row.utf8)
                let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                    UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
                }
                return String(decoding: bytes, as: UTF8.self)
            }
        }

        /// Everybody who did something or has a record.
        private func people(_ bench: Workbench) throws -> [String] {
            try ids(
                bench,
                "select id from (select user_id id from interactions union select user_id from users) all_ids order by id collate \"C\"")
        }

        /// Asks a running service for people and items whatever their ids are, and has some of them erased.
        private func serve(_ people: [String], _ program: Program, _ bench: Workbench) throws {
            let ingest = try program.start("ingest")
            defer { _ = ingest.stop() }
            let service = try Service(role: try program.start("serve"))
            defer { _ = service.role.stop() }
            // The longest and strangest ids stand among the others: every tenth, at most some hundreds.
            let step = max(1, people.count / (EndToEnd.isSoak ? 2_000 : 100))
            for place in stride(from: 0, to: people.count, by: step) {
                let id = encoded(people[place])
                for path in ["/v1/recommendations?user_id=\(id)&n=5&details=true", "/v1/users/\(id)"] {
                    let answer = try service.http.send("GET", path)
                    #expect(answer.status == 200, "\(path): \(answer.body)")
                }
            }
            for item in try ids(bench, "select item_id id from items where not deleted order by length(item_id) desc limit 40") {
                let known = try service.http.send("GET", "/v1/items/\(encoded(item))")
                #expect(known.status == 200, "\(item): \(known.body)")
                let similar = try service.http.send("GET", "/v1/items/\(encoded(item))/similar?n=3")
                #expect([200, 404].contains(similar.status), "\(item): \(similar.body)")
            }
            for place in stride(from: 0, to: people.count, by: max(1, people.count / 12)) {
                let erased = try service.http.send("DELETE", "/v1/users/\(encoded(people[place]))?wait=true")
                #expect(erased.status == 202 && erased.object["accepted"] as? Int == 1, "\(people[place].debugDescription): \(erased.body)")
            }
            #expect(service.role.isRunning && ingest.isRunning, "\(service.role.log)\(ingest.log)")
        }
    }
}

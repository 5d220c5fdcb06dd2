import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// A shop's own topics by configuration, from the first look to what was refused and sent again.
    @Suite struct MappingProcessTests {
        private static let settings = """
            ingest:
              topics:
                shop.orders:
                  kind: events
                  each: lines
                  fields: {event_id: $.no, user_id: $.buyer, item_id: sku, type: {constant: purchase},
                           timestamp: {path: $.at, unit: us}, value: {path: cents, minor_units: true}}
                shop.clicks:
                  kind: events
                  when: {path: name, not_in: [scroll]}
                  fields: {event_id: id, user_id: user.id, item_id: sku, type: {path: name, map: {view_item: click}}, timestamp: at}
            """

        private func objects(_ output: String) -> [[String: Any]] {
            output.split(separator: "\n").compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        }

        @Test("a look stores nothing, then each counts once, and what a corrected mapping knows is sent again through it")
        func walk() throws {
            let bench = try Workbench()
            let file = try bench.write([Self.settings], to: "shop.yaml")
            let broker = try bench.program().start("broker", "--config", file, "--port", "0", "--partitions", "2")
            defer { _ = broker.stop() }
            func printed() -> String? { broker.log.split(separator: "\n").first { $0.hasPrefix("127.0.0.1:") }.map(String.init) }
            #expect(eventually(within: 20) { printed() != nil }, "\(broker.log)")
            let program = bench.program(broker: printed() ?? "")
            let lines = #"[{"sku":"a","cents":1999},{"sku":"b","cents":501}]"#
            let orders = try bench.write([#"{"no":"o1","buyer":"u1","at":1790000000123456,"lines":\#(lines)}"#], to: "orders.jsonl")
            let clicks = try bench.write(
                [
                    #"{"id":"c1","name":"view_item","user":{"id":"u1"},"sku":"a","at":1790000000000}"#,
                    #"{"id":"c2","name":"basket","user":{"id":"u2"},"sku":"b","at":1790000000000}"#, #"{"name":"scroll"}"#,
                ], to: "clicks.jsonl")
            for (topic, records) in [("shop.orders", orders), ("shop.clicks", clicks)] {
                let sent = try program.run("produce", "--config", file, "--topic", topic, records)
                #expect(sent.status == 0, "\(sent.errors)")
            }
            // The look needs no database.
            let looked = try program.with(["FRESHET_DATABASE_URL": ""]).run("ingest", "--config", file, "--try", "20", "--json")
            #expect(looked.status == 0, "\(looked.errors)")
            let seen = objects(looked.output)
            let order = seen.first { $0["topic"] as? String == "shop.orders" && $0["records"] != nil }
            let understood = order?["records"] as? [[String: Any]] ?? []
            #expect(understood.map { $0["event_id"] as? String } == ["o1/0", "o1/1"])
            #expect(understood.map { $0["value"] as? Double } == [19.99, 5.01])
            let summary = seen.first { $0["topic"] as? String == "shop.clicks" && $0["read"] != nil }
            #expect(["read", "understood", "left_out", "refused"].map { summary?[$0] as? Int } == [3, 1, 1, 1], "\(looked.output)")
            let words = try program.run("ingest", "--config", file, "--try", "1")
            #expect(words.output.contains("shop.orders (events, mapped by ingest.topics): the newest 1 of 1 records"), "\(words.output)")
            #expect(try bench.database.sql("select count(*) from stream_offsets") == "0")

            func ingest() throws -> [Int?] {
                let done = try program.run("ingest", "--config", file, "--until-end", "--json")
                #expect(done.status == 0, "\(done.errors)")
                return ["records", "stored", "left_out", "rejected"].map { objects(done.output).first?[$0] as? Int }
            }
            #expect(try ingest() == [4, 3, 1, 1])
            #expect(try bench.database.sql("select sum(amount_minor) from interactions") == "2500")

            let corrected = Self.settings.replacing("view_item: click", with: "view_item: click, basket: add_to_cart")
            _ = try bench.write([corrected], to: "shop.yaml")
            let replayed = try program.run("dead-letters", "replay", "--config", file, "--json")
            #expect(objects(replayed.output).first?["replayed"] as? Int == 1, "\(replayed.output) \(replayed.errors)")
            #expect(try ingest() == [1, 1, 0, 0])
            #expect(try bench.database.sql("select item_id || ' ' || type from interactions where user_id = 'u2'") == "b 2")

            // An order whose line was stored before with other content: the database's letter is a record of Freshet's own.
            let other = try bench.write([#"{"no":"o1","buyer":"u1","at":1790000000123456,"lines":[{"sku":"z"}]}"#], to: "other.jsonl")
            #expect(try program.run("produce", "--config", file, "--topic", "shop.orders", other).status == 0)
            #expect(try ingest() == [1, 0, 0, 1])
            let direct = try program.run("dead-letters", "replay", "--directly", "--config", file, "--json")
            #expect(objects(direct.output).first?["refused_again"] as? Int == 1, "\(direct.output) \(direct.errors)")
            #expect(try bench.database.sql("select code from dead_letters where source = 'shop.orders'") == "conflicting_duplicate")
        }

        @Test("a mapping that is wrong ends every command at its start, with the line and the nearest name")
        func wrong() throws {
            let bench = try Workbench(migrated: false)
            let file = try bench.write([Self.settings.replacing("user_id: user.id", with: "usr_id: user.id")], to: "shop.yaml")
            for command in [["ingest", "--try", "20"], ["ingest"], ["migrate"]] {
                let result = try bench.program().run(command + ["--config", file])
                #expect(result.status != 0)
                #expect(result.errors.contains("shop.yaml:11: ingest.topics.shop.clicks.fields has \"usr_id\""), "\(result.errors)")
                #expect(result.errors.contains("did you mean user_id?"))
            }
            let both = try bench.program().run("ingest", "--try", "20", "--until-end")
            #expect(both.status == 64 && both.errors.contains("--try stores nothing"), "\(both.errors)")
        }
    }
}

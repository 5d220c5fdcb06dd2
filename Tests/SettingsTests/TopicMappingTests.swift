import Interactions
import Settings
import Testing

@Suite("ingest.topics")
struct TopicMappingTests {
    private static let example = """
        ingest:
          topics:
            shop.events:
              kind: events
              format: json
              when: {path: name, in: [view_item, purchase]}
              fields:
                event_id: id
                user_id: [payload.user.id, 'payload."anonymous.id"']
                item_id: payload.sku
                type: {path: name, map: {view_item: click, purchase: purchase}}
                timestamp: {path: ts, unit: us}
                value: {path: price, minor_units: true}
                currency: {path: cur, default: EUR}
                context.device: payload.ua
            shop.orders:
              kind: events
              each: {path: lines, id: no}
              when:
                - {path: $.status, not_in: [draft, '7']}
                - {path: sku, exists: true}
              fields: {event_id: $.id, user_id: {path: $.buyer, prefix: 'c-'}, item_id: sku, type: {constant: purchase},
                       timestamp: {path: $.at, zone: Europe/Berlin}, quantity: {path: n, default: 1}}
        """

    private static func path(_ text: String) throws -> RecordPath { try RecordPath(text) }

    @Test("the documented example is read as it is meant, whichever way it is written")
    func example() throws {
        let mappings = try Sources.yaml(Self.example).topicMappings
        #expect(mappings.keys.sorted() == ["shop.events", "shop.orders"])
        let events = try #require(mappings["shop.events"]), orders = try #require(mappings["shop.orders"])
        #expect(events.kind == .events && events.each == nil)
        #expect(events.conditions == [.init(path: try Self.path("name"), .isOneOf(["view_item", "purchase"]))])
        #expect(events.fields["user_id"]?.paths.map(\.description) == ["payload.user.id", #"payload."anonymous.id""#])
        #expect(events.fields["type"]?.words == ["view_item": #""click""#, "purchase": #""purchase""#])
        #expect(events.fields["timestamp"]?.unit == .microseconds)
        #expect(events.fields["value"]?.isInMinorUnits == true)
        #expect(events.fields["currency"]?.otherwise == #""EUR""#)
        #expect(events.fields["context.device"]?.paths.map(\.description) == ["payload.ua"])
        #expect(orders.each == .init(path: try Self.path("lines"), id: try Self.path("no")))
        #expect(orders.conditions == [
            .init(path: try Self.path("$.status"), .isNoneOf(["draft", "7"])), .init(path: try Self.path("sku"), .exists(true)),
        ])
        #expect(orders.fields["type"] == FieldSource(otherwise: #""purchase""#))
        #expect(orders.fields["user_id"]?.prefix == "c-")
        #expect(orders.fields["quantity"]?.otherwise == "1")
        let zone = try #require(orders.fields["timestamp"]?.zone)
        #expect(zone.time(of: "2026-07-15T12:00:00")?.rfc3339() == "2026-07-15T10:00:00.000Z")
        #expect(zone.time(of: "2026-12-15T12:00:00")?.rfc3339() == "2026-12-15T11:00:00.000Z")

        let flow = "{kind: users, fields: {user_id: id}}"
        let plain = TopicMapping(kind: .users, fields: ["user_id": FieldSource(paths: [try Self.path("id")])])
        #expect(try Sources.yaml("ingest.topics.my.users: \(flow)").topicMappings == ["my.users": plain])
        #expect(try Sources.flags(("ingest.topics.my.users", flow)).topicMappings == ["my.users": plain])
        #expect(try Sources.flags(("ingest.topics", "{my.users: \(flow)}")).topicMappings == ["my.users": plain])
        #expect(try Sources.environment(["FRESHET_INGEST_TOPICS": "{my.users: \(flow)}"]).topicMappings == ["my.users": plain])
        #expect(try Sources.environment(["FRESHET_INGEST_TOPICS_CUSTOMERS": flow]).topicMappings == ["customers": plain])
        #expect(try Sources.environment(["FRESHET_INGEST_TOPICS_myUsers": flow]).topicMappings == ["myUsers": plain])
        #expect(try Sources.yaml("ingest: {topics: }").topicMappings.isEmpty)
    }

    @Test("a later source wins topic by topic, and null takes nothing away")
    func layers() throws {
        let first = "ingest: {topics: {a: {kind: users, fields: {user_id: x}}, b: {kind: users, fields: {user_id: x}}}}"
        let second = "ingest: {topics: {a: {kind: items, fields: {item_id: y}}, b: ~}}"
        let found = try Sources.yaml(first, second).topicMappings
        #expect(found["a"]?.kind == .items && found["b"]?.kind == .users)
    }

    /// What is wrong, and words of the sentence that says so.
    private static let wrong: [(yaml: String, words: [String])] = [
        ("t: {kind: event, fields: {}}", ["file1.yaml:3", "ingest.topics.t.kind is event", "did you mean events?"]),
        ("t: {fields: {}}", ["ingest.topics.t has no kind"]),
        ("t: {kind: users}", ["ingest.topics.t has no fields"]),
        ("t: 7", ["ingest.topics.t is 7, but takes {kind"]),
        ("t: {kind: users, fields: {user_id: id}, filter: x}", ["ingest.topics.t has \"filter\"", "kind, format, each, when, fields"]),
        ("t: {kind: users, feilds: {user_id: id}}", ["did you mean fields?"]),
        (
            "t: {kind: users, format: jsn, fields: {user_id: id}}",
            ["ingest.topics.t.format is jsn, but takes json, avro, debezium", "did you mean json?"]
        ),
        ("t: {kind: users, format: avro, fields: {user_id: id}}", ["t is Avro", "set ingest.registry.url"]),
        (
            "t: {kind: events, format: debezium, fields: {user_id: u, item_id: i, type: {constant: click}, timestamp: t}}",
            ["has no event_id, but a row comes again with every change of it"]
        ),
        ("t: {kind: items, fields: {item_id: i, price: {path: p, scale: -1}}}", ["price.scale is -1, but takes digits behind the point"]),
        ("t: {kind: items, fields: {item_id: i, price: {path: p, scale: 2, minor_units: true}}}", ["has minor_units and scale"]),
        ("t: {kind: items, fields: {item_id: i, title: {path: p, scale: 2}}}", ["fields.title.scale is for amounts of money only"]),
        ("t: {kind: users, fields: {usr_id: id}}", ["ingest.topics.t.fields has \"usr_id\"", "did you mean user_id?"]),
        ("t: {kind: users, fields: {user_id: {pth: id}}}", ["ingest.topics.t.fields.user_id has \"pth\"", "did you mean path?"]),
        ("t: {kind: users, fields: {attributes.x: id}}", ["has no user_id"]),
        ("t: {kind: events, fields: {type: a, item_id: b, timestamp: c}}", ["neither user_id nor session_id"]),
        ("t: {kind: events, fields: {user_id: a, type: t}}", ["has no item_id, timestamp"]),
        ("t: {kind: users, fields: {user_id: a, id_space: {constant: session}}}", ["id_space that is session"]),
        ("t: {kind: users, fields: {user_id: a, id_space: {path: b, default: a b}}}", ["id_space that must be 1 to 32 bytes"]),
        ("t: {kind: users, fields: {user_id: 7}}", ["is 7, which is no path: write {constant: 7}"]),
        ("t: {kind: users, fields: {user_id: true}}", ["write {constant: true}"]),
        ("t: {kind: users, fields: {user_id: 'a..b'}}", ["is \"a..b\", which has an empty name"]),
        ("t: {kind: users, fields: {user_id: []}}", ["lists 0 paths"]),
        ("t: {kind: users, fields: {user_id: [a, {b: c}]}}", ["user_id[1] is a mapping"]),
        ("t: {kind: users, fields: {user_id: {default: x}}}", ["no path: write one of path, first and constant"]),
        ("t: {kind: users, fields: {user_id: {path: a, constant: x}}}", ["has path and constant"]),
        ("t: {kind: users, fields: {user_id: {constant: x, map: {a: b}}}}", ["has constant and map"]),
        ("t: {kind: users, fields: {user_id: {path: a, unit: s}}}", ["user_id.unit is for times only"]),
        ("t: {kind: users, fields: {user_id: a, updated_at: {path: b, unit: sec}}}", ["updated_at.unit is sec", "s, ms, us, ns, rfc3339"]),
        ("t: {kind: users, fields: {user_id: a, updated_at: {path: b, unit: s, zone: UTC}}}", ["has zone and unit s"]),
        ("t: {kind: users, fields: {user_id: a, updated_at: {path: b, zone: Europe/Berln}}}", ["did you mean Europe/Berlin?"]),
        ("t: {kind: items, fields: {item_id: a, price: {path: b, minor_units: cents}}}", ["minor_units is cents, but takes true or false"]),
        ("t: {kind: items, fields: {item_id: a, title: {path: b, prefix: x}}}", ["title.prefix is for ids only"]),
        ("t: {kind: items, fields: {item_id: a, title: {path: b, map: {}}}}", ["title.map is empty"]),
        ("t: {kind: items, fields: {item_id: a, title: {path: b, map: {x: {y: z}}}}}", ["title.map.x is a mapping"]),
        ("t: {kind: items, fields: {item_id: a, attributes: b, attributes.c: d}}", ["attributes as a whole and attributes.c"]),
        ("t: {kind: items, fields: {item_id: '@'}}", ["there is no each"]),
        ("t: {kind: users, when: {path: a}, fields: {user_id: a}}", ["ingest.topics.t.when has no test"]),
        ("t: {kind: users, when: {path: a, in: [b], exists: true}, fields: {user_id: a}}", ["has in and exists"]),
        ("t: {kind: users, when: [{in: [b]}], fields: {user_id: a}}", ["when[0] has no path"]),
        ("t: {kind: users, when: {path: a, in: []}, fields: {user_id: a}}", ["when.in is an empty list"]),
        ("t: {kind: users, when: {path: a, is: b}, fields: {user_id: a}}", ["has \"is\"", "did you mean in?"]),
        ("t: {kind: events, each: lines, fields: {user_id: a, type: t, item_id: i, timestamp: s}}", ["has no event_id", "$.order_id"]),
        ("t: {kind: items, each: $, fields: {item_id: i}}", ["the record itself"]),
        ("t: {kind: items, each: {path: a, id: $.b}, fields: {item_id: i}}", ["each.id is $.b, the same for every line"]),
        ("t: {kind: items, each: {id: b}, fields: {item_id: i}}", ["each has no path"]),
        ("t: {kind: items, fields: {item_id: a, price: {constant: dear}}}", ["price.constant is dear, but takes a number"]),
        ("t: {kind: items, fields: {item_id: a, price: {path: p, default: -1}}}", ["price.default is -1, but takes a number"]),
        ("t: {kind: items, fields: {item_id: a, currency: {constant: Euro}}}", ["currency.constant is Euro", "three capitals"]),
        ("t: {kind: items, fields: {item_id: a, hidden: {constant: perhaps}}}", ["hidden.constant is perhaps", "true or false"]),
        ("t: {kind: users, fields: {user_id: a, updated_at: {constant: soon}}}", ["updated_at.constant is soon", "RFC 3339"]),
        ("t: {kind: events, fields: {event_id: {path: a, default: x}}}", ["each event has an id of its own"]),
        ("'a b': {kind: users, fields: {user_id: a}}", ["\"a b\"", "no topic of Kafka"]),
        ("t: {kind: users, fields: {user_id: [[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]]}}", ["nested more than 16 deep"]),
    ]

    @Test("what is wrong is told with its place and the nearest known name", arguments: wrong)
    func refusals(_ yaml: String, _ words: [String]) {
        let error = #expect(throws: ConfigurationError.self) { _ = try Sources.yaml("ingest:\n  topics:\n    \(yaml)\n") }
        let text = error?.description ?? ""
        for word in words { #expect(text.contains(word), "\(text)") }
        #expect(!text.contains("\n"))
    }

    @Test("the line inside a mapping is told")
    func lines() {
        let yaml = Self.example.replacing("unit: us", with: "unit: hours")
        Sources.expectRefusal(saying: "file1.yaml:12:", "timestamp.unit is hours") { try Sources.yaml(yaml) }
        Sources.expectRefusal(saying: "FRESHET_INGEST_TOPICS:", "kind") { try Sources.environment(["FRESHET_INGEST_TOPICS": "{t: {}}"]) }
        Sources.expectRefusal(saying: "--set ingest.topics.t", "no valid YAML") { try Sources.flags(("ingest.topics.t", "{kind: [")) }
        Sources.expectRefusal(saying: "ingest.topics is a list") { try Sources.yaml("ingest: {topics: [a]}") }
        Sources.expectRefusal(saying: "ingest.topics.t is empty") { try Sources.flags(("ingest.topics.t", " ")) }
    }

    @Test("a topic of Freshet's own records is not mapped, set or not")
    func both() throws {
        let mapping = "{kind: users, fields: {user_id: id}}"
        Sources.expectRefusal(saying: "ingest.topics maps freshet.users, which is topics.users, too") {
            try Sources.yaml("ingest: {topics: {freshet.users: \(mapping)}}")
        }
        Sources.expectRefusal(saying: "file1.yaml", "file2.yaml", "topics.events") {
            try Sources.yaml("topics: {events: clicks}", "ingest: {topics: {clicks: \(mapping)}}")
        }
        Sources.expectRefusal(saying: "topics.dead_letters") { try Sources.yaml("ingest: {topics: {freshet.dead-letters: \(mapping)}}") }
        let moved = try Sources.yaml("topics: {users: others}\ningest: {topics: {freshet.users: \(mapping)}}")
        #expect(moved.topicMappings.count == 1)
    }

    @Test("a topic whose name sounds like a secret is none")
    func secrets() throws {
        let found = try Sources.yaml("ingest: {topics: {password-resets: {kind: users, fields: {user_id: id}}}}")
        #expect(found.topicMappings.keys.sorted() == ["password-resets"])
        #expect(found.redaction.applied(to: "user_id of id") == "user_id of id")
    }

    @Test("aliases of YAML are followed, and what they multiply is bounded")
    func aliases() throws {
        let shared = """
            ingest:
              topics:
                a: &shop {kind: users, fields: {user_id: id}}
                b: *shop
            """
        let found = try Sources.yaml(shared).topicMappings
        #expect(found["a"] == found["b"] && found.count == 2)
        var bomb = "ingest:\n  topics:\n    t:\n      kind: users\n      a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...6 {
            let ten = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            bomb += "      a\(level): &a\(level) [\(ten)]\n"
        }
        Sources.expectRefusal(saying: "more than 10000 names and values") { try Sources.yaml(bomb) }
    }
}

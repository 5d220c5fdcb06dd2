import EventStream
import FeatureStore
import ForeignFormats
import Foundation
import Intake
import Interactions
import Logging
import Synchronization
import TestSupport
import Testing

@Suite("Files of other systems", .enabled(if: TestDatabase.isAvailable, Comment(rawValue: TestDatabase.unavailable)))
struct ImportTests {
    private let database: TestDatabase
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("import-\(UUID().uuidString)")

    init() throws {
        database = try TestDatabase()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private static let header = "who,what,item,when,price\n"
    private static let maps = ["user_id=who", "type=what", "item_id=item", "timestamp=when", "value=price"]

    private func settings(_ types: [String: InteractionType]) -> IngestSettings {
        var settings = IngestSettings(
            databaseURL: database.url, rules: DecodingRules(typeAliases: types, idForm: .nfc), clock: { Intakes.now })
        settings.batchRecords = 7
        return settings
    }

    private func file(_ text: String, _ name: String = "events.csv") throws -> String {
        let path = folder.appendingPathComponent(name).path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func foreign(
        _ path: String, _ format: ForeignFormat = .csv, _ kind: RecordKind = .events, maps: [String] = ImportTests.maps,
        types: [String: InteractionType] = [:], change: (inout ForeignOptions) -> Void = { _ in }
    ) throws -> ForeignFile {
        var options = ForeignOptions()
        options.maps = try maps.map { try FieldMap($0) }
        options.typeNames = settings(types).rules.typeNames
        options.now = Intakes.now
        change(&options)
        return try ForeignFile(path: path, format: format, kind: kind, encoding: nil, options: options, isStopping: { false })
    }

    private func store(
        _ file: ForeignFile, types: [String: InteractionType] = [:], isStopping: @escaping @Sendable () -> Bool = { false }
    ) throws -> BackfillRun.Totals {
        let settings = settings(types)
        let store = try IngestStore(url: database.url, rules: settings.featureRules)
        return try BackfillRun(store: store, settings: settings, logger: Logger(label: "test"), isStopping: isStopping).run(file)
    }

    private func rows(_ range: Range<Int>, type: String = "purchase") -> String {
        range.map { "u\($0 % 5),\(type),i\($0),2026-10-\(10 + $0 % 20) 10:00:00 UTC,\"1,0\($0 % 90 + 10).25\"\n" }.joined()
    }

    private func count(_ table: String) throws -> String { try database.sql("select count(*) from \(table)") }

    @Test("the same file counts once, under another name and compressed, too; a row that stands twice is two events")
    func once() throws {
        let text = Self.header + rows(0..<30) + rows(0..<1)
        let first = try store(try foreign(try file(text)))
        #expect(first.stored == 31 && first.rejected == 0 && first.lines == 32)
        let same = try store(try foreign(try file(text)))
        #expect(same.stored == 0 && same.duplicates == 0 && same.accepted == 31)
        let renamed = try store(try foreign(try file(text, "other.csv")))
        #expect(renamed.stored == 0 && renamed.duplicates == 31)
        #expect(try count("interactions") == "31")
        var cents = 101_025
        for row in 0..<30 { cents += (1_010 + row) * 100 + 25 }
        #expect(try database.sql("select sum(amount_minor) from interactions") == "\(cents)")
    }

    @Test("rows with a type that nobody knows are stored by the same command once the configuration knows it")
    func mended() throws {
        let path = try file(Self.header + rows(0..<10, type: "view") + rows(10..<20) + "u1,view\nu1,view,i1,someday,1\n")
        let refused = try store(try foreign(path))
        #expect(refused.stored == 10 && refused.rejected == 12)
        let reasons = refused.firstReasons
        #expect(reasons.count == 3 && reasons[0].hasPrefix("line 2: type \"view\" is not one of"), "\(reasons)")
        #expect(
            try database.sql("select code, count(*), min(\"offset\") from dead_letters group by 1 order by 1")
                == "malformed_row|2|21\nunknown_type|10|1")
        let mended = try store(try foreign(path, types: ["view": .click]), types: ["view": .click])
        #expect(mended.stored == 10 && mended.mended == 10 && mended.rejected == 2)
        #expect(try count("dead_letters where replayed_at is null") == "2")
        // The letter holds the record where there is one, and the row where there is none.
        let text = "convert_from(payload, 'UTF8')"
        #expect(try database.sql("select \(text) from dead_letters where code = 'malformed_row' order by 1 limit 1") == "u1,view")
        #expect(try count("dead_letters where code = 'unknown_type' and \(text) like '{\"event_id\":\"file:%'") == "10")
    }

    @Test("read with another mapping, a file's events are known with other content, and its items are changed")
    func otherMapping() throws {
        let path = try file(Self.header + rows(0..<5))
        #expect(try store(try foreign(path)).stored == 5)
        let other = try store(try foreign(path, maps: Array(Self.maps.dropLast())))
        #expect(other.stored == 0 && other.rejected == 5)
        #expect(try count("dead_letters where code = 'conflicting_duplicate'") == "5")
        let items = try file("sku,name\ni1,One\ni2,Two\n", "items.csv")
        #expect(try store(try foreign(items, .csv, .items, maps: ["item_id=sku"])).items == 2)
        let titled = try store(try foreign(items, .csv, .items, maps: ["item_id=sku", "title=name"]))
        #expect(titled.items == 2)
        #expect(try database.sql("select title from items order by item_id") == "One\nTwo")
    }

    @Test("a run that was stopped goes on behind what it stored")
    func resumed() throws {
        let path = try file(Self.header + (0..<60).map { "u1,purchase,i\($0),2026-10-10,\"\($0)\n\"\n" }.joined())
        let asked = Mutex(0)
        let part = try store(try foreign(path), isStopping: { asked.withLock { $0 += 1; return $0 > 45 } })
        #expect(part.stored > 0 && part.stored < 60, "\(part.stored)")
        let rest = try store(try foreign(path))
        #expect(rest.resumedAt == part.lines && part.stored + rest.stored == 60 && rest.duplicates == 0)
        #expect(try count("interactions") == "60")
    }

    @Test("an erasure finds the refused rows of its user")
    func erased() throws {
        _ = try store(try foreign(try file(Self.header + "u1,purchase,i1,someday,1\nu2,purchase,i1,someday,1\nu1,view,i1,2026-10-10,1\n")))
        #expect(try count("dead_letters") == "3")
        try StoreQueries(url: database.url).eraseUser("u1")
        #expect(try database.sql("select convert_from(user_id, 'UTF8') from dead_letters") == "u2")
    }

    @Test("days and months are told apart by the file's other dates, wherever they stand in it")
    func dates() throws {
        let unclear = (0..<1_500).map { "u1,click,i\($0),3/4/2026 10:00,\n" }.joined()
        let path = try file(Self.header + unclear + "u1,click,last,3/28/2026 10:00,\n")
        let file = try foreign(path)
        #expect(file.options.times.order == .monthFirst)
        #expect(try store(file).stored == 1_501)
        #expect(try database.sql("select distinct event_time::date from interactions order by 1") == "2026-03-04\n2026-03-28")
        let never = try store(try foreign(try self.file(Self.header + "u1,click,i,3/4/2026 10:00,\n", "b.csv")))
        #expect(never.rejected == 1 && never.firstReasons[0].contains("--dates mdy or --dates dmy"))
    }

    @Test("another encoding is found by the whole file, however late it shows; a file that is none is refused with what it looks like")
    func encodings() throws {
        var bytes = Array(("item_id,title\n" + (0..<9_000).map { "i\($0),plain \($0)\n" }.joined() + "x,caf").utf8)
        bytes += [0xE9, 0x0A]
        let path = folder.appendingPathComponent("latin.csv").path
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let file = try foreign(path, .csv, .items, maps: [])
        #expect(file.encoding == .windows1252)
        #expect(try store(file).items == 9_001)
        #expect(try database.sql("select title from items where item_id = 'x'") == "café")
        try Data(Array("PK".utf8) + [3, 4, 0, 0]).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: StreamError.self) { _ = try foreign(path, .csv, .items, maps: []) }
        #expect(error?.message.contains("zip archive") == true)
    }

    @Test("a trial tells what would be stored, and stores nothing")
    func trial() throws {
        let path = try file(Self.header + rows(0..<12) + "u1,view,i1,2026-10-10,1\nu1,view,i1,2026-10-10,x\nu1,view,i2,2026-10-10,1\n")
        let trial = try ForeignTrial(try foreign(path), rules: settings([:]).rules, now: Intakes.now, isStopping: { false })
        #expect(trial.accepted == 12 && trial.refused == 3 && trial.rows.count == 10)
        #expect(trial.rows[0].line == 2 && trial.rows[0].record?.contains(#""value":1010.25"#) == true && trial.rows[0].reason == nil)
        #expect(trial.reasons.map(\.code) == [.unknownType, .malformedRow] && trial.reasons.map(\.count) == [2, 1])
        #expect(trial.reasons.map(\.line) == [14, 15])
        #expect(try count("interactions") == "0" && count("dead_letters") == "0")
    }

    @Test("a Merchant feed becomes items, once")
    func merchant() throws {
        let feed = "<rss xmlns:g='http://base.google.com/ns/1.0'><channel>"
            + (0..<20).map { "<item><g:id>\($0)</g:id><g:title>T</g:title><g:price>\($0).50 EUR</g:price></item>" }.joined()
            + "<item><g:title>nothing</g:title></item></channel></rss>"
        let path = try file(feed, "feed.xml")
        let first = try store(try foreign(path, .merchant, .items, maps: []))
        #expect(first.items == 20 && first.rejected == 1)
        #expect(try database.sql("select sum(price_micros) from items") == "200000000")
        #expect(try store(try foreign(path, .merchant, .items, maps: [])).items == 0)
    }

    @Test("a file of Metarank is stored kind by kind, and stored again it changes nothing")
    func metarank() throws {
        let path = try file(
            (0..<30).map { #"{"event":"item","id":"a\#($0)","timestamp":\#(1_790_000_000_000 + $0),"item":"p\#($0 % 4)","#
                + #""fields":[{"name":"f\#($0)","value":1}]}"# + "\n" }.joined()
                + #"{"event":"ranking","id":"r1","timestamp":1790000000000,"user":"u1","items":[{"id":"p1"},{"id":"p2"}]}"# + "\n"
                + #"{"event":"interaction","id":"c1","timestamp":1790000001000,"item":"p1","type":"click","user":"u1","ranking":"r1"}"#
                + "\nno JSON\n", "events.jsonl")
        for round in 0..<2 {
            for (kind, stored, items) in [(RecordKind.items, 0, 4), (.users, 0, 0), (.impressions, 2, 0), (.events, 1, 0)] {
                let totals = try store(try foreign(path, .metarank, kind, maps: []))
                #expect(totals.stored == (round == 0 ? stored : 0) && totals.items == (round == 0 ? items : 0), "\(kind)")
            }
        }
        #expect(try count("interactions") == "3" && count("dead_letters") == "1")
        #expect(try database.sql("select count(*) from items, jsonb_object_keys(attributes)") == "30")
    }

    @Test(
        "the first hours of a large shop, as found: every row counts, sums agree to the cent, and twice is once",
        .enabled(if: ProcessInfo.processInfo.environment["FRESHET_DATA"] != nil, "needs FRESHET_DATA"))
    func rees46() throws {
        let data = try #require(ProcessInfo.processInfo.environment["FRESHET_DATA"])
        let path = data + "/rees46-sample/raw/2019-Oct-sample.csv.gz"
        let maps = ["timestamp=event_time", "type=event_type", "item_id=product_id", "value=price", "session_id=user_session"]
        let types: [String: InteractionType] = ["view": .click, "cart": .addToCart]
        let first = try store(try foreign(path, maps: maps, types: types), types: types)
        #expect(first.stored == 17_434 && first.rejected == 1, "\(first.stored), \(first.firstReasons)")
        #expect(
            try database.sql("select type, count(*) from interactions group by 1 order by 1") == "1|17055\n2|165\n3|214")
        #expect(try database.sql("select sum(amount_minor) from interactions where type = 3") == "5944263")
        #expect(try database.sql("select count(distinct user_id) from interactions") == "4504")
        let again = try store(try foreign(path, maps: maps, types: types), types: types)
        #expect(again.stored == 0 && again.duplicates == 0 && again.accepted == 17_434)
    }
}

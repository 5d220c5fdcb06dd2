import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions
import Logging
import Synchronization
import TestSupport
import Testing

@Suite("History from files and pipes", .enabled(if: TestDatabase.isAvailable, Comment(rawValue: TestDatabase.unavailable)))
struct BackfillTests {
    private let database: TestDatabase
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("backfill-\(UUID().uuidString)")

    init() throws {
        database = try TestDatabase()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Backfills with few records a batch, so that files have several.
    private func run(
        _ path: String, _ kind: RecordKind = .events, types: [String: InteractionType] = [:], batchRecords: Int = 7,
        isStopping: @escaping @Sendable () -> Bool = { false }, progress: (BackfillRun.Totals) -> Void = { _ in }
    ) throws -> BackfillRun.Totals {
        var settings = IngestSettings(
            databaseURL: database.url, rules: DecodingRules(typeAliases: types, idForm: .nfc), clock: { Intakes.now })
        settings.batchRecords = batchRecords
        let store = try IngestStore(url: database.url, rules: settings.featureRules)
        return try BackfillRun(store: store, settings: settings, logger: Logger(label: "test"), isStopping: isStopping)
            .run(path: path, kind: kind, progress: progress)
    }

    private func file(_ text: String, _ name: String = "events.jsonl") throws -> String {
        let path = folder.appendingPathComponent(name).path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func event(_ number: Int, type: String = "click", id: Bool = false) -> String {
        #"{"type":"\#(type)","user_id":"u\#(number % 5)","item_id":"i\#(number)","timestamp":\#(1_790_000_000_000 + number)"#
            + (id ? #","event_id":"e\#(number)"}"# : "}")
    }

    private func events(_ range: Range<Int>, type: String = "click", id: Bool = false) -> String {
        range.map { event($0, type: type, id: id) + "\n" }.joined()
    }

    @Test("an erasure finds the refused lines of a file, malformed ones too")
    func refusedLinesGoWithTheirUser() throws {
        let lines = [
            #"{"user_id":"u1","type":"nonsense","item_id":"i1"}"#, #"{"type":"click","user_id":"u1","item_id":"#,
            #"{"user_id":"u2","type":"nonsense"}"#,
            "[1,2", #"{"session_id":"s4","type":"nonsense"}"#,
        ]
        #expect(try run(file(lines.joined(separator: "\n"))).refusedLines == 5)
        #expect(try database.sql("select count(key) from dead_letters") == "4")
        let store = StoreQueries(url: database.url)
        for user in ["u1", "session:s4"] { try store.eraseUser(user) }
        #expect(try database.sql(#"select "offset" from dead_letters order by 1"#) == "2\n3")
        // Nor do they come back when the file is read once more.
        _ = try run(file(lines.joined(separator: "\n"), "again.jsonl"))
        #expect(try database.sql("select count(*) from dead_letters where payload::text like '%7531%'") == "0")
    }

    @Test("what a record of an erased user in a file tells of other ids is erased before the backfill ends")
    func lateRecordsInFiles() throws {
        _ = try run(file(#"{"type":"click","user_id":"session:s4","item_id":"i1","timestamp":1790000000000}"#))
        try StoreQueries(url: database.url).eraseUser("u1")
        #expect(try count("interactions") == "1")
        _ = try run(file(#"{"user_id":"u1","aliases":["session:s4"],"updated_at":1790000000000}"#, "users.jsonl"), .users)
        #expect(try count("interactions") == "0" && count("open_erasures") == "0" && count("users") == "0")
    }

    private func count(_ table: String) throws -> String { try database.sql("select count(*) from \(table)") }

    /// A FIFO that a thread writes into.
    private func fifo(_ text: String) throws -> String {
        let path = folder.appendingPathComponent(UUID().uuidString).path
        try #require(mkfifo(path, 0o600) == 0)
        Thread {
            let descriptor = open(path, O_WRONLY)
            _ = Array(text.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            close(descriptor)
        }.start()
        return path
    }

    @Test("a pipe is read once, as it comes, and given again its events count once")
    func pipe() throws {
        let text = events(0..<20)
        let first = try run(try fifo(text))
        #expect(first.lines == 20 && first.stored == 20 && first.rejected == 0)
        let again = try run(try fifo(text))
        #expect(again.stored == 0 && again.duplicates == 20)
        // The same lines in a file: the same ids, derived of content and line.
        let asFile = try run(try file(text))
        #expect(asFile.stored == 0 && asFile.duplicates == 20)
        #expect(try count("interactions") == "20")
    }

    @Test("of two pipes each has its own dead letters")
    func lettersOfPipes() throws {
        for text in ["bad\n", "worse\n"] {
            let totals = try run(try fifo(text))
            #expect(totals.isAllRefused && totals.rejected == 1)
            // The source of a stream holds the moment; two of a test must not share it.
            try database.sql("update dead_letters set source = source || id")
        }
        #expect(try count("dead_letters") == "2")
        #expect(try count("stream_offsets") == "0")
    }

    @Test("a stop ends a pipe that nobody writes to, and what was whole is stored", .timeLimit(.minutes(15)))
    func stopped() throws {
        let path = folder.appendingPathComponent("open").path
        try #require(mkfifo(path, 0o600) == 0)
        let writer = open(path, O_RDWR)
        defer { close(writer) }
        let text = Array((events(0..<3) + #"{"type":"cli"#).utf8)
        #expect(text.withUnsafeBytes { write(writer, $0.baseAddress, $0.count) } == text.count)
        let asked = Mutex(0)
        let totals = try run(path, isStopping: { asked.withLock { $0 += 1; return $0 > 20 } })
        #expect(totals.stored == 3 && totals.rejected == 0)
    }

    @Test("a file of which every line was refused is stored by the same command once the mapping is mended")
    func allRefused() throws {
        let path = try file(events(0..<30, type: "view"))
        let refused = try run(path)
        #expect(refused.isAllRefused && refused.rejected == 30 && refused.stored == 0)
        #expect(
            refused.firstReasons.count == 1 && refused.firstReasons[0].hasPrefix("line 1: type \"view\" is not one of"),
            "\(refused.firstReasons)")
        let same = try run(path)
        #expect(same.isAllRefused && same.resumedAt == 30, "nothing has changed")
        #expect(try count("dead_letters") == "30")
        let mended = try run(path, types: ["view": .click])
        #expect(mended.stored == 30 && mended.mended == 30 && mended.rejected == 0 && !mended.isAllRefused)
        #expect(try count("interactions") == "30")
        #expect(try count("dead_letters where replayed_at is null") == "0", "they must not be replayed as well")
        let known = try run(path, types: ["view": .click])
        #expect(known.stored == 0 && known.duplicates == 0 && known.mended == 0 && known.accepted == 30)
    }

    @Test("of a file of which some lines were refused, those are read again, and only those")
    func someRefused() throws {
        let path = try file(
            (0..<40).map { $0 % 3 == 0 ? event($0, type: "view") : $0 % 7 == 1 ? "" : event($0) }.joined(separator: "\n") + "\nno JSON\n")
        let first = try run(path)
        #expect(first.stored == 22 && first.rejected == 15 && first.accepted == 22 && !first.isAllRefused)
        let mended = try run(path, types: ["view": .click])
        #expect(mended.stored == 14 && mended.duplicates == 0 && mended.mended == 14 && mended.rejected == 1)
        #expect(try count("interactions") == "36")
        #expect(try database.sql("select \"offset\" from dead_letters where replayed_at is null") == "40")
        // What was sent again in another way is not read again.
        try database.sql("update dead_letters set replayed_at = now()")
        #expect(try run(path).rejected == 0)
    }

    @Test("a run that was stopped goes on behind what it stored, with the dead letters before it")
    func resumed() throws {
        let path = try file(events(0..<10, type: "view") + events(10..<50))
        let asked = Mutex(0)
        let part = try run(path, isStopping: { asked.withLock { $0 += 1; return $0 > 30 } })
        #expect(part.lines > 10 && part.lines < 50, "\(part.lines)")
        let rest = try run(path, types: ["view": .click])
        #expect(rest.lines == 50 && rest.resumedAt == part.lines && rest.mended == 10)
        #expect(try count("interactions") == "50")
    }

    @Test("a compressed file that ends in the middle: what was whole is stored, and the damage is said")
    func cut() throws {
        let plain = try file((0..<20_000).map { event($0) + "\n" }.joined())
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", plain]
        try gzip.run()
        gzip.waitUntilExit()
        let whole = try Data(contentsOf: URL(fileURLWithPath: plain + ".gz"))
        let path = folder.appendingPathComponent("cut.jsonl.gz").path
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path))
        let totals = try run(path, batchRecords: 50_000)
        #expect(totals.damage?.code == .fileTruncated)
        #expect(totals.stored > 5_000 && totals.stored == totals.lines && totals.rejected == 0)
        #expect(try count("interactions") == "\(totals.stored)")
    }

    @Test("a file that grows or shrinks while it is read is named, and a later run has all of it", arguments: [true, false])
    func changing(grows: Bool) throws {
        let path = try file(events(0..<8_000, id: true))
        var isChanged = false
        let totals = try run(path, batchRecords: 1_000, progress: { _ in
            guard !isChanged else { return }
            isChanged = true
            if grows, let handle = FileHandle(forWritingAtPath: path) {
                handle.seekToEndOfFile()
                handle.write(Data(events(8_000..<8_010, id: true).utf8))
            } else {
                truncate(path, 500_000)
            }
        })
        #expect(totals.hasChanged)
        let again = try run(path, batchRecords: 1_000)
        #expect(!again.hasChanged && again.resumedAt == 0)
        if grows { #expect(try count("interactions") == "8010") }
    }

    @Test("an event whose id is known with other content is not read again")
    func conflicts() throws {
        #expect(try run(try file(event(1, id: true), "a.jsonl")).stored == 1)
        let other = try file(event(1, type: "purchase", id: true), "b.jsonl")
        let totals = try run(other)
        #expect(totals.rejected == 1 && totals.refusedLines == 0 && !totals.isAllRefused)
        let again = try run(other)
        #expect(again.rejected == 0 && again.mended == 0)
    }

    @Test("what is no list of records is refused line by line, with a hint of what it looks like", arguments: [
        ("[\n{\"a\":1},\n{\"b\":2}\n]\n", "JSON array"), ("[{\"a\":1},{\"b\":2}]\n", "JSON array"), ("{\n  \"a\": 1\n}\n", "several lines"),
        ("user,item,time\nu1,i1,1\n", "commas"), ("user;item\nu1;i1\n", "semicolons"), ("user\titem\nu1\ti1\n", "tabs"),
        ("\0\0\0\0\0\0\n", "zero bytes"), ("{\"title\":\"caf\u{1}\"}\n", nil),
    ])
    func shapes(_ text: String, _ hint: String?) throws {
        let totals = try run(try file(text))
        #expect(totals.isAllRefused && totals.rejected == totals.lines)
        if let hint { #expect(totals.hint?.contains(hint) == true, "\(totals.hint ?? "none")") } else { #expect(totals.hint == nil) }
    }

    @Test("empty files, endings, marks, a last line without its ending, and names by links")
    func forms() throws {
        let empty = try run(try file(""))
        #expect(empty.lines == 0 && empty.rejected == 0 && !empty.isAllRefused)
        #expect(try run(try file("\n\n\n")).rejected == 0)
        #expect(try run("/dev/null").lines == 0)
        let path = try file("\u{FEFF}" + event(1) + "\r\n\r\n" + event(2))
        let link = folder.appendingPathComponent("link.jsonl").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        #expect(try run(path).stored == 2)
        let through = try run(link)
        #expect(through.stored == 0 && through.duplicates == 2)
        for wrong in [folder.path, folder.path + "/missing", "/dev/fd/987"] {
            let error = #expect(throws: StreamError.self) { try run(wrong) }
            #expect(error?.message.contains(wrong) == true)
        }
    }
}

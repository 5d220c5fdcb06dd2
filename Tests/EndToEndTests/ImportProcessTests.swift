import Foundation
import Testing
import TestSupport

extension EndToEnd {
    /// Other systems' files, as a person imports them.
    @Suite struct ImportProcessTests {
        private static let table = """
            Invoice;Code;Count;Date;Price;Customer
            1;A;2;10/13/2026 8:26;2,50;17850
            2;B;1;10/1/2026 8:27;1.000,00;17850
            C3;A;-1;10/14/2026 9:00;2,50;17850
            4;B;1;someday;3,00;17851

            """
        private static let maps = [
            "user_id=Customer", "item_id=Code", "timestamp=Date", "value=Price", "quantity=Count", "type=\"purchase\"",
        ].flatMap { ["--map", $0] }

        @Test("a table is shown, stored once, and what cannot be read is said with its line")
        func table() throws {
            let bench = try Workbench()
            let path = try bench.write(bytes: Array(Self.table.utf8), to: "orders.csv")
            let arguments = ["import", "--format", "csv", path] + Self.maps
            let shown = try bench.program().run(arguments + ["--dry-run"])
            #expect(shown.status == 0, "\(shown.errors)")
            for words in [
                "separator semicolon, dates mdy", "Customer   -> user_id", "not used: Invoice", #""value":1000.00"#, #""type":"return""#,
                "line 5  refused: timestamp \"someday\" is no time", "3 rows would be accepted, 1 refused",
            ] { #expect(shown.output.contains(words), "\"\(words)\" is not in: \(shown.output)") }
            let program = try bench.program().run(arguments + ["--dry-run", "--json"])
            #expect(program.output.contains(#""accepted":3,"refused":1,"reasons":[{"code":"malformed_row","field":"timestamp","count":1,"#))
            #expect(try bench.database.sql("select count(*) from interactions") == "0")
            let first = try bench.program().run(arguments + ["--json"])
            #expect(first.status == 0 && first.output.contains(#""stored":3,"#), "\(first.errors)")
            #expect(first.output.contains(#""returns":1,"#), "\(first.output)")
            #expect(first.errors.contains("line 5: timestamp \"someday\""), "\(first.errors)")
            let again = try bench.program().run(arguments + ["--json"])
            #expect(again.status == 0 && again.output.contains(#""stored":0,"duplicates":0,"#), "\(again.output)")
            let replay = try bench.program().run("dead-letters", "replay", "--directly", "--json")
            #expect(replay.output.contains(#""replayed":0,"left_out":1,"#) && replay.errors.contains("give freshet import the file again"))
        }

        @Test("sent to Kafka and stored directly, a file counts once")
        func toKafka() throws {
            let bench = try Workbench()
            let (broker, address) = try bench.startBroker()
            defer { broker.stop() }
            let path = try bench.write(bytes: Array(Self.table.utf8), to: "orders.csv")
            let program = bench.program(broker: address)
            let sent = try program.run(["import", "--format", "csv", path, "--to-kafka", "--json"] + Self.maps)
            #expect(sent.status == 0 && sent.output.contains(#""sent":3,"failed":0,"rejected":1,"#), "\(sent.output)\(sent.errors)")
            let ingested = try program.run("ingest", "--until-end", "--json")
            #expect(ingested.output.contains(#""stored":3,"#), "\(ingested.output)\(ingested.errors)")
            let direct = try program.run(["import", "--format", "csv", path, "--json"] + Self.maps)
            #expect(direct.output.contains(#""stored":0,"duplicates":3,"#), "\(direct.output)")
        }

        @Test("files of RecBole say by their names what they hold, and items come first")
        func recbole() throws {
            let bench = try Workbench()
            let events = try bench.write(
                ["user_id:token\titem_id:token\trating:float\ttimestamp:float", "1\t7\t4.0\t881250949", "2\t7\t5\t881250950.0"],
                to: "ml.inter")
            let items = try bench.write(["item_id:token\ttitle:token_seq\tclass:token_seq", "7\tToy Story\tComedy"], to: "ml.item")
            let result = try bench.program().run("import", "--format", "recbole", events, items, "--json")
            #expect(result.status == 0 && result.output.contains(#""stored":2,"#), "\(result.errors)")
            #expect(result.output.contains(#""items":1,"#), "\(result.output)")
            #expect(try bench.database.sql("select title from items") == "Toy Story")
        }

        @Test("what is wrong is said before anything is stored")
        func wrong() throws {
            let bench = try Workbench()
            let path = try bench.write(["a,b", "1,2"], to: "x.csv")
            for (arguments, status, words) in [
                (["--format", "csv", path], 1, "no column is type"),
                (["--format", "csv", path, "--map", "item=a"], 1, "did you mean item_id?"),
                (["--format", "csv", path, "--map", "item_id"], 64, "--map takes FIELD=COLUMN"),
                (["--format", "xls", path], 64, "xls"), (["--format", "csv", path, "--zone", "Europe/Berln"], 64, "Europe/Berlin?"),
                (["--format", "csv", path, "--separator", "ab"], 64, "--separator is 'ab'"),
                (["--format", "csv", "/nowhere"], 1, "cannot read"),
                (["--format", "merchant", path], 1, "no column is id"), (["--format", "recbole", path], 1, "has no type"),
            ] {
                EndToEnd.expectFailure(try bench.program().run(["import"] + arguments), status: Int32(status), saying: words)
            }
            #expect(try bench.database.sql("select (select count(*) from interactions) + (select count(*) from dead_letters)") == "0")
        }
    }
}

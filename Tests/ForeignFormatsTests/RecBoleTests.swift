import ForeignFormats
import Interactions
import Testing

@Suite("RecBole's atomic files")
struct RecBoleTests {
    @Test("interactions: ratings and other columns are context, clicks unless a map says otherwise")
    func interactions() throws {
        let text = "user_id:token\titem_id:token\trating:float\ttimestamp:float\tlabels:token_seq\n"
            + "196\t242\t3\t881250949\ta b\n186\t302\t3.5\t891717742.0\t\n"
        let read = try Reading(text, .recbole)
        #expect(read.records.map { $0.split(separator: ",", maxSplits: 1)[1] } == [
            #""type":"click","user_id":"196","item_id":"242","timestamp":"1997-12-04T15:55:49.000Z","#
                + #""context":{"rating":3,"labels":["a","b"]}}"#,
            #""type":"click","user_id":"186","item_id":"302","timestamp":"1998-04-04T19:22:22.000Z","context":{"rating":3.5}}"#,
        ])
        let bought = try Reading(text, .recbole, options: try Reading.options("type=\"purchase\"", "value=rating"))
        #expect(bought.records[0].contains(#""type":"purchase""#) && bought.records[0].contains(#""value":3"#))
        #expect(!bought.records[0].contains(#""rating""#))
    }

    @Test("items and users: titles, classes, numbers and lists")
    func records() throws {
        let items = try Reading(
            "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\tscore:float\tvector:float_seq\n"
                + "1\tToy \"Story\"\t1995\tAnimation Comedy\t4.5\t0.5 -1\n",
            .recbole, kind: .items)
        #expect(items.records == [
            #"{"item_id":"1","title":"Toy \"Story\"","categories":["Animation","Comedy"],"#
                + #""attributes":{"release_year":"1995","score":4.5,"vector":[0.5,-1]}}"#
        ])
        let users = try Reading("user_id:token\tage:token\n1\t24\n", .recbole, kind: .users)
        #expect(users.records == [#"{"user_id":"1","attributes":{"age":"24"}}"#])
    }

    @Test("names of files say the kind; headers that are none are refused with what was expected")
    func kinds() throws {
        for (name, kind) in [
            ("ml.inter", RecordKind.events), ("ml.item", .items), ("ml.item.gz", .items), ("ml.user", .users), ("x.txt", .events),
        ] {
            #expect(ForeignFormat.recbole.kinds(ofFileNamed: name) == [kind])
        }
        for (header, words) in [
            ("user_id\titem_id\n", "has no type"), ("user_id:text\n", "has the type text"),
            ("user_id:token\titem_id:token\n", "no column is timestamp"),
        ] {
            let problem = #expect(throws: ForeignProblem.self) { _ = try Reading(header + "1\t2\n", .recbole) }
            #expect(problem?.description.contains(words) == true, "\(problem?.description ?? "")")
        }
    }
}

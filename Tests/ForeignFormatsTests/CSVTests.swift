import ForeignFormats
import FuzzInputs
import Interactions
import Testing

@Suite("CSV")
struct CSVTests {
    /// Items by columns that are named like fields, one text each.
    private func titles(_ text: String, pieceBytes: Int = .max) throws -> [String] {
        try Reading(text, kind: .items, pieceBytes: pieceBytes).records
    }

    @Test("quotes, separators and line breaks in cells, all line endings, blank lines and trailing separators")
    func cells() throws {
        let expected = [
            #"{"item_id":"1","title":"a, \"b\""}"#, #"{"item_id":"2","title":"two\nlines"}"#,
            #"{"item_id":"3","title":"27\" screen"}"#, #"{"item_id":"4"}"#,
        ]
        for end in ["\n", "\r\n", "\r"] {
            let text = ["item_id,title", #"1,"a, ""b""""#, "", "2,\"two\nlines\"", #"3,27" screen"#, "4,,", ",", ""].joined(separator: end)
            for piece in [1, 2, 3, 7, .max] {
                #expect(try titles(text, pieceBytes: piece) == expected, "\(end.debugDescription), \(piece)")
            }
        }
        #expect(try titles("item_id,title\n1,x").count == 1, "the last line may end with the file")
    }

    @Test("a row that cannot be read costs itself only, with its line", arguments: [1, 5, .max])
    func broken(piece: Int) throws {
        var options = ForeignOptions()
        options.rowLimitBytes = 40
        let text = """
            item_id,title
            1,"open
            2,fine
            3,"closed" not
            4,fine
            5
            6,too,many
            7,\(String(repeating: "x", count: 200))
            8,fine
            9,"open to the end
            """
        let read = try Reading(text, kind: .items, options: options, pieceBytes: piece)
        #expect(read.records.map { $0.contains("fine") } == [true, true, true])
        #expect(read.refused.map(\.line) == [2, 4, 6, 7, 8, 10])
        #expect(read.refused.map(\.reason.code) == [.malformedRow, .malformedRow, .malformedRow, .malformedRow, .tooLarge, .malformedRow])
        #expect(read.texts[0] == "1,\"open" && read.texts[4].utf8.count == 40)
    }

    @Test("quotes that open line after line do not make reading slow")
    func hostileQuotes() throws {
        let text = "item_id,title\n" + String(repeating: "a\",\"c\n", count: 20_000)
        let read = try Reading(text, kind: .items)
        #expect(read.records.count + read.refused.count > 6_000)
    }

    @Test("what an independent writer writes reads back, at every border of pieces")
    func random() async throws {
        let report = await FuzzDoor("foreign.csv", short: 300, long: 30_000).run { source, _ in
            let separator = source.pick([",", ";", "\t", "|"]), end = source.pick(["\n", "\r\n"])
            let columns = Int.random(in: 2...5, using: &source)
            var rows: [[String]] = []
            for _ in 0..<Int.random(in: 1...6, using: &source) {
                let parts = ["a", "\"", separator, "\n", "\r\n", " ", "é", "漢", "x", "\"\""]
                rows.append((0..<columns).map { _ in
                    (0..<Int.random(in: 0...6, using: &source)).map { _ in source.pick(parts) }.joined()
                })
            }
            func written(_ cell: String) -> String {
                let needs = cell.contains { ["\"", separator, "\n", "\r\n", "\r"].contains(String($0)) } || source.once(in: 2)
                return needs ? "\"" + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\"" : cell
            }
            let names = ["item_id"] + (1..<columns).map { "attributes.c\($0)" }
            // The first cell is an id that makes every row one.
            let table = [names] + rows.enumerated().map { ["i\($0.offset)"] + $0.element.dropFirst() }
            let text = table.map { $0.map(written).joined(separator: separator) }.joined(separator: end) + (source.once(in: 2) ? end : "")
            let bytes = Array(text.utf8)
            let whole = try Reading(bytes, kind: .items)
            guard whole.refused.isEmpty, whole.records.count == rows.count else {
                return .broken("\(whole.records.count) of \(rows.count) rows of \(text.debugDescription)")
            }
            for (row, record) in zip(rows.enumerated(), whole.records) {
                for (place, cell) in row.element.enumerated().dropFirst() {
                    let wanted = cell.trimmed
                    let found = JSONText.string("c\(place)", inObject: attributes(record)) ?? ""
                    guard found.utf8.elementsEqual(wanted.utf8) || wanted == "NULL" else {
                        return .broken("\(cell.debugDescription) came back as \(found.debugDescription)")
                    }
                }
            }
            let piece = Int.random(in: 1...9, using: &source)
            guard try Reading(bytes, kind: .items, pieceBytes: piece).records == whole.records else {
                return .broken("pieces of \(piece) bytes give other rows of \(text.debugDescription)")
            }
            return .accepted
        }
        #expect(report.findings.isEmpty)
    }

    private func attributes(_ record: String) -> String {
        guard let start = record.firstRange(of: "\"attributes\":") else { return "{}" }
        return String(record[start.upperBound...].dropLast())
    }

    @Test("no bytes end the reader, and every line is told of once at most")
    func hostile() async throws {
        let report = await FuzzDoor("foreign.csv.bytes", short: 500, long: 200_000).run { source, _ in
            var text = Array("item_id,title,price\n1,\"a\nb\",2\n2,\"x\"\"y\",\"1,5\"\n3,z,4\n".utf8)
            for _ in 0..<Int.random(in: 1...12, using: &source) {
                let place = Int.random(in: 0...text.count - 1, using: &source)
                switch Int.random(in: 0...2, using: &source) {
                case 0: text[place] = source.pick([0x22, 0x2C, 0x0A, 0x0D, 0x00, 0xFF, 0xC3, 0x3B])
                case 1: text.insert(source.pick([0x22, 0x0A, 0x0D, 0xE2]), at: place)
                default: text.removeSubrange(place..<min(text.count, place + 3))
                }
                if text.isEmpty { text = [0x22] }
            }
            var options = ForeignOptions()
            options.rowLimitBytes = Int.random(in: 4...64, using: &source)
            let read: Reading, pieces: Reading
            do throws(ForeignProblem) {
                read = try Reading(text, kind: .items, options: options)
            } catch { return .refused }
            do throws(ForeignProblem) {
                pieces = try Reading(text, kind: .items, options: options, pieceBytes: Int.random(in: 1...5, using: &source))
            } catch { return .broken("refused in pieces only: \(error)") }
            guard pieces.records == read.records, pieces.refused.map(\.line) == read.refused.map(\.line) else {
                return .broken("pieces differ: \(text)")
            }
            let inOrder = zip(read.refused, read.refused.dropFirst()).allSatisfy { $0.line < $1.line }
            return inOrder ? .accepted : .broken("lines out of order")
        }
        #expect(report.findings.isEmpty)
    }

    @Test("the separator that stands most often in the first row is found, or said")
    func separators() throws {
        for separator in [",", ";", "\t", "|"] {
            let rows = [["item_id", "title", "price"], ["1", "x", "2.5"]]
            let read = try Reading(rows.map { $0.joined(separator: separator) }.joined(separator: "\n"), kind: .items)
            #expect(read.records == [#"{"item_id":"1","title":"x","price":2.5}"#])
        }
        let options = try Reading.options("title=#2") { $0.separator = UInt8(ascii: ":") }
        let said = try Reading("item_id:title,x\n1:a,b", kind: .items, options: options)
        #expect(said.records == [#"{"item_id":"1","title":"a,b"}"#])
    }

    @Test("a purchase of a negative quantity is a return, as in the columns of a retailer's invoices")
    func retail() throws {
        let options = try Reading.options(
            "type=\"purchase\"", "user_id=CustomerID", "item_id=StockCode", "timestamp=InvoiceDate", "value=UnitPrice", "quantity=Quantity",
            "context.invoice=InvoiceNo") { $0.times.order = .monthFirst }
        let read = try Reading(
            """
            InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
            536365,85123A,"WHITE HANGING HEART, T-LIGHT",6,12/1/2010 8:26,2.55,17850,United Kingdom
            C536379,D,Discount,-1,12/1/2010 9:41,27.50,14527,United Kingdom
            536414,22139,,56,12/1/2010 11:52,0,,United Kingdom
            536415,22139,,x,13/13/2010 11:52,0,17850,United Kingdom
            """, options: options)
        #expect(read.records.count == 3)
        #expect(
            read.records[0].hasSuffix(
                #""type":"purchase","user_id":"17850","item_id":"85123A","timestamp":"2010-12-01T08:26:00.000Z","value":2.55,"quantity":6,"#
                    + #""context":{"invoice":"536365"}}"#))
        #expect(read.records[1].contains(#""type":"return""#) && read.records[1].contains(#""quantity":1,"#))
        #expect(!read.records[2].contains("user_id"), "without a customer the decoder refuses it, with its record in the dead letter")
        #expect(read.refused.map(\.line) == [5] && read.refused[0].reason.field == "timestamp" && read.users == ["17850"])
    }

    @Test("ids of events come from their row and its line: the same row twice is two events, and a name does not matter")
    func ids() throws {
        let text = "type,user_id,item_id,timestamp\nclick,u,i,1700000000\nclick,u,i,1700000000\n"
        let first = try Reading(text).records, again = try Reading(text).records
        #expect(first == again && first.count == 2 && first[0] != first[1])
        #expect(first.allSatisfy { $0.hasPrefix(#"{"event_id":"file:"#) })
        let own = try Reading("event_id,type,user_id,item_id,timestamp\ne1,click,u,i,1700000000").records
        #expect(own[0].hasPrefix(#"{"event_id":"e1","#))
    }

    @Test("what is wrong with a mapping is said with what would be right")
    func mappings() throws {
        for (maps, words) in [
            (["item=Customer"], "did you mean item_id?"), (["item_id=Custmer"], "Did you mean Customer?"), (["item_id=#9"], "there are 2"),
            (["item_id=Customer", "item_id=Price"], "item_id twice"),
            (["item_id=Customer", "attributes.x:colour=Price"], "text, number, list or boolean"),
            ([], "no column is item_id"),
        ] {
            var options = ForeignOptions()
            options.maps = try maps.map { try FieldMap($0) }
            let problem = #expect(throws: ForeignProblem.self) { _ = try Reading("Customer,Price\n1,2\n", kind: .items, options: options) }
            #expect(problem?.description.contains(words) == true, "\(problem?.description ?? "")")
        }
        for wrong in ["user_id", "=x", "user_id="] { #expect(throws: ForeignProblem.self) { _ = try FieldMap(wrong) } }
        let twice = #expect(throws: ForeignProblem.self) {
            _ = try Reading("a,a\n1,2\n", kind: .items, options: try Reading.options("item_id=a"))
        }
        #expect(twice?.description.contains("#1 or #2") == true)
    }

    @Test("an amount in one currency beside a column that says another is refused; the same, in any case, is one")
    func currencies() throws {
        let read = try Reading(
            """
            type,user_id,item_id,timestamp,value,currency
            click,u,i,1700000000,10.00 USD,EUR
            click,u,i,1700000000,€10.00,USD
            click,u,i,1700000000,10.00 eur,EUR
            click,u,i,1700000000,$10.00,USD
            click,u,i,1700000000,10.00 EUR,
            """)
        #expect(read.refused.map(\.line) == [2, 3] && read.refused.allSatisfy { $0.reason.field == "currency" })
        #expect(read.records.count == 3 && read.records[2].contains(#""currency":"EUR""#))
    }

    @Test("columns are fields in any case, where no other is written as the field is; one that stands twice is asked for by its place")
    func cases() throws {
        let read = try Reading("User_ID,ITEM_ID,Type,type,Timestamp\nu,i,view,click,1700000000\n").records
        #expect(read.count == 1 && read[0].contains(#""type":"click","user_id":"u","item_id":"i""#))
        for header in ["user_id,user_id", "User_ID,USER_ID"] {
            let rows = "\(header),item_id,type,timestamp\nu,v,i,click,1700000000\n"
            let twice = #expect(throws: ForeignProblem.self) { _ = try Reading(rows) }
            #expect(twice?.description.contains("stands 2 times") == true && twice?.description.contains("user_id=#2") == true)
        }
        let said = try Reading(
            "user_id,user_id,item_id,type,timestamp\nu,v,i,click,1700000000\n", options: try Reading.options("user_id=#2")).records
        #expect(said.first?.contains(#""user_id":"v""#) == true)
    }

    @Test("typed attributes, lists, constants and files without a header")
    func values() throws {
        let options = try Reading.options(
            "item_id=#1", "categories=#2", "attributes.weight:number=#3", "attributes.sizes:list=#4", "hidden=#5",
            "attributes.source=\"shop\"") { $0.hasHeader = false }
        let read = try Reading("i1,shoes|outdoor,\"1.5\",S|M,no\ni2,,NULL,,yes\ni3,,heavy,,no", kind: .items, options: options)
        #expect(
            read.records == [
                #"{"item_id":"i1","categories":["shoes","outdoor"],"hidden":false,"#
                    + #""attributes":{"weight":1.5,"sizes":["S","M"],"source":"shop"}}"#,
                #"{"item_id":"i2","hidden":true,"attributes":{"source":"shop"}}"#,
            ])
        #expect(read.refused.map(\.reason.field) == ["attributes.weight"] && read.refused.map(\.line) == [3])
    }
}

extension String {
    fileprivate var trimmed: String {
        let scalars = unicodeScalars.drop { [" ", "\t", "\n", "\r"].contains($0) }
        let end = scalars.lastIndex { ![" ", "\t", "\n", "\r"].contains($0) }.map { scalars.index(after: $0) } ?? scalars.startIndex
        return String(String.UnicodeScalarView(scalars[..<end]))
    }
}

import ForeignFormats
import Interactions
import Testing

@Suite("Tables: what spreadsheets and shops put into them")
struct CSVCornersTests {
    @Test("Excel's first line names the separator and is no row", arguments: ["sep=;\r\n", "\"sep=;\"\n", "SEP=;\n", "\u{FEFF}sep=;\n"])
    func excel(_ line: String) throws {
        for piece in [1, 3, .max] {
            let read = try Reading(line + "item_id;title;price\n1;a,b,c,d;2,5\n2;x;bad\n", kind: .items, pieceBytes: piece)
            #expect(read.records == [#"{"item_id":"1","title":"a,b,c,d","price":2.5}"#])
            #expect(read.refused.map(\.line) == [4], "it counts as a line of the file")
            #expect(read.layout?.separator == UInt8(ascii: ";"))
        }
        let tab = try Reading("sep=\t\nitem_id\ttitle\n1\tx\n", kind: .items)
        #expect(tab.records == [#"{"item_id":"1","title":"x"}"#])
        let said = try Reading(
            "sep=;\nitem_id|title\n1|x;y\n", kind: .items, options: try Reading.options { $0.separator = UInt8(ascii: "|") })
        #expect(said.records == [#"{"item_id":"1","title":"x;y"}"#])
    }

    @Test("a column that is called so is a column", arguments: ["sep=x,item_id\n1,2\n", "sep=,item_id\n1,2\n", "sep,item_id\n1,2"])
    func noExcel(_ text: String) throws { #expect(try Reading(text, kind: .items).records == [#"{"item_id":"2"}"#]) }

    @Test("amounts in cents become amounts of the row's currency", arguments: [
        ("1999", "EUR", "19.99"), ("5", "", "0.05"), ("1900", "USD", "19"), ("1999", "JPY", "1999"), ("1999", "KWD", "1.999"),
        ("1,234", "EUR", nil), ("19.99", "EUR", nil), ("1e3", "EUR", nil), ("1999.0", "EUR", "19.99"), ("0", "EUR", "0"),
        ("1.234.567", "EUR", "12345.67"), ("1999 CHF", "", "19.99"), ("99999999999999999999", "EUR", nil),
    ] as [(String, String, String?)])
    func cents(_ cell: String, _ currency: String, _ price: String?) throws {
        let options = try Reading.options("price:minor_units=cents")
        let read = try Reading("item_id\tcents\tcurrency\n1\t\(cell)\t\(currency)\n", kind: .items, options: options)
        if let price {
            #expect(read.records.first?.contains("\"price\":\(price)") == true, "\(read.records) \(read.refused)")
        } else {
            #expect(read.refused.first?.reason.field == "price", "\(read.records)")
        }
        #expect(read.layout?.columns[1].field == "price:minor_units")
    }

    @Test("currencies that ISO 4217 has not are refused, whether they stand in a cell of their own or behind the amount")
    func currencies() throws {
        let read = try Reading(
            """
            item_id;price;currency
            1;5 STK;
            2;5;ZZZ
            3;5;dem
            4;5 ITL;
            5;5;EURO
            6;5 EUR;
            """, kind: .items)
        #expect(read.refused.map(\.line) == [2, 3] && read.refused.map(\.reason.field) == ["price", "currency"])
        #expect(read.refused[0].reason.detail == #""5 STK" names STK, which is no currency of ISO 4217"#)
        #expect(read.records.count == 4, "what is no code at all is refused by the decoder, with its record")
    }

    @Test("groups, times in which an item is there, and stock are columns like others")
    func availability() throws {
        let read = try Reading(
            """
            item_id;item_group_id;available_from;available_until;stock
            1;G;2026-01-01;1.2.2026 10:00;5
            2;;;;1,5
            """, kind: .items)
        #expect(
            read.records == [
                #"{"item_id":"1","item_group_id":"G","available_from":"2026-01-01T00:00:00.000Z","#
                    + #""available_until":"2026-02-01T10:00:00.000Z","stock":5}"#
            ])
        #expect(read.refused.map(\.reason.field) == ["stock"])
    }

    @Test("all columns that are missing are asked for at once, and a text in place of a column is recognised")
    func asking() throws {
        let bare = #expect(throws: ForeignProblem.self) { _ = try Reading("a,b\n1,2\n") }
        #expect(
            bare?.description.hasPrefix(
                "no column is type, user_id, item_id or timestamp, which events need: say where they stand with --map type=COLUMN "
                    + "--map user_id=COLUMN --map item_id=COLUMN --map timestamp=COLUMN, or --map type='\"purchase\"'") == true)
        let text = #expect(throws: ForeignProblem.self) {
            _ = try Reading("a,b\n1,2\n", options: try Reading.options("type='purchase'"))
        }
        #expect(text?.description.contains(#"double quotes: --map type='"purchase"'."#) == true, "\(text?.description ?? "")")
    }

    @Test("a cell of many lines whose quote is not closed costs a bounded number of refused rows, and no good row")
    func manyLines() throws {
        let header = "item_id,title,price\n", good = "7,good,1\n"
        let lines = String(repeating: "x\n", count: 5_000)
        for (text, records) in [
            (header + "1,\"" + lines, 0), (header + "1,\"" + lines + good + lines + good, 2),
            (header + good + "1,\"" + lines + "2,b,2\n", 2),
        ] {
            var options = ForeignOptions()
            options.rowLimitBytes = 100_000
            let read = try Reading(text, kind: .items, options: options)
            #expect(read.records.count == records, "\(read.records)")
            #expect(read.refused.count <= 2 * 102, "\(read.refused.count)")
            #expect(read.refused.last?.reason.detail.contains("more lines, up to line") == true, "\(read.refused.last as Any)")
            let pieces = try Reading(text, kind: .items, options: options, pieceBytes: 7)
            #expect(pieces.records == read.records && pieces.refused.map(\.line) == read.refused.map(\.line))
        }
        // Rows that are wrong by themselves are told one by one.
        #expect(try Reading(header + lines, kind: .items).refused.count == 5_000)
    }
}

import ForeignFormats
import FuzzInputs
import Interactions
import Testing

@Suite("Google Merchant feeds")
struct MerchantTests {
    /// 2026-11-21T08:00:00Z
    private static let now = EventTime(milliseconds: 1_795_248_000_000)

    private func read(_ text: String, pieceBytes: Int = .max, limit: Int = 1 << 20) throws -> Reading {
        var options = ForeignOptions()
        options.now = Self.now
        options.rowLimitBytes = limit
        return try Reading(text, .merchant, kind: .items, options: options, pieceBytes: pieceBytes)
    }

    private static let rss = """
        <?xml version="1.0"?>
        <!-- a feed as a shop writes it -->
        <rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel>
        <title>Example shop</title><link>https://shop.example</link>
        <item>
          <g:id>SKU-1</g:id><g:title>Trail shoe &amp; sole, size 42</g:title>
          <g:description><![CDATA[<b>Light</b> & dry]]></g:description>
          <g:link>https://shop.example/1?a=1&amp;b=2</g:link><g:image_link>https://shop.example/1.jpg</g:image_link>
          <g:price>89.90 EUR</g:price><g:sale_price>59.90 EUR</g:sale_price>
          <g:sale_price_effective_date>2026-11-20T00:00+0100/2026-11-30T23:59+0100</g:sale_price_effective_date>
          <g:availability>in_stock</g:availability><g:brand>Acme</g:brand><g:item_group_id>SHOE</g:item_group_id>
          <g:product_type>Shoes &gt; Outdoor</g:product_type><g:color>blue</g:color><g:size>42</g:size>
          <g:shipping><g:country>DE</g:country><g:price>4.90 EUR</g:price></g:shipping>
          <c:internal>left out</c:internal>
        </item>
        <item><g:id>SKU-2</g:id><title>Plain &#x2014; title</title><g:price>15.00 USD</g:price><g:sale_price>10 USD</g:sale_price>
          <g:sale_price_effective_date>2026-01-01T00:00Z/2026-02-01T00:00Z</g:sale_price_effective_date>
          <g:availability>out of stock</g:availability><g:google_product_category>187</g:google_product_category></item>
        </channel></rss>
        """

    private static let expected = [
        #"{"item_id":"SKU-1","title":"Trail shoe & sole, size 42","description":"<b>Light</b> & dry","#
            + #""categories":["Shoes","Shoes > Outdoor"],"price":59.90,"currency":"EUR","hidden":false,"item_group_id":"SHOE","#
            + #""attributes":{"availability":"in_stock","brand":"Acme","color":"blue","#
            + #""image_link":"https://shop.example/1.jpg","link":"https://shop.example/1?a=1&b=2","#
            + #""sale_price_effective_date":"2026-11-20T00:00+0100/2026-11-30T23:59+0100","size":"42","list_price":89.90}}"#,
        #"{"item_id":"SKU-2","title":"Plain — title","price":15.00,"currency":"USD","hidden":true,"#
            + #""attributes":{"availability":"out_of_stock","google_product_category":"187","#
            + #""sale_price_effective_date":"2026-01-01T00:00Z/2026-02-01T00:00Z","sale_price":10}}"#,
    ]

    @Test("RSS, at every border of pieces", arguments: [1, 2, 3, 17, .max])
    func feed(piece: Int) throws {
        let read = try read(Self.rss, pieceBytes: piece)
        #expect(read.records == Self.expected)
        #expect(read.refused.isEmpty)
        #expect(read.layout?.columns.contains { $0.name == "shipping" && $0.field == nil } == true)
    }

    @Test("Atom, with addresses in attributes and another prefix")
    func atom() throws {
        let text = """
            <feed xmlns="http://www.w3.org/2005/Atom" xmlns:x="http://base.google.com/ns/1.0"><title>s</title>
            <entry><x:id>a</x:id><title>One</title><link href="https://shop.example/a"/><x:price>1 EUR</x:price></entry></feed>
            """
        #expect(
            try read(text).records == [
                #"{"item_id":"a","title":"One","price":1,"currency":"EUR","hidden":false,"attributes":{"link":"https://shop.example/a"}}"#
            ])
    }

    @Test("tables with tabs name the same attributes, with spaces or underscores")
    func table() throws {
        let text = """
            id\ttitle\tprice\tsale price\tavailability\titem group id\timage link\tmade up
            1\tShoe\t15.00 USD\t\tout of stock\tG\thttps://shop.example/1.jpg\tx
            2\tHat\tfree\t\tin stock\t\t\t
            """
        let read = try read(text)
        #expect(
            read.records == [
                #"{"item_id":"1","title":"Shoe","price":15.00,"currency":"USD","hidden":true,"item_group_id":"G","#
                    + #""attributes":{"availability":"out_of_stock","image_link":"https://shop.example/1.jpg"}}"#
            ])
        #expect(read.refused.map(\.line) == [3] && read.refused[0].reason.detail.contains("is no price, such as 15.00 USD"))
        let problem = #expect(throws: ForeignProblem.self) { _ = try self.read("name\tprice\n1\t2\n") }
        #expect(problem?.description.contains("no column is id") == true)
    }

    @Test("what is wrong within an item costs that item, wherever pieces end", arguments: [1, 5, .max])
    func broken(piece: Int) throws {
        let items = [
            "<item><g:id>1</g:id></item>", "<item><g:id>2</g:id><g:title>a & b</g:title></item>", "<item><g:id>3</g:id></item>",
            "<item><g:id>4</g:title></item>", "<item><g:title>no id</g:title></item>", "<item><g:id>6</g:id><x y=z/></item>",
            "<item><g:id>7</g:id>&nbsp;</item>", "<item><g:id>8</g:id></item>",
            "<item><g:id>9</g:id><g:title>\(String(repeating: "x", count: 400))</g:title></item>",
            "<item><g:id>10</g:id></item>", "<item><g:id>11</g:id><!-- never",
        ]
        let read = try read("<rss xmlns:g='http://base.google.com/ns/1.0'><channel>" + items.joined(), pieceBytes: piece, limit: 300)
        #expect(read.records.compactMap { JSONText.string("item_id", inObject: $0) } == ["1", "3", "8", "10"])
        #expect(read.refused.map(\.line) == [2, 4, 5, 6, 7, 9, 11], "items are counted")
        #expect(read.refused[0].reason.detail == "the item at line 1 is no XML: an & stands alone: XML writes it &amp;")
    }

    @Test("a document type definition is refused by name, and what is no feed as well", arguments: [
        ("<?xml version='1.0'?>\n<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><rss/>", "line 2 has a document type definition"),
        ("<html><body></body></html>", "no <item> and no <entry>"), ("<rss><channel", "is no XML"), ("<>", "is no XML"),
    ])
    func refused(_ text: String, _ words: String) throws {
        let problem = #expect(throws: ForeignProblem.self) { _ = try read(text) }
        #expect(problem?.description.contains(words) == true, "\(problem?.description ?? "")")
    }

    @Test("elements are not followed without end")
    func deep() throws {
        let deep = String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100)
        let read = try read("<rss><item><id>1</id>\(deep)</item><item><id>2</id></item></rss>")
        #expect(read.refused.count == 1 && read.records.count == 1)
    }

    @Test("no bytes end the reader, and pieces change nothing")
    func hostile() async throws {
        let seed = Array(Self.rss.utf8)
        let report = await FuzzDoor("foreign.merchant", short: 300, long: 100_000).run { source, _ in
            var text = seed
            for _ in 0..<Int.random(in: 1...8, using: &source) {
                let place = Int.random(in: 0..<text.count, using: &source)
                switch source.below(3) {
                case 0: text[place] = source.pick([0x3C, 0x3E, 0x26, 0x22, 0x2F, 0x00, 0xFF, 0x21, 0x5D])
                case 1:
                    let mark = source.pick(["<", "</item>", "<item>", "&", "<![CDATA[", "-->", "\""])
                    text.insert(contentsOf: Array(mark.utf8), at: place)
                default: text.removeSubrange(place..<min(text.count, place + 5))
                }
            }
            var options = ForeignOptions()
            options.now = Self.now
            let whole: Reading, pieces: Reading
            do throws(ForeignProblem) {
                whole = try Reading(text, .merchant, kind: .items, options: options)
            } catch { return .refused }
            do throws(ForeignProblem) {
                pieces = try Reading(text, .merchant, kind: .items, options: options, pieceBytes: source.pick([1, 7, 64]))
            } catch { return .broken("refused in pieces only: \(error)") }
            guard whole.records == pieces.records, whole.refused.map(\.line) == pieces.refused.map(\.line) else {
                return .broken("pieces differ: \(String(decoding: text, as: UTF8.self))")
            }
            return .accepted
        }
        #expect(report.findings.isEmpty)
    }
}

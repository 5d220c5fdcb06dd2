import ForeignFormats
import Interactions
import Testing

@Suite("Google Merchant feeds: groups, availability, stock and what stands twice")
struct MerchantAvailabilityTests {
    /// 2026-11-21T08:00:00Z
    private static let now = EventTime(milliseconds: 1_795_248_000_000)

    private func read(_ text: String) throws -> Reading {
        var options = ForeignOptions()
        options.now = Self.now
        return try Reading(text, .merchant, kind: .items, options: options)
    }

    /// The one item of a feed of these elements, without its attributes.
    private func item(_ elements: String) throws -> String {
        let read = try read("<rss><item><g:id>1</g:id>\(elements)</item></rss>")
        let record = try #require(read.records.first, "\(read.refused)")
        return String(record.prefix { $0 != "}" }.split(separator: ",\"attributes\"")[0])
    }

    @Test("a group, an end and a count are fields of the item")
    func fields() throws {
        let found = try item(
            "<g:item_group_id>G</g:item_group_id><g:expiration_date>2026-12-24T18:00+0100</g:expiration_date><g:quantity>12</g:quantity>")
        #expect(
            found == #"{"item_id":"1","hidden":false,"item_group_id":"G","available_until":"2026-12-24T17:00:00.000Z","stock":12"#)
        #expect(try item("<g:inventory>0</g:inventory>").hasSuffix(#""stock":0"#))
    }

    @Test("what is out of stock comes back on its day; what can be ordered ahead is there", arguments: [
        ("out of stock", "", #""hidden":true"#),
        ("out_of_stock", "2026-12-01T00:00Z", #""hidden":false,"available_from":"2026-12-01T00:00:00.000Z""#),
        ("out_of_stock", "2026-11-01T00:00Z", #""hidden":true,"available_from":"2026-11-01T00:00:00.000Z""#),
        ("preorder", "2026-12-01T00:00Z", #""hidden":false"#), ("backorder", "2026-12-01T00:00Z", #""hidden":false"#),
        ("in_stock", "2026-12-01T00:00Z", #""hidden":false,"available_from":"2026-12-01T00:00:00.000Z""#),
        ("out_of_stock", "soon", #""hidden":true"#),
    ])
    func days(_ availability: String, _ date: String, _ expected: String) throws {
        let found = try item(
            "<g:availability>\(availability)</g:availability><g:availability_date>\(date)</g:availability_date>")
        #expect(found == #"{"item_id":"1","# + expected)
    }

    @Test("an item with two ids is refused with both; Google's id wins over the feed's own")
    func ids() throws {
        let read = try read(
            """
            <rss><item><g:id>1</g:id><g:id>2</g:id></item><item><g:id>3</g:id><g:id>3</g:id></item>
            <item><id>tag:shop.example,2026:4</id><g:id>4</g:id><title>plain</title><g:title>own</g:title></item></rss>
            """)
        #expect(read.refused.map(\.line) == [1] && read.refused[0].reason.field == "id")
        #expect(read.refused.first?.reason.detail.hasPrefix(#"stands twice, as "1" and "2""#) == true, "\(read.refused)")
        #expect(read.records.count == 2 && read.records[0].hasPrefix(#"{"item_id":"3""#))
        #expect(read.records.last?.hasPrefix(#"{"item_id":"4","title":"own""#) == true)
        let table = try self.read("id\tID\ttitle\n1\t2\tx\n3\t\ty\n")
        #expect(table.refused.map(\.line) == [2] && table.records.count == 1)
    }

    @Test("several types of a product are all its categories, in elements and in a cell")
    func types() throws {
        let categories = #""categories":["Home","Home > Shoes","Sale","Sale > Winter"]"#
        #expect(
            try item("<g:product_type>Home &gt; Shoes</g:product_type><g:product_type>Sale &gt; Winter</g:product_type>")
                .contains(categories))
        let cells = try read("id\tproduct_type\n1\tHome > Shoes, Sale > Winter\n2\tFood, drink\n").records
        #expect(cells.first?.contains(categories) == true)
        #expect(cells.last?.contains(#""categories":["Food, drink"]"#) == true, "without > a comma may belong to the name")
    }

    @Test("a price in what is no currency, and a stock that is none, cost their item", arguments: [
        ("<g:price>5 STK</g:price>", "price", "names STK, which is no currency"),
        ("<g:sale_price>5 ZZZ</g:sale_price>", "sale_price", "ZZZ"),
        ("<g:quantity>many</g:quantity>", "quantity", "no whole number"), ("<g:quantity>1.5</g:quantity>", "quantity", "no whole number"),
    ])
    func refused(_ element: String, _ field: String, _ words: String) throws {
        let read = try read("<rss><item><g:id>1</g:id>\(element)</item><item><g:id>2</g:id><g:price>5 dem</g:price></item></rss>")
        #expect(read.refused.map(\.line) == [1] && read.refused[0].reason.field == field)
        #expect(read.refused.first?.reason.detail.contains(words) == true, "\(read.refused)")
        #expect(read.records.count == 1 && read.records[0].contains(#""price":5,"currency":"DEM""#))
    }
}

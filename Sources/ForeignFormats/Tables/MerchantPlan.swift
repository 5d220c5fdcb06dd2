import Bytes
import Interactions

/// How an offer of a Google Merchant feed becomes an item.
struct MerchantPlan: Sendable {
    /// Values that are kept as attributes under their own name. What is in no list here is left out.
    static let attributes: Set<String> = [
        "brand", "gtin", "mpn", "condition", "color", "size", "size_type", "size_system", "gender", "age_group", "material", "pattern",
        "link", "image_link", "availability", "availability_date", "google_product_category", "adult", "is_bundle",
        "multipack", "energy_efficiency_class", "custom_label_0", "custom_label_1", "custom_label_2", "custom_label_3", "custom_label_4",
        "sale_price_effective_date",
    ]
    /// Values of which there may be several, kept as lists.
    static let lists: Set<String> = ["product_highlight"]
    private static let fields = [
        "id": "item_id", "title": "title", "description": "description", "product_type": "categories", "price": "price, currency",
        "sale_price": "price, or attributes.sale_price", "expiration_date": "available_until", "item_group_id": "item_group_id",
        "availability": "hidden, attributes.availability", "availability_date": "available_from, attributes.availability_date",
    ]
    /// Names under which feeds count pieces: Google's own of local inventories, and those of other places that take such feeds.
    static let stocks = ["quantity", "sell_on_google_quantity", "inventory", "quantity_to_sell_on_facebook"]

    private let numbers: ForeignMoney
    private let now: EventTime
    private let separator: UInt8?
    private var times: ForeignTime
    /// Names that came so far, in their order.
    private var seen: [String] = []
    private var seenSet: Set<String> = []

    init(_ options: ForeignOptions, separator: UInt8?) {
        self.separator = separator
        numbers = ForeignMoney(numbers: ForeignNumber(mark: options.decimalMark, isSemicolonFile: false))
        now = options.now
        times = ForeignTime(rules: options.times)
    }

    /// Notes names that the feed has.
    mutating func note(_ names: some Sequence<String>) {
        for name in names where seen.count < ForeignOptions.columnsLimit && seenSet.insert(name).inserted { seen.append(name) }
    }

    /// The item of an offer, as JSON.
    ///
    /// The price is the sale price while that is in force at the import; the other one is kept as `attributes.list_price`. What is out of
    /// stock is hidden, or available from a day on where the feed names one. What can be ordered ahead is available.
    ///
    /// - Throws: ``Rejection`` where it has no id or two, a price or a stock that is none.
    mutating func record(_ offer: MerchantOffer) throws(Rejection) -> [UInt8] {
        note(offer.names.sorted())
        let ids = offer.values("id")
        guard let id = ids.first else { throw Rejection(.malformedRow, field: "id", "is missing: an item has no other name") }
        if let other = ids.first(where: { $0 != id }) {
            throw Rejection(
                .malformedRow, field: "id", "stands twice, as \(Self.quoted(id)) and \(Self.quoted(other)): an item has one")
        }
        let price = try money(offer, "price"), sale = try money(offer, "sale_price")
        let isOnSale = sale != nil && isInForce(offer.first("sale_price_effective_date"))
        let inForce = isOnSale ? sale : price
        let availability = offer.first("availability").map { String($0.lowercased().map { $0 == " " ? "_" : $0 }) }
        let isAhead = availability == "preorder" || availability == "backorder"
        let from = isAhead ? nil : moment(offer.first("availability_date"))
        let isHidden = availability == "out_of_stock" && from.map { $0 <= now } ?? true
        let stock = try stock(offer)
        let categories = categories(offer)
        var writer = JSONWriter(reservingBytes: 1_024)
        writer.object { object in
            object.field("item_id", id)
            object.field("title", offer.first("title"))
            object.field("description", offer.first("description"))
            if !categories.isEmpty { object.field("categories", categories) }
            object.field("price", raw: inForce?.amount)
            object.field("currency", inForce?.currency)
            object.field("hidden", isHidden)
            object.field("item_group_id", offer.first("item_group_id"))
            object.field("available_from", from?.rfc3339())
            object.field("available_until", moment(offer.first("expiration_date"))?.rfc3339())
            object.field("stock", raw: stock)
            object.key("attributes")
            object.object { inner in
                for name in offer.names.sorted() where Self.attributes.contains(name) {
                    guard let value = name == "availability" ? availability : offer.first(name) else { continue }
                    inner.key(data: name)
                    inner.string(value)
                }
                for name in Self.lists.sorted() {
                    let values = offer.values(name)
                    guard !values.isEmpty else { continue }
                    inner.key(data: name)
                    inner.strings(values)
                }
                if isOnSale { inner.field("list_price", raw: price?.amount) } else { inner.field("sale_price", raw: sale?.amount) }
            }
        }
        return writer.bytes
    }

    private func money(_ offer: MerchantOffer, _ name: String) throws(Rejection) -> (amount: String, currency: String?)? {
        guard let text = offer.first(name) else { return nil }
        let (reading, currency) = numbers.read(text)
        switch reading {
        case .number(let amount):
            if let currency, !Currency.isKnown(currency) {
                throw Rejection(
                    .malformedRow, field: name, "\(Self.quoted(text)) names \(currency), which is no currency of ISO 4217")
            }
            return (amount, currency)
        case .ambiguous(let one, let other):
            throw Rejection(
                .malformedRow, field: name,
                "\(Self.quoted(text)) may be \(one) or \(other): say --decimal point or --decimal comma")
        case .none:
            throw Rejection(.malformedRow, field: name, "\(Self.quoted(text)) is no price, such as 15.00 USD")
        }
    }

    /// Whether now lies within `start/end`; no interval is always. One that cannot be read is never: the usual price is safe.
    private mutating func isInForce(_ interval: String?) -> Bool {
        guard let interval else { return true }
        let ends = interval.split(separator: "/", omittingEmptySubsequences: false)
        guard ends.count == 2, case .time(let start) = times.read(ends[0]), case .time(let end) = times.read(ends[1]) else { return false }
        return start <= now && now < end
    }

    /// A time of the feed; nil where there is none that can be read: without it the item stays as it is.
    private mutating func moment(_ text: String?) -> EventTime? {
        guard let text, case .time(let time) = times.read(text) else { return nil }
        return time
    }

    private func stock(_ offer: MerchantOffer) throws(Rejection) -> String? {
        guard let name = Self.stocks.first(where: { offer.first($0) != nil }), let text = offer.first(name) else { return nil }
        guard case .number(let count) = numbers.numbers.read(text), !count.contains(".") else {
            throw Rejection(.malformedRow, field: name, "\(Self.quoted(text)) is no whole number")
        }
        return count
    }

    private static func quoted(_ text: String) -> String { JSONText.quoted(String(text.prefix(64))) }

    /// `Home > Shoes > Trail` is Home, Home > Shoes and Home > Shoes > Trail: of the shop's own types, or of Google's where there are none
    /// and they are words. A cell of a table may have several with commas between, each with a `>` of its own.
    private func categories(_ offer: MerchantOffer) -> [String] {
        let googles = offer.values("google_product_category").filter { $0.contains(where: \.isLetter) }
        let own = offer.values("product_type").flatMap { cell in
            let parts = cell.split(separator: ",")
            return separator != nil && parts.allSatisfy { $0.contains(">") } ? parts.map(String.init) : [cell]
        }
        var found: [String] = []
        for path in own.isEmpty ? googles : own {
            var levels: [String] = []
            for level in path.split(separator: ">").map({ CellReader.trimmed($0) }) where !level.isEmpty {
                levels.append(level)
                let name = levels.joined(separator: " > ")
                if !found.contains(name) { found.append(name) }
            }
        }
        return found
    }

    /// What was understood so far.
    var layout: ForeignLayout {
        ForeignLayout(kind: .items, separator: separator, columns: seen.map { name in
            let isKept = Self.attributes.contains(name) || Self.lists.contains(name)
            let kept = Self.stocks.contains(name) ? "stock" : isKept ? "attributes.\(name)" : nil
            return ForeignLayout.Column(name: name, field: Self.fields[name] ?? kept)
        })
    }
}

import Bytes
import Interactions

/// How an offer of a Google Merchant feed becomes an item.
struct MerchantPlan: Sendable {
    /// Values that are kept as attributes under their own name. What is in no list here is left out.
    static let attributes: Set<String> = [
        "brand", "gtin", "mpn", "condition", "color", "size", "size_type", "size_system", "gender", "age_group", "material", "pattern",
        "item_group_id", "link", "image_link", "availability", "availability_date", "google_product_category", "adult", "is_bundle",
        "multipack", "energy_efficiency_class", "custom_label_0", "custom_label_1", "custom_label_2", "custom_label_3", "custom_label_4",
        "sale_price_effective_date",
    ]
    /// Values of which there may be several, kept as lists.
    static let lists: Set<String> = ["product_highlight"]
    private static let fields = [
        "id": "item_id", "title": "title", "description": "description", "product_type": "categories", "price": "price, currency",
        "sale_price": "price, or attributes.sale_price", "expiration_date": "hidden",
    ]

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
    /// stock or has expired is hidden.
    ///
    /// - Throws: ``Rejection`` where it has no id, or a price that is none.
    mutating func record(_ offer: MerchantOffer) throws(Rejection) -> [UInt8] {
        note(offer.values.keys.sorted())
        guard let id = offer.first("id") else { throw Rejection(.malformedRow, field: "id", "is missing: an item has no other name") }
        let price = try money(offer, "price"), sale = try money(offer, "sale_price")
        let isOnSale = sale != nil && isInForce(offer.first("sale_price_effective_date"))
        let inForce = isOnSale ? sale : price
        let availability = offer.first("availability").map { String($0.lowercased().map { $0 == " " ? "_" : $0 }) }
        let isHidden = availability == "out_of_stock" || hasExpired(offer.first("expiration_date"))
        let categories = Self.categories(offer)
        var writer = JSONWriter(reservingBytes: 1_024)
        writer.object { object in
            object.field("item_id", id)
            object.field("title", offer.first("title"))
            object.field("description", offer.first("description"))
            if !categories.isEmpty { object.field("categories", categories) }
            object.field("price", raw: inForce?.amount)
            object.field("currency", inForce?.currency)
            object.field("hidden", isHidden)
            object.key("attributes")
            object.object { inner in
                for name in offer.values.keys.sorted() where Self.attributes.contains(name) {
                    guard let value = name == "availability" ? availability : offer.first(name) else { continue }
                    inner.key(data: name)
                    inner.string(value)
                }
                for name in Self.lists.sorted() {
                    guard let values = offer.values[name] else { continue }
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
        case .number(let amount): return (amount, currency)
        case .ambiguous(let one, let other):
            throw Rejection(
                .malformedRow, field: name,
                "\(JSONText.quoted(String(text.prefix(64)))) may be \(one) or \(other): say --decimal point or --decimal comma")
        case .none:
            throw Rejection(.malformedRow, field: name, "\(JSONText.quoted(String(text.prefix(64)))) is no price, such as 15.00 USD")
        }
    }

    /// Whether now lies within `start/end`; no interval is always. One that cannot be read is never: the usual price is safe.
    private mutating func isInForce(_ interval: String?) -> Bool {
        guard let interval else { return true }
        let ends = interval.split(separator: "/", omittingEmptySubsequences: false)
        guard ends.count == 2, case .time(let start) = times.read(ends[0]), case .time(let end) = times.read(ends[1]) else { return false }
        return start <= now && now < end
    }

    private mutating func hasExpired(_ text: String?) -> Bool {
        guard let text, case .time(let end) = times.read(text) else { return false }
        return end < now
    }

    /// `Home > Shoes > Trail` is Home, Home > Shoes and Home > Shoes > Trail: of the shop's own types, or of Google's where there are none
    /// and they are words.
    private static func categories(_ offer: MerchantOffer) -> [String] {
        let googles = (offer.values["google_product_category"] ?? []).filter { $0.contains(where: \.isLetter) }
        var found: [String] = []
        for path in offer.values["product_type"] ?? googles {
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
            return ForeignLayout.Column(name: name, field: Self.fields[name] ?? (isKept ? "attributes.\(name)" : nil))
        })
    }
}

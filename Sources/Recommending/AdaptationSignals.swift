import ContentModel
import MetaLearning

/// A category with what was learned of it from few events.
public struct AdaptedCategory: Sendable {
    /// The category's name.
    public var name: String
    /// What adapts item vectors to it.
    public var adapter: CategoryAdapter
    /// The items of the events that it was adapted to.
    public var supportItemIDs: [String]

    /// Makes a category.
    public init(name: String, adapter: CategoryAdapter, supportItemIDs: [String]) {
        self.name = name
        self.adapter = adapter
        self.supportItemIDs = supportItemIDs
    }
}

/// Items that the model never trained on, as adapters see them: a vector by content each, and the categories that they are in.
struct AdaptationSignals: Sendable {
    struct Item: Sendable {
        var factors: ContentFactors.Item
        /// Values of the field.
        var values: [String]
        /// The place of the category in force whose adapter scores it.
        var category: Int?
        /// ``CategoryPart/likeness`` to that category's support.
        var likeness: Float = 0
        /// As the channel sees it, where an adapter scores it: asked for in every request.
        var content: ContentChannel.Item?
    }

    let factors: ContentFactors
    /// `categories`, or the name of an attribute.
    let field: String
    /// By row of the build: the factors' row of what a history holds, or −1.
    private let historyRows: [Int32]
    /// Values of the field that trained items have.
    private let trainedValues: Set<String>
    private(set) var items = RowMap<Item>()
    /// Rows that an adapter scores: asked for every candidate, so apart from what they are scored by.
    private(set) var adapted = RowSet(rows: 0)
    /// Newest first: an item of several is scored by the first.
    private(set) var categories: [AdaptedCategory] = []
    private(set) var supports: [ContentChannel.Profile?] = []

    init(factors: ContentFactors, field: String, entries: [ContentSignals.Entry], modelRow: (String) -> Int?) {
        self.factors = factors
        self.field = field
        historyRows = entries.map { modelRow($0.itemID).map { Int32($0) } ?? -1 }
        var trained = Set<String>()
        for entry in entries where entry.isTrained { trained.formUnion(entry.content.values(of: field)) }
        trainedValues = trained
    }

    /// Takes over an item without training.
    mutating func set(_ content: ItemContent, row: Int32, own: SparseContent, channel: ContentChannel) {
        items[row] = Item(factors: factors.item(content, own: own, channel: channel), values: content.values(of: field))
    }

    /// Forgets an item that is gone.
    mutating func forget(_ row: Int32) {
        items[row] = nil
        adapted.remove(row)
    }

    mutating func install(_ categories: [AdaptedCategory], supports: [ContentChannel.Profile?]) {
        self.categories = categories
        self.supports = supports
    }

    /// Finds the category that scores an item.
    mutating func assign(_ row: Int32, _ content: ContentChannel.Item, likeness: (ContentChannel.Profile?) -> Float) {
        guard var item = items[row] else { return }
        item.category = categories.firstIndex { item.values.contains($0.name) }
        item.likeness = item.category.map { likeness(supports[$0]) } ?? 0
        item.content = item.category == nil ? nil : content
        items[row] = item
        if item.category != nil { adapted.insert(row) } else { adapted.remove(row) }
    }

    /// Values that no trained item has, with the rows of their items, ascending.
    var newCategories: [String: [Int32]] {
        var found: [String: [Int32]] = [:]
        items.forEach { row, item in
            for value in item.values where !trainedValues.contains(value) { found[value, default: []].append(row) }
        }
        return found
    }

    /// Rows that an adapter scores, ascending.
    var adaptedRows: [Int32] {
        var rows: [Int32] = []
        items.forEach { row, item in if item.category != nil { rows.append(row) } }
        return rows
    }

    /// Whether trained items have a value.
    func isTrained(_ value: String) -> Bool { trainedValues.contains(value) }

    /// A user's vector by the rows of their history, `[rank]`.
    func user(_ history: some Sequence<Int32>) -> [Float] {
        factors.user(history.lazy.map { Int($0) < historyRows.count ? historyRows[Int($0)] : -1 })
    }
}

extension ItemContent {
    /// The values of `categories`, or of an attribute.
    public func values(of field: String) -> [String] {
        if field == "categories" { return categories }
        let prefix = field + "="
        return attributes.compactMap { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil }
    }
}

import Interactions

/// The size and the habits of a simulated shop.
public struct ShopConfiguration: Sendable, Equatable {
    /// Registered users at the opening.
    public var users: Int
    /// Items in the catalogue at the opening.
    public var items: Int
    /// Categories, the late one included: 2 to ``maxCategories``.
    public var categories: Int
    /// When arrivals begin. The first items were published in the year before.
    public var opening: EventTime
    /// New items a day after the opening, evenly spaced; 0 for none.
    public var newItemsPerDay: Int
    /// When the last category opens, in milliseconds after ``opening``; nil where it is open from the start.
    public var lateCategoryDelayMilliseconds: Int64?
    /// Items with which the late category opens.
    public var lateCategoryItems: Int
    /// The exponent of the popularity's long tail: an item of rank r is browsed in proportion to 1 / (r + 5)^exponent.
    public var popularityExponent: Double
    /// How fast attention falls along a list: the place s, from 0, is looked at with probability 1 / (s + 1)^exponent.
    public var examinationExponent: Double
    /// Items in a list of the past log.
    public var slateItems: Int
    /// Whether the past log holds the impressions, too.
    public var logsImpressions: Bool
    /// The share of visits by somebody without a user id; they are known by `session:…`.
    public var anonymousShare: Double

    /// The categories for which there are words.
    public static let maxCategories = Vocabulary.categories.count

    /// Makes a configuration; the defaults suit a demo.
    public init(
        users: Int = 2_000, items: Int = 3_000, categories: Int = 12,
        opening: EventTime = EventTime(milliseconds: 1_793_520_000_000), newItemsPerDay: Int = 24,
        lateCategoryDelayMilliseconds: Int64? = nil, lateCategoryItems: Int = 40, popularityExponent: Double = 1.0,
        examinationExponent: Double = 0.6, slateItems: Int = 10, logsImpressions: Bool = false, anonymousShare: Double = 0.05
    ) {
        precondition(users >= 1 && items >= 1, "a shop needs users and items; it has \(users) and \(items)")
        precondition(
            (2...Self.maxCategories).contains(categories),
            "categories is \(categories); it must be between 2 and \(Self.maxCategories)")
        precondition(slateItems >= 1, "slateItems is \(slateItems); it must be at least 1")
        self.users = users
        self.items = items
        self.categories = categories
        self.opening = opening
        self.newItemsPerDay = newItemsPerDay
        self.lateCategoryDelayMilliseconds = lateCategoryDelayMilliseconds
        self.lateCategoryItems = lateCategoryItems
        self.popularityExponent = popularityExponent
        self.examinationExponent = examinationExponent
        self.slateItems = slateItems
        self.logsImpressions = logsImpressions
        self.anonymousShare = anonymousShare
    }

    /// When the last category opens, where it does so late.
    public var lateCategoryOpens: EventTime? {
        lateCategoryDelayMilliseconds.map { EventTime(milliseconds: opening.milliseconds + $0) }
    }

    /// The name of the category that opens last.
    public var lateCategoryName: String { Vocabulary.categories[categories - 1].name }

    /// The names of the categories, the late one last.
    public var categoryNames: [String] { Vocabulary.categories.prefix(categories).map(\.name) }
}

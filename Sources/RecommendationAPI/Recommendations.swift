import Bytes
import Interactions
import Recommending

/// A validated request for recommendations, from a query string or a body.
public struct RecommendationRequest: Sendable, Equatable {
    /// The name of this answer, unique among all answers; impressions and clicks carry it.
    public var requestID: String
    /// For whom; nil for somebody unknown.
    public var userID: String?
    /// In which session.
    public var sessionID: String?
    /// How many items, from 1 to ``APIConfiguration/maxRecommendations``.
    public var count: Int
    /// Items of this category only.
    public var category: String?
    /// Items that must not be in the answer.
    public var excludedItemIDs: [String]
    /// `context.device=phone` becomes `["device": "phone"]`.
    public var context: [String: String]
    /// Rank these only, where given.
    public var candidateItemIDs: [String]?
    /// Weights by objective name; empty means the configured ones.
    public var objective: [String: Double]
    /// Say in words why each item was chosen.
    public var explain: Bool
    /// Fill ``RecommendedEntry/details``.
    public var includeDetails: Bool
    /// Answer only when events up to this watermark are part of the user's state.
    public var waitFor: String?
    /// Somebody only looks, such as the dashboard: no impression is published, and the answer is in no figure.
    public var isPreview: Bool
    /// Whether what is stored of the person may be read, and kept; false asks for an answer by the context alone.
    public var isPersonalised: Bool

    /// Makes a request.
    public init(
        requestID: String, userID: String? = nil, sessionID: String? = nil, count: Int = 10, category: String? = nil,
        excludedItemIDs: [String] = [], context: [String: String] = [:], candidateItemIDs: [String]? = nil,
        objective: [String: Double] = [:], explain: Bool = false, includeDetails: Bool = false, waitFor: String? = nil,
        isPreview: Bool = false, isPersonalised: Bool = true
    ) {
        self.requestID = requestID
        self.userID = userID
        self.sessionID = sessionID
        self.count = count
        self.category = category
        self.excludedItemIDs = excludedItemIDs
        self.context = context
        self.candidateItemIDs = candidateItemIDs
        self.objective = objective
        self.explain = explain
        self.includeDetails = includeDetails
        self.waitFor = waitFor
        self.isPreview = isPreview
        self.isPersonalised = isPersonalised
    }
}

/// A validated request for items like one item.
public struct SimilarItemsRequest: Sendable, Equatable {
    /// Names the answer.
    public var requestID: String
    /// The item that others are to be like.
    public var itemID: String
    /// How many items, from 1 to ``APIConfiguration/maxRecommendations``.
    public var count: Int
    /// The category that all items must have; nil: any.
    public var category: String?
    /// Items that must not be in the answer.
    public var excludedItemIDs: [String]
    /// Say in words why each item was chosen.
    public var explain: Bool
    /// Fill ``RecommendedEntry/details``.
    public var includeDetails: Bool

    /// Makes a request.
    public init(
        requestID: String, itemID: String, count: Int = 10, category: String? = nil, excludedItemIDs: [String] = [],
        explain: Bool = false, includeDetails: Bool = false
    ) {
        self.requestID = requestID
        self.itemID = itemID
        self.count = count
        self.category = category
        self.excludedItemIDs = excludedItemIDs
        self.explain = explain
        self.includeDetails = includeDetails
    }
}

/// What a person needs to recognise an item.
public struct ItemSummary: Sendable, Equatable {
    /// Which item it is.
    public var itemID: String
    /// Its title.
    public var title: String?
    /// Its categories.
    public var categories: [String]
    /// Millionths of the currency's unit.
    public var priceMicros: Int64?
    /// ISO 4217, of the price.
    public var currency: String?
    /// When it appeared.
    public var publishedAt: EventTime?
    /// When its first record was stored, where that was asked for.
    public var addedAt: EventTime?

    /// Makes a summary; title and categories are cut to what ``ShownText`` lets into an answer.
    public init(
        itemID: String, title: String? = nil, categories: [String] = [], priceMicros: Int64? = nil,
        currency: String? = nil, publishedAt: EventTime? = nil, addedAt: EventTime? = nil
    ) {
        self.itemID = itemID
        self.title = title.map { ShownText.cut($0, toBytes: ShownText.maxTitleBytes) }
        self.categories = ShownText.first(categories, withinBytes: ShownText.maxCategoriesBytes)
        self.priceMicros = priceMicros
        self.currency = currency
        self.publishedAt = publishedAt
        self.addedAt = addedAt
    }

    /// Makes a summary of a record.
    public init(_ record: ItemRecord, addedAt: EventTime? = nil) {
        self.init(
            itemID: record.itemID, title: record.title, categories: record.categories, priceMicros: record.priceMicros,
            currency: record.currency, publishedAt: record.publishedAt, addedAt: addedAt)
    }

    func write(to writer: inout JSONWriter, withID: Bool = true) {
        writer.object { writer in
            if withID { writer.field("item_id", itemID) }
            writer.field("title", title)
            writer.key("categories")
            writer.strings(categories)
            if let priceMicros {
                writer.key("price")
                writer.micros(priceMicros)
            }
            writer.field("currency", currency)
            writer.field("published_at", publishedAt)
            writer.field("added_at", addedAt)
        }
    }
}

/// One item of an answer.
public struct RecommendedEntry: Sendable, Equatable {
    /// What is recommended.
    public var itemID: String
    /// Higher is better; comparable within one answer.
    public var score: Float
    /// Where it came from.
    public var reason: RecommendationReason
    /// In words, where the request asked for it.
    public var explanation: String?
    /// Where the request asked for details.
    public var details: ItemSummary?
    /// Whether the item was given its place to learn who likes it.
    public var isExploration: Bool

    /// Makes an entry.
    public init(
        itemID: String, score: Float, reason: RecommendationReason, explanation: String? = nil,
        details: ItemSummary? = nil, isExploration: Bool = false
    ) {
        self.itemID = itemID
        self.score = score
        self.reason = reason
        self.explanation = explanation.map { ShownText.cut($0, toBytes: ShownText.maxExplanationBytes) }
        self.details = details
        self.isExploration = isExploration
    }
}

/// What a caller should know of an answer that is shorter than was asked for.
public struct AnswerWarning: Sendable, Equatable {
    /// For programs: `unknown_items`, `no_items_left`, `empty_catalogue`.
    public var code: String
    /// A sentence for a person.
    public var detail: String

    /// Makes a warning.
    public init(code: String, detail: String) {
        self.code = code
        self.detail = detail
    }
}

/// An answer, best item first.
public struct RecommendationList: Sendable, Equatable {
    /// What events may name as the list that they come from.
    public var requestID: String
    /// For whom it is; nil for somebody unknown.
    public var userID: String?
    /// nil until a model is promoted.
    public var modelVersion: Int?
    /// Nil: this version runs none.
    public var experiment: String?
    /// Best first.
    public var items: [RecommendedEntry]
    /// What of the user's events the answer has seen, where that is known.
    public var watermark: String?
    /// True where nothing was known of the user, for the metrics.
    public var isColdUser: Bool
    /// What the caller should know of the answer.
    public var warnings: [AnswerWarning]
    /// Whether what is stored of the person could be read; false by the person's wish, or that of the request.
    public var isPersonalised: Bool

    /// Makes an answer.
    public init(
        requestID: String, userID: String? = nil, modelVersion: Int? = nil, experiment: String? = nil,
        items: [RecommendedEntry], watermark: String? = nil, isColdUser: Bool = false, isPersonalised: Bool = true,
        warnings: [AnswerWarning] = []
    ) {
        self.requestID = requestID
        self.userID = userID
        self.modelVersion = modelVersion
        self.experiment = experiment
        self.items = items
        self.watermark = watermark
        self.isColdUser = isColdUser
        self.isPersonalised = isPersonalised
        self.warnings = warnings
    }

    /// The wire form. `tookMilliseconds` is rounded to thousandths.
    package func json(tookMilliseconds: Double, isPreview: Bool = false) -> [UInt8] {
        var writer = JSONWriter(reservingBytes: 160 + items.count * 80)
        writer.object { writer in
            writer.field("request_id", requestID)
            writer.key("user_id")
            if let userID { writer.string(userID) } else { writer.null() }
            writer.key("model_version")
            if let modelVersion { writer.integer(modelVersion) } else { writer.null() }
            writer.key("experiment")
            if let experiment { writer.string(experiment) } else { writer.null() }
            writer.key("items")
            writer.array { writer in
                for item in items { item.write(to: &writer) }
            }
            if !warnings.isEmpty {
                writer.key("warnings")
                writer.array { writer in
                    for warning in warnings {
                        writer.object { writer in
                            writer.field("code", warning.code)
                            writer.field("detail", warning.detail)
                        }
                    }
                }
            }
            if !isPersonalised { writer.field("personalised", false) }
            if isPreview {
                writer.key("preview")
                writer.bool(true)
            }
            writer.field("watermark", watermark)
            writer.key("took_ms")
            writer.number((tookMilliseconds * 1_000).rounded() / 1_000)
        }
        return writer.bytes
    }
}

extension RecommendedEntry {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("item_id", itemID)
            writer.key("score")
            writer.number(score)
            writer.field("reason", reason.rawValue)
            writer.field("explanation", explanation)
            if isExploration {
                writer.key("exploration")
                writer.bool(true)
            }
            if let details {
                writer.key("details")
                details.write(to: &writer, withID: false)
            }
        }
    }
}

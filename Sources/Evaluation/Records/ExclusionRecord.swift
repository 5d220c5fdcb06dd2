/// What was kept out of answers, why, and what that costs: as the registry, `--json` and reports have it.
public struct ExclusionRecord: Codable, Sendable, Equatable {
    /// `rules.exclude` as it was set, such as `auto` or `purchased`; `none` for an empty list.
    public var setting: String?
    /// Kinds of interactions that keep an item out whatever its category, as events name them.
    public var types: [String]?
    /// Categories whose bought items stay out, in their order; of many the first ``categoriesLimit``.
    public var categories: [String]?
    /// How many these are.
    public var categoryCount: Int?
    /// Why, a sentence each.
    public var reasons: [String]?
    /// Of what users took in the newest part of what was learned from, the share that they had clicked, and bought, before.
    public var clickedAgain: Double?, boughtAgain: Double?
    /// The mean over users of the share of their held-out items that the rule keeps out.
    public var removed: Double?
    /// NDCG@10 with the rule and, the same model, without it.
    public var ndcg: Double?, ndcgWithout: Double?
    /// The metrics of the same model without the rule; nil where nothing is kept out.
    public var without: MetricsRecord?

    /// Categories that are named at most.
    public static let categoriesLimit = 50
    /// A set rule that keeps out more than this share is named wherever somebody looks.
    public static let tellsFrom = 0.02

    private enum CodingKeys: String, CodingKey {
        case setting, types, categories, reasons, removed, without
        case categoryCount = "category_count"
        case clickedAgain = "clicked_again"
        case boughtAgain = "bought_again"
        case ndcg = "ndcg_at_10"
        case ndcgWithout = "ndcg_at_10_without"
    }

    /// Nothing known.
    public init() {}

    /// Reads what is there.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        setting = container.ifReadable(.setting)
        types = container.ifReadable(.types)
        categories = container.ifReadable(.categories)
        categoryCount = container.ifReadable(.categoryCount)
        reasons = container.ifReadable(.reasons)
        clickedAgain = container.ifReadable(.clickedAgain)
        boughtAgain = container.ifReadable(.boughtAgain)
        removed = container.ifReadable(.removed)
        ndcg = container.ifReadable(.ndcg)
        ndcgWithout = container.ifReadable(.ndcgWithout)
        without = container.ifReadable(.without)
    }

    /// Whether the rule was set and keeps out what people take.
    public var costs: Bool { setting != "auto" && (removed ?? 0) >= Self.tellsFrom }

    /// What a rule that was set keeps out, in a sentence; nil where that is little, or where it was decided by what the data say.
    public var warning: String? {
        guard costs, let setting, let removed else { return nil }
        var text = "rules.exclude: [\(setting)] removes \(Self.percent(removed)) of what people took next"
        if let ndcg, let ndcgWithout {
            text += "; NDCG@10 is \(decimal(ndcg, places: 4)), and the same model without the rule has \(decimal(ndcgWithout, places: 4))"
        }
        return text + ". rules.exclude: auto decides by the data; train again after a change."
    }

    /// A share as whole percent; what a registry holds beyond 0 and 1 counts as the nearest of them.
    package static func percent(_ share: Double) -> String { "\(Int((min(max(share, 0), 1) * 100).rounded())) %" }
}

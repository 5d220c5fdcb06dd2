/// The shares of repeats, discoveries and new items that a shop set, what lists were under them, and what that cost: on held-out questions.
public struct ListSharesRecord: Codable, Sendable, Equatable {
    /// `rules.repeats_percent`, `rules.discoveries_percent` and `rules.new_items_percent`, such as `10-40`; nil where not set.
    public var repeats: String?, discoveries: String?, newItems: String?
    /// The lists under the shares; those without are the model's own.
    public var lists: ListConcentration?
    /// NDCG@10 under the shares and, the same model, without them.
    public var ndcg: Double?, ndcgWithout: Double?

    private enum CodingKeys: String, CodingKey {
        case repeats = "repeats_percent"
        case discoveries = "discoveries_percent"
        case newItems = "new_items_percent"
        case lists = "top_tens"
        case ndcg = "NDCG@10"
        case ndcgWithout = "NDCG@10_without"
    }

    /// All of it.
    public init(
        repeats: String?, discoveries: String?, newItems: String?, lists: ListConcentration?, ndcg: Double?, ndcgWithout: Double?
    ) {
        self.repeats = repeats
        self.discoveries = discoveries
        self.newItems = newItems
        self.lists = lists
        self.ndcg = ndcg
        self.ndcgWithout = ndcgWithout
    }

    /// Reads what is there.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        repeats = container.ifReadable(.repeats)
        discoveries = container.ifReadable(.discoveries)
        newItems = container.ifReadable(.newItems)
        lists = container.ifReadable(.lists)
        ndcg = container.ifReadable(.ndcg)
        ndcgWithout = container.ifReadable(.ndcgWithout)
    }

    /// What the shares cost of NDCG@10, as a share of what it is without; below 0 where they help. Nil where it is not known.
    public var cost: Double? {
        guard let ndcg, let ndcgWithout, ndcgWithout > 0 else { return nil }
        return 1 - ndcg / ndcgWithout
    }

    /// For people.
    public var sentence: String {
        let set = [("repeats", repeats), ("discoveries", discoveries), ("new_items", newItems)].compactMap { name, share in
            share.map { "rules.\(name)_percent: \($0)" }
        }
        var text = set.joined(separator: ", ")
        func percent(_ share: Double) -> String { "\(decimal(100 * share, places: 1)) %" }
        if let lists {
            text += " gives lists with \(percent(lists.repeatShare)) repeats, "
                + "\(lists.discoveryShare.map(percent) ?? "unknown") discoveries and \(percent(lists.newShare)) new items"
        }
        if let cost, let ndcg, let ndcgWithout {
            let words = cost >= 0 ? "costs \(percent(cost))" : "gains \(percent(-cost))"
            text += " and \(words) of NDCG@10: \(decimal(ndcg, places: 4)), and \(decimal(ndcgWithout, places: 4)) without"
        }
        return text + "."
    }
}

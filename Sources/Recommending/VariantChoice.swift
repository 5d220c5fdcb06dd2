import Interactions

/// Which member of a group a list shows: of those that may be shown the one that has most of what the user's attributes and the request
/// name (`size=42`), of these the one that the user met last, of those whom they met none the best seller, at last the first by its id.
struct VariantChoice {
    private let snapshot: ServingSnapshot
    private let wanted: Set<String>
    /// Items of the history, with their places in it.
    private let met: [String: Int]
    private let allowed: Set<String>?

    /// - Parameters:
    ///   - tokens: what is known of the user and of the request, as tokens `name=value`.
    ///   - history: ids of items, oldest first.
    ///   - allowed: which items may be shown; nil is all.
    init(_ snapshot: ServingSnapshot, tokens: [String] = [], history: [String] = [], allowed: Set<String>? = nil) {
        self.snapshot = snapshot
        self.allowed = allowed
        let isAsked = snapshot.catalogue.hasVariants
        wanted = isAsked ? Set(tokens.map { $0.lowercased() }) : []
        met = isAsked ? Dictionary(history.enumerated().map { ($1, $0) }) { _, last in last } : [:]
    }

    /// Of a person, as the taste knows them.
    init(_ snapshot: ServingSnapshot, taste: UserTaste, allowed: Set<String>? = nil) {
        let tokens = snapshot.catalogue.hasVariants ? taste.input.attributeTokens : []
        self.init(snapshot, tokens: tokens, history: taste.metItemIDs, allowed: allowed)
    }

    /// The item that stands for a row.
    ///
    /// - Complexity: O(members of its group).
    func itemID(of row: Int32) -> String {
        let entry = snapshot.catalogue[row]
        guard !entry.variants.isEmpty else { return entry.itemID }
        var best: (variant: ItemVariant, rank: Rank)?
        for variant in entry.variants where variant.available && allowed?.contains(variant.itemID) != false {
            let rank = Rank(
                fit: wanted.isEmpty ? 0 : variant.traits.count { wanted.contains($0) }, met: met[variant.itemID] ?? -1,
                sold: snapshot.trending.sold[variant.itemID] ?? 0)
            // Members come in the order of their ids: the first of equals stays.
            if best.map({ $0.rank < rank }) ?? true { best = (variant, rank) }
        }
        return best?.variant.itemID ?? entry.variants[0].itemID
    }

    private struct Rank: Comparable {
        var fit: Int, met: Int, sold: Float

        static func < (left: Rank, right: Rank) -> Bool { (left.fit, left.met, left.sold) < (right.fit, right.met, right.sold) }
    }
}

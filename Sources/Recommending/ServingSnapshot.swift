import CandidateRanking
import Features
import Interactions

/// What serving knows of an item.
public enum ItemState: String, Sendable {
    /// The snapshot has no record of it.
    case unknown
    /// Known and not recommended now: hidden, sold out, out of its time, or deleted since the snapshot was built.
    case hidden
    /// Known and without a vector: only trending and category lists can show it.
    case unencoded
    /// Encoded after the index was built, found by brute force.
    case fresh
    /// In the index.
    case indexed
}

/// Everything that answers need, as one immutable value: model, index, vectors, catalogue, trending list.
///
/// A request reads one snapshot from start to end. A change makes a new snapshot that shares what did not change:
/// ``applying(_:catalogueVersion:)`` costs time in proportion to the changes and to what came since the last build, not to
/// the catalogue. The caller builds anew when a ``RebuildPolicy`` says so.
public struct ServingSnapshot: Sendable {
    /// Items of a trending list that are kept at most. A list is read as long as this, since what a request may not show is
    /// left out of it afterwards: items of other categories, and those that the user has.
    public static let trendingLimitItems = 10_000

    /// The version of the catalogue that it was built from.
    public private(set) var catalogueVersion: Int64
    /// The model in force; nil: answers come from what is trending.
    public let model: ServingModel?
    /// What may be recommended and how lists are made.
    public let rules: RecommendingRules
    let index: (any CandidateIndex)?
    private(set) var catalogue: Catalogue
    private(set) var vectors: ItemVectors
    private(set) var trending: TrendingList
    /// The learned ranking; without one the towers rank alone.
    private(set) var blend: BlendInForce?
    /// What orders candidates by what counting knows of them; without it the blend, or the towers, have the last word.
    private(set) var ranker: CandidateRanker?
    /// How orders' amounts are compared; nil where they are taken as they are.
    private var orderAmounts: AmountScale?
    /// What content says of items that the model never trained on; without it the towers say it alone.
    var content: ContentSignals?
    /// Rows that the model never trained on.
    private(set) var untrained: UntrainedRows
    /// New items that get slots of their own; nil where there are none.
    var exploration: Exploration?
    /// Rows whose item was deleted since the build.
    private var gone: RowSet
    /// What segments of the users like more than everybody does; nil where nothing is known of it.
    private(set) var segments: SegmentTable?
    /// Probabilities of click and purchase and the worth of an order; without them the ranking knows interest alone.
    private(set) var heads: RankingHeads?
    /// What users had that stays out of their answers where `rules.exclude` is auto. Without a model, or with one that says nothing of it,
    /// what was bought: nobody has counted yet whether it is bought again.
    public private(set) var exclusion = ExclusionRule.purchased
    /// What rows cost in the ranking; see ``ItemPrices``.
    private(set) var prices: [Int32: Float] = [:]
    /// The vector that users have in common: what it says of an item says nothing of one user's taste. Nil where the towers rank alone.
    private(set) var commonUser: [Float]?
    /// Items of the build, newest publication first. Items that came later have larger rows.
    let newestBuilt: [Int32]
    let builtCount: Int
    /// In millionths; what an item's price is compared with.
    let medianPriceMicros: Float?

    /// Builds a snapshot.
    ///
    /// - Parameters:
    ///   - catalogue: the items; an item's row is its place.
    ///   - itemVectors: `[indexed, dimension]`, row-major, the vectors of `catalogue[0..<indexed]`.
    ///   - index: holds `itemVectors` under the same rows. Without an index vectors are searched one by one.
    ///   - trending: what is popular now, in any order; items that the catalogue does not know are left out.
    ///   - untrained: rows among the first `indexed` whose vector is by their content alone.
    ///   - blend: the learned ranking on the rows of `catalogue`; ignored without a model.
    public init(
        catalogue: [CatalogueEntry], catalogueVersion: Int64, model: ServingModel? = nil, itemVectors: [Float] = [],
        index: (any CandidateIndex)? = nil, untrained: [Int32] = [], trending: [TrendingItem] = [],
        rules: RecommendingRules = RecommendingRules(),
        blend: RankingBlend? = nil
    ) {
        let dimension = model?.dimension ?? 0
        precondition(
            model != nil || itemVectors.isEmpty, "\(itemVectors.count) floats of item vectors without a model")
        let vectors = ItemVectors(base: itemVectors, dimension: dimension)
        precondition(
            vectors.baseCount <= catalogue.count,
            "\(vectors.baseCount) item vectors for \(catalogue.count) items of the catalogue")
        precondition(
            index == nil || index?.count == vectors.baseCount,
            "an index of \(index?.count ?? 0) vectors beside \(vectors.baseCount) item vectors")
        self.catalogueVersion = catalogueVersion
        self.model = model
        self.rules = rules
        self.index = index
        self.vectors = vectors
        self.catalogue = Catalogue(catalogue)
        self.trending = TrendingList(
            trending, catalogue: self.catalogue, discount: rules.trendingDiscount, trendedItems: rules.trendedItems)
        if model != nil, let blend { self.blend = BlendInForce(blend, trending: self.trending.trended) }
        gone = RowSet(rows: 0)
        self.untrained = UntrainedRows(untrained)
        builtCount = catalogue.count
        newestBuilt = Self.newest(catalogue)
        medianPriceMicros = Self.medianPrice(catalogue)
        if self.blend != nil { commonUser = Self.commonUser(of: self) }
    }

    /// The same with what a model's training decided; nil leaves what is there.
    func withExclusion(_ rule: ExclusionRule?) -> ServingSnapshot {
        var next = self
        if let rule { next.exclusion = rule }
        return next
    }

    /// The version of the model, or nil before the first training.
    public var modelVersion: Int? { model?.version }
    /// Whether a learned ranking stands beside the towers.
    public var isBlended: Bool { blend != nil }
    /// Items known, available or not.
    public var itemCount: Int { catalogue.count }
    /// Items that may be recommended.
    public var availableCount: Int { catalogue.available.count }
    /// Vectors that are searched by brute force because they came after the index.
    public var freshCount: Int { vectors.laterRows.count }
    /// Vectors in the index.
    public var indexedCount: Int { vectors.baseCount }

    /// Vectors in the index that a search passes over for good: their item was deleted, or has another vector now.
    public var removedCount: Int { vectors.replaced.union(gone).count(below: indexedCount) }

    /// Items that came after the build and are gone again: of each its id and entry are kept, so that its row is nobody else's.
    public var lapsedCount: Int { gone.count - gone.count(below: builtCount) }

    /// Every id that the snapshot knows, hidden and deleted items too.
    public var itemIDs: [String] { (0..<catalogue.count).flatMap { catalogue.itemIDs(of: Int32($0)) } }

    /// The item's entry as of ``catalogueVersion``, also where it is hidden or deleted.
    public func entry(_ itemID: String) -> CatalogueEntry? {
        catalogue.row(of: itemID).map { catalogue[$0] }.map { $0.variant(itemID) ?? $0 }
    }

    /// What serving can do with the item.
    public func state(of itemID: String) -> ItemState {
        guard let row = catalogue.row(of: itemID) else { return .unknown }
        if !catalogue.available.contains(row) || catalogue[row].variant(itemID)?.available == false { return .hidden }
        guard let origin = vectors.origin(of: row) else { return .unencoded }
        return origin == .content ? .fresh : .indexed
    }

    /// The same snapshot with a newer catalogue. Of several changes of one item the last one counts.
    ///
    /// - Precondition: vectors have the model's dimension. A vector that is not finite is left out.
    public func applying(_ changes: [CatalogueChange], catalogueVersion: Int64) -> ServingSnapshot {
        var next = self
        next.catalogueVersion = catalogueVersion
        var gone: [Int32] = []
        for change in changes {
            switch change {
            case .upsert(let entry, let vector, let origin):
                let (row, left) = next.catalogue.upsert(entry)
                next.leave(left)
                gone += left
                next.gone.remove(row)
                if origin == .content, vector != nil, next.untrained.insert(row), entry.available { next.exploration?.add(row) }
                if let vector, model != nil, isFinite(vector) { next.vectors.set(vector, origin: origin, for: row) }
            case .delete(let itemID):
                guard let row = next.catalogue.delete(itemID) else { continue }
                next.leave([row])
                gone.append(row)
            }
        }
        return next.forgettingContent(gone.filter { next.gone.contains($0) })
    }

    private mutating func leave(_ rows: [Int32]) {
        for row in rows {
            gone.insert(row)
            vectors.remove(row)
        }
    }

    /// When time changes what may be recommended next; nil where only records do.
    public var nextChange: EventTime? { catalogue.nextChange }

    /// The same snapshot at a later time: what has become available is, what no longer is is not.
    ///
    /// - Complexity: O(items with a window that is still to change).
    public func advanced(to now: EventTime) -> ServingSnapshot {
        guard let due = nextChange, due <= now else { return self }
        var next = self
        for (row, available) in next.catalogue.advance(to: now) { next.content?.show(row, available) }
        if next.content?.isShareDue == true { next.shareAnew() }
        return next
    }

    /// The same snapshot with another trending list.
    public func withTrending(_ items: [TrendingItem]) -> ServingSnapshot {
        var next = self
        next.trending = TrendingList(items, catalogue: catalogue, discount: rules.trendingDiscount, trendedItems: rules.trendedItems)
        next.blend = blend.map { BlendInForce($0.blend, trending: next.trending.trended) }
        return next
    }

    /// The same snapshot with other counts of what segments of the users do; items that the catalogue does not know are left out.
    ///
    /// - Parameter priorEvents: see ``SegmentTable``.
    public func withSegments(_ counts: [SegmentCount], priorEvents: Double) -> ServingSnapshot {
        var table = SegmentTable(priorEvents: priorEvents)
        for count in counts {
            if let row = catalogue.row(of: count.itemID) { table.add(row, segment: count.segment, events: count.events) }
        }
        table.prune()
        var next = self
        next.segments = table.isEmpty ? nil : table
        return next
    }

    /// The same snapshot, comparing what was paid in the currency in which the heads learned it; nil compares amounts as they are.
    public func withOrderAmounts(_ scale: AmountScale?) -> ServingSnapshot {
        var next = self
        next.orderAmounts = scale
        return next
    }

    /// What was paid, in minor units of the currency in which the heads compare; nil where nothing was, or nothing that can be
    /// compared. An entry without a currency, of an older version, is taken as it is.
    func comparableAmount(_ entry: HistoryEntry) -> UInt32? {
        guard entry.amountMinor > 0 else { return nil }
        guard let orderAmounts, let currency = entry.currency else { return entry.amountMinor }
        return orderAmounts.minor(Int64(entry.amountMinor), currency.text).map { UInt32(clamping: $0) }
    }

    /// The same snapshot with ranking heads on its rows; ignored without a blend, whose tables they read.
    public func withHeads(_ heads: RankingHeads?) -> ServingSnapshot {
        var next = self
        next.heads = blend == nil ? nil : heads
        return next
    }

    /// The same snapshot with a ranker on its rows; ignored without a model.
    public func withRanker(_ ranker: CandidateRanker?) -> ServingSnapshot {
        var next = self
        next.ranker = model == nil ? nil : ranker
        if next.ranker != nil, next.commonUser == nil { next.commonUser = Self.commonUser(of: next) }
        return next
    }

    /// The same snapshot with what items cost; those that the catalogue does not know cost nothing.
    public func withPrices(_ prices: ItemPrices) -> ServingSnapshot {
        var next = self
        next.prices = Dictionary(prices.byID.compactMap { id, price in catalogue.row(of: id).map { ($0, price) } }) { first, _ in first }
        return next
    }

    /// Adds an event to what the blend knows of transitions: a user met an item after `previous`. Nothing happens without a
    /// blend, or for an item that is not known.
    ///
    /// For replays and for owners of a snapshot that nobody shares: a shared one is copied first.
    public mutating func learn(previous: UserHistory, itemID: String) {
        guard let row = catalogue.row(of: itemID), blend != nil else { return }
        let known = previous.entries.suffix(2 * TransitionTable.Rules().window).compactMap { catalogue.row(of: $0.itemID) }
        blend?.learn(previous: known, item: row)
    }

    /// The item's vector as a query for items like it: without its popularity.
    func likeness(of row: Int32) -> [Float]? {
        guard var vector = vectors.vector(row), let model else { return nil }
        for place in (vector.count - model.biasComponents)..<vector.count { vector[place] = 0 }
        return vector
    }

    /// Users that are imagined for ``commonUser``, who met one of the most popular items each.
    private static let imaginedUsers = 32

    private static func commonUser(of snapshot: ServingSnapshot) -> [Float]? {
        guard let model = snapshot.model else { return nil }
        var rows: [Int32] = []
        if let tables = snapshot.blend?.blend.tables {
            var popular = TopRows(limit: imaginedUsers)
            for row in 0..<Int32(tables.itemCount) where tables.isTaken(row) && snapshot.vectors.hasVector(row) {
                popular.offer(row, tables.popularity[Int(row)])
            }
            rows = popular.sorted().map(\.row)
        }
        if rows.isEmpty {
            let step = max(1, snapshot.vectors.baseCount / imaginedUsers)
            rows = stride(from: 0, to: snapshot.vectors.baseCount, by: step).prefix(imaginedUsers).map { Int32($0) }
        }
        var sum = [Float](repeating: 0, count: model.dimension), users: Float = 0
        for row in rows {
            guard let vector = snapshot.vectors.vector(row) else { continue }
            let input = UserTowerInput(vectors: vector, rows: [row], types: [.click], times: [EventTime(milliseconds: 0)])
            guard let user = model.encodeUser(input, EventTime(milliseconds: 0)), user.count == sum.count, isFinite(user) else { continue }
            for place in sum.indices { sum[place] += user[place] }
            users += 1
        }
        return users > 0 ? sum.map { $0 / users } : nil
    }

    private static func newest(_ catalogue: [CatalogueEntry]) -> [Int32] {
        let rows = catalogue.indices.sorted { left, right in
            let (a, b) = (catalogue[left].publishedAt?.milliseconds, catalogue[right].publishedAt?.milliseconds)
            if a != b { return (a ?? .min) > (b ?? .min) }
            return catalogue[left].itemID < catalogue[right].itemID
        }
        return rows.map { Int32($0) }
    }

    private static func medianPrice(_ catalogue: [CatalogueEntry]) -> Float? {
        let prices = catalogue.compactMap(\.comparablePriceMicros).filter { $0 > 0 }.sorted()
        return prices.isEmpty ? nil : Float(prices[prices.count / 2])
    }
}

import ContentModel

/// What content says of a snapshot's items: a sparse vector of each for histories, and of those that the model never trained on
/// what they are scored by. See ``ContentChannel``.
///
/// What the snapshot was built with is shared by all that follow it; what came later is kept apart.
public struct ContentSignals: Sendable {
    /// Items without training that a request scores one by one at most, the newest: beyond them, towers recall.
    static let scannedLimitItems = 5_000

    /// Its constant follows what new items are there: see ``share(known:)``.
    var channel: ContentChannel
    /// The constant that training found.
    let learnedConstant: Float
    /// The mean of the trained items' vectors, `[dimension]`.
    private let level: [Float]
    /// By row of the build.
    private let vectors: [SparseContent]
    /// By row of the build the place in the channel's space, −1 for items without training.
    private let places: [Int32]
    /// Items without training, by row of the build.
    private let items: [Int32: ContentChannel.Item]
    private let neighbours: ContentNeighbours
    private var laterVectors = RowMap<SparseContent>()
    private var laterItems = RowMap<ContentChannel.Item>()
    /// Rows without training, oldest build row first; the last ``scannedLimitItems`` are asked for.
    private var scanned: ContentScan
    /// Rows that nobody took although they had time: they are not new. See ``NewItemShare/isUntaken(_:)``.
    private var untaken = RowSet(rows: 0)
    private(set) var untakenRows: [Int32] = []
    /// What each new item that may be shown is worth in those of a known one.
    private var present = RowMap<Float>()
    /// The sum of it.
    private(set) var presentWorth = 0.0
    /// Whom to ask for the share of new items, and what was heard; nil before anybody was asked.
    var questions: [NewItemShare.Question] = []
    var newItemPlaces: NewItemPlaces?
    /// New items that came or went since the share was set, and those that were there then.
    var changedItems = 0, sharedItems = 0
    /// What adapters of categories say; nil where the model has none.
    var adaptation: AdaptationSignals?

    /// An item with its content.
    public struct Entry: Sendable {
        /// The item's id.
        public var itemID: String
        /// What its record says.
        public var content: ItemContent
        /// Whether the model learned from interactions with it.
        public var isTrained: Bool
        /// Whether it may be recommended: what may not takes no place among the items that a request scores one by one.
        public var isAvailable: Bool

        /// Makes an entry.
        public init(itemID: String, content: ItemContent, isTrained: Bool, isAvailable: Bool = true) {
            self.itemID = itemID
            self.content = content
            self.isTrained = isTrained
            self.isAvailable = isAvailable
        }
    }

    /// - Parameters:
    ///   - entries: the catalogue; an item's row is its place.
    ///   - itemVectors: `[entries.count, dimension]`, row-major.
    /// - Complexity: O(all text).
    public init(channel: ContentChannel, entries: [Entry], itemVectors: [Float], dimension: Int) {
        self.channel = channel
        learnedConstant = channel.weights[ContentChannel.Part.constant.rawValue]
        let vectors = entries.map { channel.vector(of: $0.content, id: $0.itemID) }
        self.vectors = vectors
        neighbours = ContentNeighbours(vectors, tokenCount: channel.tokenCount)
        places = entries.map { entry in entry.isTrained ? channel.space?.place(of: entry.itemID) ?? -1 : -1 }
        let rows = Dictionary(entries.enumerated().map { ($1.itemID, Int32($0)) }) { first, _ in first }
        var level = [Double](repeating: 0, count: dimension), trained = 0.0
        var items: [Int32: ContentChannel.Item] = [:]
        for (row, entry) in entries.enumerated() {
            if entry.isTrained {
                trained += 1
                for place in 0..<dimension { level[place] += Double(itemVectors[row * dimension + place]) }
            } else {
                let linked = channel.links(of: entry.content).compactMap { rows[$0].map { vectors[Int($0)] } }
                items[Int32(row)] = channel.item(entry.content, own: vectors[row], linked: linked)
            }
        }
        self.level = level.map { Float($0 / max(1, trained)) }
        self.items = items
        scanned = ContentScan(dimension: channel.space?.dimension ?? 0)
        var shown: [Int32] = []
        for (row, item) in items.sorted(by: { $0.key < $1.key }) {
            let entry = entries[Int(row)]
            note(row, item, entry)
            if entry.isAvailable { shown.append(row) }
        }
        // What is not new keeps no place from what is.
        shown = shown.filter(isUntaken) + shown.filter { !isUntaken($0) }
        for row in shown.suffix(Self.scannedLimitItems) { if let item = items[row] { scanned.add(item, row: row) } }
    }

    /// Takes in what an item without training is: new or not, and what it is worth.
    private mutating func note(_ row: Int32, _ item: ContentChannel.Item, _ entry: Entry) {
        if channel.share?.isUntaken(entry.itemID) == true {
            if untaken.insert(row) { untakenRows.append(row) }
        } else {
            setPresent(row, entry.isAvailable ? item.worth : nil)
        }
    }

    private mutating func setPresent(_ row: Int32, _ worth: Float?) {
        let before = present[row]
        presentWorth += Double(worth ?? 0) - Double(before ?? 0)
        if (before == nil) != (worth == nil) { changedItems += 1 }
        present[row] = worth
    }

    /// Whether nobody took the item of a row although it had time.
    func isUntaken(_ row: Int32) -> Bool { untaken.contains(row) }

    /// New items that may be shown.
    var presentCount: Int { present.count }

    /// Their rows, ascending.
    var presentRows: [Int32] {
        var rows: [Int32] = []
        present.forEach { row, _ in rows.append(row) }
        return rows
    }

    /// Takes over a new or changed item.
    ///
    /// - Parameter rowOf: the row of an item id.
    mutating func set(_ entry: Entry, row: Int32, rowOf: (String) -> Int32?) {
        let own = channel.vector(of: entry.content, id: entry.itemID)
        laterVectors[row] = own
        guard !entry.isTrained else { return }
        let linked = channel.links(of: entry.content).compactMap { rowOf($0).flatMap(vector) }
        let item = channel.item(entry.content, own: own, linked: linked)
        laterItems[row] = item
        note(row, item, entry)
        if entry.isAvailable { scanned.add(item, row: row) } else { scanned.remove(row) }
        if scanned.count > 2 * Self.scannedLimitItems || scanned.isSparse { repack() }
        adaptation?.set(entry.content, row: row, own: own, channel: channel)
        assignCategory(row)
    }

    /// Takes in that an item may be shown from now on, or may not.
    mutating func show(_ row: Int32, _ isAvailable: Bool) {
        guard let item = item(row) else { return }
        if !isUntaken(row) { setPresent(row, isAvailable ? item.worth : nil) }
        if isAvailable { scanned.add(item, row: row) } else { scanned.remove(row) }
        if scanned.count > 2 * Self.scannedLimitItems || scanned.isSparse { repack() }
    }

    /// Forgets what came after the build of items that are gone, and no longer looks at them.
    mutating func forget(_ rows: [Int32]) {
        for row in rows {
            laterVectors[row] = nil
            laterItems[row] = nil
            setPresent(row, nil)
            adaptation?.forget(row)
            scanned.remove(row)
        }
        if scanned.isSparse { repack() }
    }

    private mutating func repack() {
        var packed = ContentScan(dimension: channel.space?.dimension ?? 0)
        for row in scanned.rows.suffix(Self.scannedLimitItems) { if let item = item(row) { packed.add(item, row: row) } }
        scanned = packed
    }

    func vector(_ row: Int32) -> SparseContent? {
        laterVectors[row] ?? (Int(row) < vectors.count ? vectors[Int(row)] : nil)
    }

    @inline(__always)
    func item(_ row: Int32) -> ContentChannel.Item? { laterItems[row] ?? items[row] }

    /// Whether a row is scored by its content.
    func scores(_ row: Int32) -> Bool { item(row) != nil }

    /// The rows whose content is nearest to a row's own, best first, with their cosines.
    func nearest(_ count: Int, to row: Int32, where admits: (Int32) -> Bool) -> [Candidate] {
        guard let query = vector(row) else { return [] }
        return neighbours.nearest(count, to: query, later: laterVectors, vector: vector, where: admits)
    }

    /// What a user's history and vector say.
    struct Taste: Sendable {
        var profile: ContentChannel.Profile?
        var level: Float
        /// The user's vector as each category in force has it.
        var adapted: [[Float]] = []
    }

    /// - Parameters:
    ///   - history: rows that the user met; vector: the user's.
    func taste(history: [Int32], vector: [Float]?) -> Taste? {
        guard presentCount > 0 || adaptation?.categories.isEmpty == false else { return nil }
        var taste = Taste(
            profile: channel.profile(history.lazy.compactMap { self.vector($0) }, taste: sum(history)), level: level(of: vector))
        if let adaptation, !adaptation.categories.isEmpty {
            let user = adaptation.user(history)
            taste.adapted = adaptation.categories.map { $0.adapter.adapted(user) }
        }
        return taste
    }

    /// A user's inner product with the mean of all trained items; 0 without a vector.
    func level(of vector: [Float]?) -> Float {
        guard let vector, vector.count == level.count else { return 0 }
        var own: Float = 0
        for place in vector.indices { own += vector[place] * level[place] }
        return own
    }

    /// What a history's items count together in the channel's space; empty without one.
    private func sum(_ history: [Int32]) -> [Float] {
        guard let space = channel.space else { return [] }
        var sum = [Float](repeating: 0, count: space.dimension)
        for row in history {
            if Int(row) < places.count, places[Int(row)] >= 0 {
                space.add(places[Int(row)], to: &sum)
            } else if let item = item(row) {
                space.add(item, to: &sum)
            }
        }
        return sum
    }

    /// The score of a row without training, nil for others.
    @inline(__always)
    func score(_ row: Int32, tower: Float, taste: Taste) -> Float? {
        guard let item = item(row) else { return nil }
        if let adapted = adaptedScore(row, item, taste: taste) { return adapted }
        return isUntaken(row) ? nil : channel.score(item, profile: taste.profile, tower: tower, level: taste.level)
    }

    /// Rows that a request scores one by one.
    var scannedCount: Int { scanned.count }

    /// The best scores of new items for a history under another channel, best first.
    func bestNew(_ count: Int, _ channel: ContentChannel, history: [Int32], level: Float) -> [Float] {
        let profile = channel.profile(history.lazy.compactMap { self.vector($0) }, taste: sum(history))
        var top = TopRows(limit: count)
        scanned.forEachScore(Self.scannedLimitItems, channel, profile: profile, level: level) { row, score in
            if top.wouldKeep(score), !isUntaken(row), !isAdapted(row) { top.offer(row, score) }
        }
        return top.sorted().map(\.score)
    }

    /// The rows without training that fit best by content, at most `count`; the towers are not asked.
    func best(_ count: Int, taste: Taste, where admits: (Int32) -> Bool) -> [Int32] {
        var top = TopRows(limit: count)
        scanned.forEachScore(Self.scannedLimitItems, channel, profile: taste.profile, level: taste.level) { row, plain in
            let hasAdapter = isAdapted(row)
            let score = !hasAdapter ? plain : item(row).flatMap { adaptedScore(row, $0, taste: taste) } ?? plain
            if top.wouldKeep(score), hasAdapter || !isUntaken(row), admits(row) { top.offer(row, score) }
        }
        return top.sorted().map(\.row)
    }
}

extension ServingSnapshot {
    /// The same snapshot with content signals on its rows.
    public func withContent(_ signals: ContentSignals?) -> ServingSnapshot {
        var next = self
        next.content = model == nil ? nil : signals
        return next
    }

    /// The same snapshot, knowing the content of new and changed items. Items that it does not know are passed over.
    public func learningContent(_ entries: [ContentSignals.Entry]) -> ServingSnapshot {
        guard content != nil else { return self }
        var next = self
        for entry in entries {
            guard let row = next.catalogue.row(of: entry.itemID) else { continue }
            next.content?.set(entry, row: row) { catalogue.row(of: $0) }
        }
        if next.content?.isShareDue == true { next.shareAnew() }
        return next
    }

    /// The same snapshot without the content of items that are gone.
    func forgettingContent(_ rows: [Int32]) -> ServingSnapshot {
        guard content != nil, !rows.isEmpty else { return self }
        var next = self
        next.content?.forget(rows)
        if next.content?.isShareDue == true { next.shareAnew() }
        return next
    }
}

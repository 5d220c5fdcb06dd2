import ContentModel

/// What content says of a snapshot's items: a sparse vector of each for histories, and of those that the model never trained on
/// what they are scored by. See ``ContentChannel``.
///
/// What the snapshot was built with is shared by all that follow it; what came later is kept apart.
public struct ContentSignals: Sendable {
    /// Items without training that a request scores one by one at most, the newest. Where there are more than
    /// ``indexedFromItems``, an index stands beside them: see ``ContentRecall``.
    static let scannedLimitItems = 5_000
    /// From so many items without training on an index of their contents is quicker than comparing each.
    public static let indexedFromItems = 1_000

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
    /// Items without training, of the build.
    private let packed: PackedContents
    /// By row of the build its place in ``packed``, −1 for trained items; and back.
    private let packedPlaces: [Int32], packedRows: [Int32]
    private let neighbours: ContentNeighbours
    private var laterVectors = RowMap<SparseContent>()
    private var laterItems = RowMap<ContentChannel.Item>()
    /// Rows without training, oldest build row first; the last ``scannedLimitItems`` are asked for. With a ``recall`` those alone that
    /// adapters score.
    private(set) var scanned: ContentScan
    /// Finds the others where there are many; nil where each is compared.
    private(set) var recall: ContentRecall?
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
    ///   - threads: that read the contents.
    /// - Complexity: O(all text).
    public init(channel: ContentChannel, entries: [Entry], itemVectors: [Float], dimension: Int, threads: Int = 1) {
        self.channel = channel
        learnedConstant = channel.weights[ContentChannel.Part.constant.rawValue]
        let vectors = Self.inParallel(entries, threads) { _, entry -> SparseContent in channel.vector(of: entry.content, id: entry.itemID) }
        self.vectors = vectors
        neighbours = ContentNeighbours(vectors, tokenCount: channel.tokenCount)
        places = entries.map { entry in entry.isTrained ? channel.space?.place(of: entry.itemID) ?? -1 : -1 }
        let rows = Dictionary(entries.enumerated().map { ($1.itemID, Int32($0)) }) { first, _ in first }
        var level = [Double](repeating: 0, count: dimension), trained = 0.0
        let untrained = entries.indices.filter { !entries[$0].isTrained }
        for row in entries.indices where entries[row].isTrained {
            trained += 1
            for place in 0..<dimension { level[place] += Double(itemVectors[row * dimension + place]) }
        }
        let found = Self.inParallel(untrained, threads) { _, row -> ContentChannel.Item in
            let linked = channel.links(of: entries[row].content).compactMap { rows[$0].map { vectors[Int($0)] } }
            return channel.item(entries[row].content, own: vectors[row], linked: linked)
        }
        var packed = PackedContents(dimension: channel.space?.dimension ?? 0)
        packed.reserveCapacity(items: found.count, entries: found.reduce(0) { $0 + $1.vector.tokens.count })
        var packedPlaces = [Int32](repeating: -1, count: entries.count)
        for (place, item) in found.enumerated() {
            packed.append(item)
            packedPlaces[untrained[place]] = Int32(place)
        }
        (self.packed, self.packedPlaces, packedRows) = (packed, packedPlaces, untrained.map { Int32($0) })
        self.level = level.map { Float($0 / max(1, trained)) }
        scanned = ContentScan(dimension: channel.space?.dimension ?? 0)
        var shown: [Int32] = []
        for (place, row) in packedRows.enumerated() {
            let entry = entries[Int(row)]
            note(row, worth: packed.worth(place), entry)
            if entry.isAvailable { shown.append(row) }
        }
        // What is not new keeps no place from what is.
        shown = shown.filter(isUntaken) + shown.filter { !isUntaken($0) }
        for row in shown.suffix(Self.scannedLimitItems) { scanned.add(found[Int(packedPlaces[Int(row)])], row: row) }
    }

    /// Takes in what an item without training is: new or not, and what it is worth.
    private mutating func note(_ row: Int32, worth: Float, _ entry: Entry) {
        if channel.share?.isUntaken(entry.itemID) == true {
            if untaken.insert(row) { untakenRows.append(row) }
        } else {
            setPresent(row, entry.isAvailable ? worth : nil)
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

    /// Whether an item is new and may be shown.
    func isPresent(_ row: Int32) -> Bool { present[row] != nil }

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
    mutating func set(_ entry: Entry, row: Int32, tower: [Float] = [], rowOf: (String) -> Int32?) {
        let own = channel.vector(of: entry.content, id: entry.itemID)
        laterVectors[row] = own
        guard !entry.isTrained else { return }
        let linked = channel.links(of: entry.content).compactMap { rowOf($0).flatMap(vector) }
        let item = channel.item(entry.content, own: own, linked: linked)
        laterItems[row] = item
        note(row, worth: item.worth, entry)
        recall?.set(item, tower: tower, row: row)
        adaptation?.set(entry.content, row: row, own: own, channel: channel)
        assignCategory(row)
        compare(row, item, isAvailable: entry.isAvailable)
    }

    /// Puts a row among those that are compared one by one, or takes it out.
    private mutating func compare(_ row: Int32, _ item: ContentChannel.Item, isAvailable: Bool) {
        if isAvailable, recall == nil || isAdapted(row) { scanned.add(item, row: row) } else { scanned.remove(row) }
        if scanned.count > 2 * Self.scannedLimitItems || scanned.isSparse { repack() }
    }

    /// Takes in that an item may be shown from now on, or may not.
    mutating func show(_ row: Int32, _ isAvailable: Bool) {
        guard let item = item(row) else { return }
        if !isUntaken(row) { setPresent(row, isAvailable ? item.worth : nil) }
        compare(row, item, isAvailable: isAvailable)
    }

    /// Forgets what came after the build of items that are gone, and no longer looks at them.
    mutating func forget(_ rows: [Int32]) {
        for row in rows {
            laterVectors[row] = nil
            laterItems[row] = nil
            setPresent(row, nil)
            adaptation?.forget(row)
            scanned.remove(row)
            recall?.remove(row)
        }
        if scanned.isSparse { repack() }
    }

    private mutating func repack() { pack(scanned.rows) }

    /// Compares the last of some rows, and no others.
    private mutating func pack(_ rows: [Int32]) {
        var packed = ContentScan(dimension: channel.space?.dimension ?? 0)
        for row in rows.suffix(Self.scannedLimitItems) { if let item = item(row) { packed.add(item, row: row) } }
        scanned = packed
    }

    /// Rows without training that are looked for, ascending: what nobody took although it had time is not, unless an adapter scores it.
    var recallableRows: [Int32] {
        var rows = packedRows.filter { laterItems[$0] == nil && !isUntaken($0) }
        laterItems.forEach { row, _ in if !isUntaken(row) { rows.append(row) } }
        return rows.sorted()
    }

    /// Puts an index in force, or none: then each row is compared, as long as they are few.
    mutating func recalling(_ recall: ContentRecall?) {
        self.recall = recall
        compareAdapted()
    }

    /// With an index compares those rows alone that adapters score.
    mutating func compareAdapted() {
        guard recall != nil else { return }
        pack(adaptation?.adaptedRows ?? [])
    }

    func vector(_ row: Int32) -> SparseContent? {
        laterVectors[row] ?? (Int(row) < vectors.count ? vectors[Int(row)] : nil)
    }

    /// What the channel sees of an item without training; nil for others.
    func item(_ row: Int32) -> ContentChannel.Item? { laterItems[row] ?? packedPlace(row).map { packed.item(Int($0)) } }

    @inline(__always)
    private func packedPlace(_ row: Int32) -> Int32? {
        guard Int(row) < packedPlaces.count, packedPlaces[Int(row)] >= 0 else { return nil }
        return packedPlaces[Int(row)]
    }

    /// Whether a row is scored by its content.
    func scores(_ row: Int32) -> Bool { packedPlace(row) != nil || laterItems[row] != nil }

    /// The rows whose content is nearest to a row's own, best first, with their cosines.
    func nearest(_ count: Int, to row: Int32, where admits: (Int32) -> Bool) -> [Candidate] {
        guard let query = vector(row) else { return [] }
        return neighbours.nearest(count, to: query, later: laterVectors, vector: vector, where: admits)
    }

    /// What a user's history and vector say.
    struct Taste: Sendable {
        var profile: ContentChannel.Profile?
        var level: Float
        /// The user's vector of the towers; nil where it has no say.
        var user: [Float]?
        /// The user's vector as each category in force has it.
        var adapted: [[Float]] = []
    }

    /// - Parameters:
    ///   - history: rows that the user met; vector: the user's.
    func taste(history: [Int32], vector: [Float]?) -> Taste? {
        guard presentCount > 0 || adaptation?.categories.isEmpty == false else { return nil }
        var taste = Taste(
            profile: channel.profile(history.lazy.compactMap { self.vector($0) }, taste: sum(history)), level: level(of: vector),
            user: vector)
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
    func sum(_ history: [Int32]) -> [Float] {
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

    /// Scores rows for one user, within ``withScorer(_:under:_:)``.
    ///
    /// A class, since it is asked for hundreds of rows through closures, each of which would copy a value's parts.
    final class Scorer {
        private let signals: ContentSignals
        private let channel: ContentChannel
        private let taste: Taste
        private let reader: PackedContents.Reader?

        fileprivate init(_ signals: ContentSignals, _ channel: ContentChannel, _ taste: Taste, _ reader: PackedContents.Reader?) {
            (self.signals, self.channel, self.taste, self.reader) = (signals, channel, taste, reader)
        }

        /// One that knows marks alone, since nothing is known of the user.
        convenience init(_ signals: ContentSignals) { self.init(signals, signals.channel, Taste(profile: nil, level: 0), nil) }

        /// Whether nobody took the item of a row although it had time.
        @inline(__always)
        func isUntaken(_ row: Int32) -> Bool { signals.isUntaken(row) }

        /// Whether an adapter scores a row.
        @inline(__always)
        func isAdapted(_ row: Int32) -> Bool { signals.isAdapted(row) }

        /// The score of a row without training, by its category's adapter where it has one; nil for others.
        @inline(__always)
        func score(_ row: Int32, tower: Float) -> Float? {
            if signals.isAdapted(row), let own = signals.adaptedScore(row, taste: taste) { return own }
            return signals.isUntaken(row) ? nil : plain(row, tower: tower)
        }

        /// The same whatever adapters say, and whether somebody took it or not.
        @inline(__always)
        func plain(_ row: Int32, tower: Float) -> Float? {
            if !signals.laterItems.isEmpty, let item = signals.laterItems[row] {
                return channel.score(item, profile: taste.profile, tower: tower, level: taste.level)
            }
            guard let reader, let place = signals.packedPlace(row) else { return nil }
            return reader.score(Int(place), tower: tower)
        }
    }

    /// Calls `body` with what scores rows for a user.
    ///
    /// - Parameter other: a channel to score under; nil is the one in force.
    func withScorer<Result>(_ taste: Taste, under other: ContentChannel? = nil, _ body: (Scorer) -> Result) -> Result {
        packed.withReader(other ?? channel, profile: taste.profile, level: taste.level) { reader in
            body(Scorer(self, other ?? channel, taste, reader))
        }
    }

    /// Rows that a request scores one by one, those that are taken from an index for ``NewItemShare/listLength`` among them.
    var scannedCount: Int { scanned.count + (recall.map { Int($0.depth * Double(NewItemShare.listLength)) } ?? 0) }
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
            // The towers' vector is asked for by an index alone.
            let tower = content?.recall == nil ? [] : vectors.vector(row) ?? []
            next.content?.set(entry, row: row, tower: tower) { catalogue.row(of: $0) }
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

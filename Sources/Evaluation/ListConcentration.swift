/// How much the lists of many people are one list: what is shown over and over, what people had, what is new.
///
/// Of the first ten places of each list.
public struct ListConcentration: Sendable, Equatable {
    /// Lists that were looked at.
    public var lists: Int
    /// The id of the item that most lists hold; nil where nothing was shown.
    public var mostShownItem: String?
    /// Share of the lists that hold it.
    public var mostShownShare: Double
    /// Share of all places that the ten most shown items have.
    public var tenMostShownShare: Double
    /// Distinct items that ``sampleLists`` lists hold: what so many of these would hold on average, drawn without replacement; of fewer
    /// lists, what all of them hold.
    public var distinctItems: Double
    /// Share of places with an item that the user had.
    public var repeatShare: Double
    /// Share of places with an item that nobody had where the model learned, nor the user since.
    public var newShare: Double
    /// Share of places with an item of a kind of which the user never had anything, new items apart; nil in records from before it was
    /// counted.
    public var discoveryShare: Double?

    /// Lists for which ``distinctItems`` is told.
    public static let sampleLists = 1_000
    /// Places of a list that count.
    public static let places = 10

    /// All of it.
    public init(
        lists: Int, mostShownItem: String?, mostShownShare: Double, tenMostShownShare: Double, distinctItems: Double, repeatShare: Double,
        newShare: Double, discoveryShare: Double? = nil
    ) {
        self.lists = lists
        self.mostShownItem = mostShownItem
        self.mostShownShare = mostShownShare
        self.tenMostShownShare = tenMostShownShare
        self.distinctItems = distinctItems
        self.repeatShare = repeatShare
        self.newShare = newShare
        self.discoveryShare = discoveryShare
    }

    /// Counts lists.
    public struct Counter: Sendable {
        private var lists = 0, places = 0, repeats = 0, new = 0, discoveries = 0
        private var shown: [Int32]

        /// Nothing counted yet.
        ///
        /// - Parameter itemCount: rows of items are below it.
        public init(itemCount: Int) { shown = [Int32](repeating: 0, count: itemCount) }

        /// Counts the first ten of a list, each row once. What the user had is a repeat, of the others what nobody had is new, and of what
        /// is left what is of no kind that the user had is a discovery.
        ///
        /// - Parameters:
        ///   - had: whether the user had the item.
        ///   - isNew: whether nobody had it.
        ///   - hadKind: whether the user had others of its finest category; false for an item without one.
        public mutating func add(
            _ rows: some Sequence<Int32>, had: (Int32) -> Bool, isNew: (Int32) -> Bool, hadKind: (Int32) -> Bool
        ) {
            lists += 1
            var seen: [Int32] = []
            for row in rows where !seen.contains(row) {
                seen.append(row)
                places += 1
                shown[Int(row)] += 1
                if had(row) {
                    repeats += 1
                } else if isNew(row) {
                    new += 1
                } else if !hadKind(row) {
                    discoveries += 1
                }
                if seen.count == ListConcentration.places { break }
            }
        }

        /// What was counted; nil where there was no list.
        ///
        /// - Complexity: O(items + places)
        public func report(itemIDs: [String]) -> ListConcentration? {
            guard lists > 0 else { return nil }
            let counts = shown.filter { $0 > 0 }.sorted(by: >), all = Double(max(1, places))
            let most = shown.indices.max { shown[$0] != shown[$1] ? shown[$0] < shown[$1] : itemIDs[$0] > itemIDs[$1] }
            let isShown = (counts.first ?? 0) > 0
            return ListConcentration(
                lists: lists, mostShownItem: isShown ? most.map { itemIDs[$0] } : nil,
                mostShownShare: Double(counts.first ?? 0) / Double(lists),
                tenMostShownShare: Double(counts.prefix(10).reduce(0, +)) / all,
                distinctItems: Self.expected(counts, lists: lists), repeatShare: Double(repeats) / all, newShare: Double(new) / all,
                discoveryShare: Double(discoveries) / all)
        }

        /// Of each item the chance that a sample holds it: 1 − C(N − c, n) / C(N, n).
        private static func expected(_ counts: [Int32], lists: Int) -> Double {
            guard lists > sampleLists else { return Double(counts.count) }
            var sum = 0.0
            for count in counts {
                var without = 1.0
                for place in 0..<Int(count) where without > 0 {
                    without *= Double(max(0, lists - sampleLists - place)) / Double(lists - place)
                }
                sum += 1 - without
            }
            return sum
        }
    }
}

extension ListConcentration: Codable {
    private enum CodingKeys: String, CodingKey {
        case lists
        case mostShownItem = "most_shown_item"
        case mostShownShare = "most_shown_share"
        case tenMostShownShare = "ten_most_shown_share"
        case distinctItems = "distinct_items_in_1000_lists"
        case repeatShare = "repeat_share"
        case newShare = "new_item_share"
        case discoveryShare = "discovery_share"
    }
}

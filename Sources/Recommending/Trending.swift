import Features

/// An item with how much is done with it now, such as a decayed count of its clicks and purchases.
public struct TrendingItem: Sendable, Equatable {
    /// The item's id.
    public var itemID: String
    /// On any scale, above 0; counts of any ages stay apart.
    public var score: ScaledValue

    /// Makes a trending item.
    public init(itemID: String, score: ScaledValue) {
        self.itemID = itemID
        self.score = score
    }

    /// Makes a trending item; a score that is not a finite number above 0 leaves it out of every list.
    public init(itemID: String, score: Double) {
        self.init(itemID: itemID, score: ScaledValue(score))
    }
}

/// What is popular now, in an order that is spread over categories.
///
/// The list is greedy: each place takes the item with the largest share of the top score, times `discount` for every item
/// of its main category that stands before it. So scores fall along the list, within a category the order is that of
/// popularity, and one category cannot fill the top.
struct TrendingList: Sendable {
    /// A longer list is cut after this many of the most popular items that may be shown.
    static let limitItems = ServingSnapshot.trendingLimitItems

    private(set) var rows: [Int32] = []
    /// The discounted share of each row, in (0, 1], falling.
    private(set) var shares: [Float] = []
    /// The most popular rows with their share of the top score, in (0, 1], undiscounted, most popular first.
    private(set) var popular: [(row: Int32, share: Float)] = []
    /// The first of ``popular``, as many as the ranking blend was trained to look at.
    var trended: ArraySlice<(row: Int32, share: Float)> { popular.prefix(trendedItems) }
    private var trendedItems = 0
    /// Of members of groups their share of the top score: which of them sells best.
    private(set) var sold: [String: Float] = [:]

    init() {}

    init(_ items: [TrendingItem], catalogue: Catalogue, discount: Float, trendedItems: Int) {
        self.trendedItems = trendedItems
        var seen = RowSet(rows: catalogue.count)
        var popular: [Popular] = []
        for item in items where !item.score.isZero {
            // Hidden rows take no place: the list is cut below.
            guard let row = catalogue.row(of: item.itemID), catalogue.available.contains(row), seen.insert(row) else { continue }
            popular.append(Popular(row: row, score: item.score, itemID: item.itemID))
        }
        if catalogue.hasVariants { popular = joined(popular, items, catalogue) }
        popular.sort { $0.score != $1.score ? $0.score > $1.score : $0.itemID < $1.itemID }
        popular.removeLast(max(0, popular.count - Self.limitItems))
        guard let top = popular.first?.score else { return }
        // At least the smallest normal number: what is far older than the top is still popular, and has an order.
        let plain = popular.map { max(Float($0.score.share(of: top)), .leastNormalMagnitude) }
        self.popular = zip(popular, plain).map { ($0.row, $1) }

        var numbers: [String: Int] = [:]
        var queues: [[Int]] = []
        for (place, item) in popular.enumerated() {
            let category = catalogue[item.row].categories.first ?? ""
            let number = numbers[category] ?? queues.count
            if number == queues.count {
                numbers[category] = number
                queues.append([])
            }
            queues[number].append(place)
        }
        // One head a category stands in the heap; only the category that was taken from changes its score.
        var heads = [Int](repeating: 0, count: queues.count)
        var weights = [Float](repeating: 1, count: queues.count)
        var heap = HeadHeap()
        func score(_ queue: Int) -> Float {
            // At least the smallest normal number, so that a deep list still has an order and no zeros.
            max(weights[queue] * plain[queues[queue][heads[queue]]], .leastNormalMagnitude)
        }
        for queue in queues.indices { heap.push(score(queue), queues[queue][0], queue) }
        while let (share, place, queue) = heap.pop() {
            rows.append(popular[place].row)
            shares.append(share)
            heads[queue] += 1
            weights[queue] *= discount
            if heads[queue] < queues[queue].count { heap.push(score(queue), queues[queue][heads[queue]], queue) }
        }
    }

    private struct Popular {
        var row: Int32
        var score: ScaledValue
        var itemID: String
    }

    /// Rows with the scores of all that they stand for. Notes what the members of groups have of it.
    private mutating func joined(_ popular: [Popular], _ items: [TrendingItem], _ catalogue: Catalogue) -> [Popular] {
        var places: [Int32: Int] = [:], sums = popular, members: [(itemID: String, score: ScaledValue)] = []
        for (place, item) in popular.enumerated() {
            places[item.row] = place
            sums[place].score = .zero
            sums[place].itemID = catalogue[item.row].itemID
        }
        var counted: Set<String> = []
        for item in items where !item.score.isZero && counted.insert(item.itemID).inserted {
            guard let place = catalogue.row(of: item.itemID).flatMap({ places[$0] }) else { continue }
            sums[place].score = sums[place].score + item.score
            if !catalogue[sums[place].row].variants.isEmpty { members.append((item.itemID, item.score)) }
        }
        let top = sums.map(\.score).max() ?? .zero
        sold = Dictionary(members.map { ($0.itemID, max(Float($0.score.share(of: top)), .leastNormalMagnitude)) }) { first, _ in first }
        return sums
    }
}

/// A heap of categories by the score of their next item; of equal scores the more popular item comes first.
private struct HeadHeap {
    private var heap: [(share: Float, place: Int, queue: Int)] = []

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        heap[left].share != heap[right].share
            ? heap[left].share > heap[right].share : heap[left].place < heap[right].place
    }

    mutating func push(_ share: Float, _ place: Int, _ queue: Int) {
        heap.append((share, place, queue))
        var child = heap.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> (share: Float, place: Int, queue: Int)? {
        guard !heap.isEmpty else { return nil }
        heap.swapAt(0, heap.count - 1)
        let first = heap.removeLast()
        var parent = 0
        while true {
            var best = parent
            for child in 2 * parent + 1...2 * parent + 2 where child < heap.count && isBefore(child, best) { best = child }
            if best == parent { return first }
            heap.swapAt(best, parent)
            parent = best
        }
    }
}

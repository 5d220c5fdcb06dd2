#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What people of whom the same is declared, such as `country=DE` or `device=phone`, take and spend beside everybody.
///
/// The lift of category c for a value v is (n_vc + k) / (e_vc + k): n_vc its interactions there, e_vc what they would be if these
/// people were like everybody, and k interactions of prior, as in ``SegmentTable``. Spending is the mean order of these people, drawn
/// to that of all.
public struct DeclaredValues: Sendable, Equatable {
    /// Values that are kept at most: those with most people.
    public static let valuesLimit = 512
    /// Values of one user that count at most.
    public static let valuesOfUserLimit = 16
    /// People who must share a value: fewer would be a person's own taste by another name.
    public static let leastUsers = 10
    private static let priorInteractions = 10.0, priorOrders = 3.0

    /// Sorted.
    let names: [String]
    /// Where the categories of each value begin; one more than there are values.
    let starts: [Int32]
    /// Of each value its categories, ascending, and their lifts' logarithms.
    let categories: [Int32]
    let lifts: [Float]
    /// ln of the mean order over that of all, by value.
    let spending: [Float]

    /// One user's part.
    public struct Part {
        /// Interactions by category; those of no category under −1.
        public var categories: [Int32: Int]
        /// What was paid in all, in minor units.
        public var paid: Double
        /// In how many orders.
        public var orders: Int

        /// A user who did this.
        public init(categories: [Int32: Int], paid: Double, orders: Int) {
            self.categories = categories
            self.paid = paid
            self.orders = orders
        }
    }

    /// No values.
    public init() { self.init(names: [], starts: [0], categories: [], lifts: [], spending: []) }

    init(names: [String], starts: [Int32], categories: [Int32], lifts: [Float], spending: [Float]) {
        (self.names, self.starts, self.categories, self.lifts, self.spending) = (names, starts, categories, lifts, spending)
    }

    /// Counts.
    ///
    /// - Parameters:
    ///   - tokens: `name=value` of each user.
    ///   - part: what a user did.
    /// - Complexity: one look at each user; memory is kept values times categories.
    public init(tokens: [[String]], part: (Int) -> Part) {
        var people: [String: Int] = [:]
        for own in tokens { for name in Set(own) { people[name, default: 0] += 1 } }
        let names = people.filter { $0.value >= Self.leastUsers }
            .sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.prefix(Self.valuesLimit).map(\.key).sorted()
        let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        var everybody: [Int32: Double] = [:], counts = names.map { _ in [Int32: Double]() }
        var paid = names.map { _ in (sum: 0.0, orders: 0.0) }, all = (sum: 0.0, orders: 0.0)
        for (user, own) in tokens.enumerated() {
            let part = part(user), values = Set(own.compactMap { places[$0] })
            for (category, count) in part.categories {
                everybody[category, default: 0] += Double(count)
                for value in values { counts[value][category, default: 0] += Double(count) }
            }
            all = (all.sum + part.paid, all.orders + Double(part.orders))
            for value in values { paid[value] = (paid[value].sum + part.paid, paid[value].orders + Double(part.orders)) }
        }
        let total = max(everybody.values.reduce(0, +), 1), mean = all.orders > 0 ? max(all.sum / all.orders, 1e-9) : 1
        let known = everybody.keys.filter { $0 >= 0 }.sorted()
        var starts: [Int32] = [0], categories: [Int32] = [], lifts: [Float] = []
        for own in counts {
            let share = own.values.reduce(0, +) / total
            for category in known {
                let expected = (everybody[category] ?? 0) * share
                categories.append(category)
                lifts.append(Float(log(((own[category] ?? 0) + Self.priorInteractions) / (expected + Self.priorInteractions))))
            }
            starts.append(Int32(categories.count))
        }
        self.init(
            names: names, starts: starts, categories: categories, lifts: lifts,
            spending: paid.map { Float(log(max(($0.sum + Self.priorOrders * mean) / ($0.orders + Self.priorOrders) / mean, 1e-3))) })
    }

    /// The places of those tokens that are known, each once, in their order.
    func places(of tokens: [String]) -> [Int] {
        var found: [Int] = []
        for token in tokens where found.count < Self.valuesOfUserLimit {
            if let place = names.firstPlace(of: token), !found.contains(place) { found.append(place) }
        }
        return found
    }

    /// The sum of a category's log lifts over values; 0 for a category that nobody took from.
    func lift(of category: Int32, places: [Int]) -> Float {
        places.reduce(0) { sum, place in
            let own = categories[Int(starts[place])..<Int(starts[place + 1])]
            return sum + (own.firstPlace(of: category).map { lifts[$0] } ?? 0)
        }
    }
}

extension RandomAccessCollection where Element: Comparable, Index == Int {
    /// Where an element stands in an ascending collection.
    fileprivate func firstPlace(of element: Element) -> Int? {
        var low = startIndex, high = endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low < endIndex && self[low] == element ? low : nil
    }
}

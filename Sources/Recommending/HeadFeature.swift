#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the ranking heads see of a user and an item. The raw value is the place in the input of the network.
public enum HeadFeature: Int, CaseIterable, Sendable {
    /// The score of the ranking so far: of the blend, or of the towers where they rank alone.
    case interest
    /// The inner product of the two towers.
    case tower
    /// ``RankingFeature/popularity``, ``RankingFeature/recentPopularity``, ``RankingFeature/transition``, and the user's own items.
    case popularity
    case recentPopularity
    case transition
    case own
    case ownCount
    case ownRepeatRate
    case ownAge
    /// ``UserSignals/returning``.
    case returning
    /// ln of what one order of the item is worth on average, relative to the mean of all orders: see ``HeadTables/value``.
    case value
    /// ln of the list price over the median of the catalogue's; 0 where there is none.
    case price
    /// The mean of ``value`` over the user's history: how much they usually spend.
    case userValue
    /// What the user's own orders of the item were worth, drawn to ``value``, which it is for other items.
    case ownValue
    /// ``value`` times ``userValue``.
    case valueMatch
    /// ln(1 + items of the history in the narrowest category of the item).
    case categoryCount
    /// What people of whom the same is declared as of the user take from the item's category, and spend: see ``DeclaredValues``.
    case declaredLift
    case declaredSpending
    /// ``value`` times ``declaredSpending``.
    case declaredMatch
    /// Lengths of the two towers' vectors, popularity apart, and their product: what ``tower`` could be at most; see ``HeadVectors``.
    case userLength
    case itemLength
    case lengthProduct
    /// The cosine of the item's vector and that of the newest item of the history.
    case newestLikeness

    /// How many there are.
    public static var count: Int { allCases.count }

    /// The name in reports.
    public var name: String { "\(self)" }
}

/// What counting says of the worth of items, by row; beside ``RankingTables``.
public struct HeadTables: Sendable, Equatable {
    /// Orders that stand for the mean of the category (or of all items) in that of an item.
    private static let priorOrders = 3.0

    /// ``HeadFeature/value`` by row, drawn to that of the category where there are few orders.
    public private(set) var value: [Float]
    /// A number for the narrowest category of each row; −1 where it has none.
    public private(set) var category: [Int32]
    /// What all orders are worth on average, in minor units; at least 1.
    public private(set) var meanAmountMinor: Float
    /// In millionths; what list prices are compared with. 0 where there are none.
    public private(set) var medianPriceMicros: Float
    /// By numbers of ``category``.
    public private(set) var declared: DeclaredValues

    /// Tables from their parts, as read from a file.
    init(value: [Float], category: [Int32], meanAmountMinor: Float, medianPriceMicros: Float, declared: DeclaredValues = DeclaredValues()) {
        precondition(value.count == category.count, "\(value.count) values and \(category.count) categories")
        self.value = value
        self.category = category
        self.meanAmountMinor = max(meanAmountMinor, 1)
        self.medianPriceMicros = max(medianPriceMicros, 0)
        self.declared = declared
    }

    /// Makes tables.
    ///
    /// - Parameters:
    ///   - sums: what the orders of each item were worth in all, in minor units; orders: how many there were.
    ///   - categories: of each item; prices: its list price in millionths.
    public init(sums: [Double], orders: [Int], categories: [[String]], prices: [Int64?]) {
        let count = sums.count
        precondition(orders.count == count && categories.count == count && prices.count == count, "columns of the tables differ in length")
        let category = Self.narrowest(categories)
        let groups = Int((category.max() ?? -1) + 1)
        var groupSums = [Double](repeating: 0, count: groups), groupOrders = groupSums
        for row in 0..<count where category[row] >= 0 {
            groupSums[Int(category[row])] += sums[row]
            groupOrders[Int(category[row])] += Double(orders[row])
        }
        let total = orders.reduce(0, +), prior = Self.priorOrders
        let mean = max(total > 0 ? sums.reduce(0, +) / Double(total) : 1, 1)
        let value = (0..<count).map { row in
            let group = Int(category[row])
            let expected = group < 0 ? mean : (groupSums[group] + prior * mean) / (groupOrders[group] + prior)
            return Float(log(max((sums[row] + prior * expected) / (Double(orders[row]) + prior), mean / 1_000) / mean))
        }
        let known = prices.compactMap { $0 }.filter { $0 > 0 }.sorted()
        self.init(
            value: value, category: category, meanAmountMinor: Float(mean),
            medianPriceMicros: known.isEmpty ? 0 : Float(known[known.count / 2]))
    }

    /// The same tables with what is declared of users.
    ///
    /// - Parameters:
    ///   - tokens: `name=value` of each user; user: the rows that a user took, and what was paid in how many orders.
    public func declaring(_ tokens: [[String]], user: (Int) -> (rows: [Int32], paid: Double, orders: Int)) -> HeadTables {
        var tables = self
        tables.declared = DeclaredValues(tokens: tokens) { place in
            let done = user(place)
            var counts: [Int32: Int] = [:]
            for row in done.rows { counts[category[Int(row)], default: 0] += 1 }
            return DeclaredValues.Part(categories: counts, paid: done.paid, orders: done.orders)
        }
        return tables
    }

    /// Items that the tables have rows for.
    public var itemCount: Int { value.count }

    /// The same tables under other row numbers: `rows[old]` is the new row, below `itemCount`, or −1 for an item that is gone.
    public func renumbered(_ rows: [Int32], itemCount: Int) -> HeadTables {
        precondition(rows.count == self.itemCount, "\(rows.count) new rows for \(self.itemCount) items")
        var value = [Float](repeating: 0, count: itemCount), category = [Int32](repeating: -1, count: itemCount)
        for (old, row) in rows.enumerated() where row >= 0 {
            value[Int(row)] = self.value[old]
            category[Int(row)] = self.category[old]
        }
        return HeadTables(
            value: value, category: category, meanAmountMinor: meanAmountMinor, medianPriceMicros: medianPriceMicros, declared: declared)
    }

    /// ``HeadFeature/price`` of a list price.
    func price(_ micros: Int64?) -> Float {
        guard let micros, micros > 0, medianPriceMicros > 0 else { return 0 }
        return log(Float(micros) / medianPriceMicros)
    }

    /// Of each item's categories the one with the fewest items, numbered in the order of rows.
    private static func narrowest(_ categories: [[String]]) -> [Int32] {
        var counts: [String: Int] = [:]
        for names in categories { for name in names { counts[name, default: 0] += 1 } }
        var numbers: [String: Int32] = [:]
        return categories.map { names in
            guard let name = names.min(by: { (counts[$0] ?? 0, $0) < (counts[$1] ?? 0, $1) }) else { return -1 }
            let number = numbers[name] ?? Int32(numbers.count)
            numbers[name] = number
            return number
        }
    }
}

/// What a history says to the heads, once a user.
public struct HeadUser: Sendable {
    /// Features that the blend has too.
    private static let shared: [(HeadFeature, RankingFeature)] = [
        (.popularity, .popularity), (.recentPopularity, .recentPopularity), (.transition, .transition), (.own, .own),
        (.ownCount, .ownCount), (.ownRepeatRate, .ownRepeatRate), (.ownAge, .ownAge),
    ]

    /// An order of the user's that stands for ``HeadFeature/value`` beside their own.
    private static let priorOrders: Float = 1

    let signals: UserSignals
    let vectors: HeadVectors?
    let value: Float
    /// What the user paid for an item, over the mean order value, and in how many orders.
    let paid: [Int32: (sum: Float, orders: Float)]
    let categories: [Int32: Float]
    /// Places in ``HeadTables/declared``, and the sum of their spending.
    let declared: [Int]
    let declaredSpending: Float

    /// Reads a history that the blend's signals were read from.
    ///
    /// - Parameters:
    ///   - purchases: rows of the history that were bought, with what was paid in minor units of the tables' currency.
    ///   - vectors: nil where the towers say nothing of the user.
    ///   - declared: `name=value` of the user and of the request.
    public init(
        _ signals: UserSignals, purchases: [(row: Int32, amountMinor: UInt32)], vectors: HeadVectors?, declared tokens: [String] = [],
        tables: HeadTables
    ) {
        self.signals = signals
        self.vectors = vectors
        var paid: [Int32: (sum: Float, orders: Float)] = [:]
        for purchase in purchases where purchase.amountMinor > 0 {
            let known = paid[purchase.row] ?? (0, 0)
            paid[purchase.row] = (known.sum + Float(purchase.amountMinor) / tables.meanAmountMinor, known.orders + 1)
        }
        self.paid = paid
        var sum: Float = 0, known: Float = 0
        var categories: [Int32: Float] = [:]
        for row in signals.history where Int(row) < tables.itemCount {
            sum += tables.value[Int(row)]
            known += 1
            if tables.category[Int(row)] >= 0 { categories[tables.category[Int(row)], default: 0] += 1 }
        }
        value = known > 0 ? sum / known : 0
        self.categories = categories
        declared = tables.declared.places(of: tokens)
        declaredSpending = declared.reduce(0) { $0 + tables.declared.spending[$1] }
    }

    /// Writes the features of a row.
    ///
    /// - Parameters:
    ///   - interest, tower: see ``HeadFeature``; vector: the item's, nil where it has none; priceMicros: the list price.
    ///   - features: ``HeadFeature/count`` floats, all of which are written.
    public func write(
        featuresOf row: Int32, interest: Float, tower: Float, vector: UnsafePointer<Float>?, priceMicros: Int64?, ranking: RankingTables,
        tables: HeadTables, into features: UnsafeMutableBufferPointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: RankingFeature.count) { signal in
            signals.write(featuresOf: row, tower: tower, trend: 0, tables: ranking, into: signal)
            for (own, other) in Self.shared { features[own.rawValue] = signal[other.rawValue] }
        }
        let isKnown = Int(row) < tables.itemCount
        let worth = isKnown ? tables.value[Int(row)] : 0, category = isKnown ? tables.category[Int(row)] : -1
        features[HeadFeature.interest.rawValue] = interest
        features[HeadFeature.tower.rawValue] = tower
        features[HeadFeature.returning.rawValue] = signals.returning
        features[HeadFeature.value.rawValue] = worth
        features[HeadFeature.price.rawValue] = tables.price(priceMicros)
        features[HeadFeature.userValue.rawValue] = value
        features[HeadFeature.ownValue.rawValue] =
            paid[row].map { log(($0.sum + Self.priorOrders * exp(worth)) / ($0.orders + Self.priorOrders)) } ?? worth
        features[HeadFeature.valueMatch.rawValue] = worth * value
        features[HeadFeature.categoryCount.rawValue] = categories[category].map { log(1 + $0) } ?? 0
        features[HeadFeature.declaredLift.rawValue] = category < 0 ? 0 : tables.declared.lift(of: category, places: declared)
        features[HeadFeature.declaredSpending.rawValue] = declaredSpending
        features[HeadFeature.declaredMatch.rawValue] = worth * declaredSpending
        if let vectors {
            vectors.write(featuresOf: vector, into: features)
        } else {
            for feature in [HeadFeature.userLength, .itemLength, .lengthProduct, .newestLikeness] { features[feature.rawValue] = 0 }
        }
    }
}

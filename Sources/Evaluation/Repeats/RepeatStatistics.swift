/// Whether people take things again: what `rules.exclude: auto` and a choice of settings go by.
///
/// The newest part of a log is held against what came before: of what users who were known by then did, how much had they done before?
/// The newest tenth is taken or, where that holds little, as much as is needed up to the newest half; where all happened at one time, the
/// last interaction of each user.
public struct RepeatStatistics: Sendable, Equatable {
    /// How many of some distinct (user, item) pairs the user had before.
    public struct Share: Sendable, Equatable {
        /// Pairs that were there before.
        public var repeats: Int
        /// All of them.
        public var pairs: Int

        /// Counts.
        public init(repeats: Int = 0, pairs: Int = 0) {
            self.repeats = repeats
            self.pairs = pairs
        }

        /// From 0 to 1; 0 where there are no pairs.
        public var value: Double { pairs > 0 ? Double(repeats) / Double(pairs) : 0 }

        /// The ends of the 95 % interval (Wilson 1927, equation 4); 0 and 1 where there are no pairs.
        public var interval: ClosedRange<Double> {
            guard pairs > 0 else { return 0...1 }
            let n = Double(pairs), z = 1.96, p = value
            let middle = (p + z * z / (2 * n)) / (1 + z * z / n)
            let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
            return max(0, middle - half)...min(1, middle + half)
        }
    }

    /// What was bought of one category before a border, by users who bought something in the time behind it; over all borders.
    public struct Category: Sendable, Equatable {
        /// Its number.
        public var category: Int
        /// (user, item) pairs that were bought before.
        public var pairs: Int
        /// Those that were bought again in it.
        public var again: Int
        /// The share bought again, drawn to the mean of all categories as if 50 pairs had it.
        public var rate: Double
        /// The upper end of its 95 % interval.
        public var upper: Double
    }

    /// What weighs a category's own pairs against those of all.
    static let priorPairs = 50.0
    /// Pairs that the newest part should hold.
    static let wantedPairs = 1_000
    /// Borders at which categories are counted, and the newest share of the log that they may take.
    static let categoryBorders = 4, oldestBorder = 0.8
    /// Shares of the log that are tried as its newest part.
    static let parts = [0.1, 0.2, 0.3, 0.4, 0.5]

    /// The share of the log that the newest part is; nil for the last interaction of each user.
    public internal(set) var part: Double?
    /// Pairs of the newest part, and those that the user had met before in any way.
    public internal(set) var met = Share()
    /// Of users who had clicked or carted anything before: pairs of the newest part, and those that had been clicked or carted.
    public internal(set) var clicked = Share()
    /// Of users who had bought anything before: pairs bought in the newest part, and those that had been bought before.
    public internal(set) var bought = Share()
    /// How often something that a user had met was clicked or carted again, over all of the log; as repeats those within an hour:
    /// somebody returns to a page.
    public internal(set) var returns = Share()
    /// Every category of which something was bought before, in the order of their numbers.
    public internal(set) var categories: [Category] = []
    /// Of the 6th to 10th most popular items that a buyer had not had, the share bought behind the border: what a place at the end of a
    /// list is worth that a simple list fills with something else.
    public internal(set) var discoveryPrecision = 0.0

    /// Nothing counted.
    public init() {}

    /// Categories of which what was had is surely bought less often than what a popular discovery is, so that its place is worth more.
    public var categoriesNotRepeated: [Int] { categories.filter { $0.upper < discoveryPrecision }.map(\.category) }
}

/// The interactions that repeats are counted in.
public struct RepeatEvents {
    /// The rows of each user, oldest first.
    public var users: [Range<Int>]
    /// Items and categories are below these.
    public var itemCount: Int, categoryCount: Int
    /// The item of a row.
    public var item: (_ row: Int) -> Int
    /// Whether it was bought there; else it was clicked or put into a cart.
    public var isPurchase: (_ row: Int) -> Bool
    /// When, in milliseconds since 1970.
    public var time: (_ row: Int) -> Int64
    /// The finest category of an item; negative where it has none.
    public var category: (_ item: Int) -> Int

    /// All of it.
    public init(
        users: [Range<Int>], itemCount: Int, categoryCount: Int, item: @escaping (Int) -> Int, isPurchase: @escaping (Int) -> Bool,
        time: @escaping (Int) -> Int64, category: @escaping (Int) -> Int
    ) {
        self.users = users
        self.itemCount = itemCount
        self.categoryCount = categoryCount
        self.item = item
        self.isPurchase = isPurchase
        self.time = time
        self.category = category
    }

    /// The time up to which all but the newest share of the rows lie; nil without rows.
    func border(newest share: Double) -> Int64? {
        NewestPart.border(newest: share, of: users.lazy.joined().map(time), count: users.reduce(0) { $0 + $1.count })
    }

    /// Of a user's rows the first that is later than a time.
    func first(of rows: Range<Int>, after border: Int64) -> Int {
        var (low, high) = (rows.lowerBound, rows.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if time(middle) > border { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

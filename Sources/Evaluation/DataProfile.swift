/// What interactions look like, in counts that fit on a page: one snapshot's profile is what the next one is compared with.
public struct DataProfile: Sendable, Equatable, Codable {
    /// Groups into which items and attribute values are hashed.
    public static let groupCount = 64
    /// Powers of two of interactions.
    public static let sizeCount = 24

    /// Interactions counted.
    public var events = 0
    /// Users with an interaction.
    public var users = 0
    /// Items with interactions.
    public var items = 0
    /// Milliseconds since 1970; 0 without any.
    public var oldest: Int64 = 0
    /// The time of the newest interaction, in milliseconds since 1970.
    public var newest: Int64 = 0
    /// Interactions by type: click, add to cart, purchase.
    public var types = [Double](repeating: 0, count: 3)
    /// By hour of the day, in UTC.
    public var hours = [Double](repeating: 0, count: 24)
    /// By hash of the item: moves when other things are popular.
    public var itemGroups = [Double](repeating: 0, count: groupCount)
    /// By hash of the users' attribute values, once an interaction.
    public var attributeGroups = [Double](repeating: 0, count: groupCount)
    /// Users by the power of two of their interactions.
    public var userSizes = [Double](repeating: 0, count: sizeCount)
    /// Items by the power of two of their interactions.
    public var itemSizes = [Double](repeating: 0, count: sizeCount)
    /// Interactions of the item that has most of them.
    public var largestItem = 0
    /// Interactions that repeat item, type and time of the same user's former one.
    public var repeated = 0
    /// Interactions with items of which nothing is known.
    public var withoutContent = 0
    /// Interactions of users of whom no attribute is known.
    public var withoutAttributes = 0

    /// Nothing counted.
    public init() {}

    /// The place of a number of interactions among ``userSizes`` and ``itemSizes``.
    public static func size(of count: Int) -> Int {
        min(sizeCount - 1, Int.bitWidth - 1 - max(1, count).leadingZeroBitCount)
    }

    /// The part of its events that a count stands for.
    public func share(_ count: Int) -> Double { events > 0 ? Double(count) / Double(events) : 0 }
}

extension DataProfile {
    /// What a profile needs to know of an item.
    public struct Item: Sendable {
        /// A group from 0 to ``DataProfile/groupCount``, the same for the same id in every profile.
        public var group: Int
        /// Whether anything but the id is known.
        public var hasContent: Bool

        /// Makes an item.
        public init(group: Int, hasContent: Bool) {
            self.group = group
            self.hasContent = hasContent
        }
    }

    /// Counts a profile, user by user. Memory grows with items.
    public struct Counter {
        private let items: [Item]
        private var counts: [Int]
        private var counted = DataProfile()

        /// Nothing counted yet; `items` by row.
        public init(items: [Item]) {
            self.items = items
            counts = [Int](repeating: 0, count: items.count)
            counted.oldest = .max
            counted.newest = .min
        }

        /// Adds a user's interactions, oldest first, side by side; a user without any is not counted.
        ///
        /// - Parameters:
        ///   - attributeGroups: the group of each attribute value, as for items.
        ///   - types: 1 click, 2 add to cart, 3 purchase. - times: milliseconds since 1970.
        public mutating func add(
            attributeGroups: [Int], items rows: some RandomAccessCollection<Int32>, types: some RandomAccessCollection<UInt8>,
            times: some RandomAccessCollection<Int64>
        ) {
            guard let first = times.first, let last = times.last else { return }
            precondition(
                rows.count == times.count && types.count == times.count, "\(rows.count) items, \(types.count) types, \(times.count) times")
            counted.users += 1
            counted.events += times.count
            counted.userSizes[DataProfile.size(of: times.count)] += 1
            counted.oldest = min(counted.oldest, first)
            counted.newest = max(counted.newest, last)
            if attributeGroups.isEmpty { counted.withoutAttributes += times.count }
            for group in attributeGroups { counted.attributeGroups[group] += Double(times.count) }
            var former: (item: Int32, type: UInt8, time: Int64)?
            for ((item, type), time) in zip(zip(rows, types), times) {
                let own = items[Int(item)]
                counts[Int(item)] += 1
                counted.types[Int(type) - 1] += 1
                let hour = Int(time / 3_600_000 % 24)
                counted.hours[hour < 0 ? hour + 24 : hour] += 1
                counted.itemGroups[own.group] += 1
                if !own.hasContent { counted.withoutContent += 1 }
                if let former, former == (item, type, time) { counted.repeated += 1 }
                former = (item, type, time)
            }
        }

        /// What was counted.
        public var profile: DataProfile {
            var profile = counted
            if profile.users == 0 { (profile.oldest, profile.newest) = (0, 0) }
            for count in counts where count > 0 {
                profile.items += 1
                profile.itemSizes[DataProfile.size(of: count)] += 1
                profile.largestItem = max(profile.largestItem, count)
            }
            return profile
        }
    }
}

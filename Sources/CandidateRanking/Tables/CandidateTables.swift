#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Everything that was counted for the signals of candidates, at one moment.
public struct CandidateTables: Sendable, Equatable {
    /// How tables are counted.
    public struct Rules: Sendable, Equatable {
        /// Days within which an answer is looked for, and so the time within which somebody who comes back takes something again.
        public var horizonDays: Float
        /// Bounds of what goes with what.
        public var links: LinkTables.Bounds
        /// Whether times say more than an order: made-up times do not, and then nothing that is read of them counts.
        public var usesTimes: Bool

        /// Makes rules.
        public init(horizonDays: Float = 28, links: LinkTables.Bounds = LinkTables.Bounds(), usesTimes: Bool = true) {
            self.horizonDays = min(max(horizonDays, 0.25), 365)
            self.links = links
            self.usesTimes = usesTimes
        }
    }

    /// Items of each list of popular ones that are kept: of these the first that a request may show are taken.
    static let popularKept = 2_000
    /// Such lists: of 28 days, 7 days and all time, and of what rises.
    static let popularLists = 4

    /// The moment, in milliseconds since 1970.
    public let end: Int64
    /// Whether times count.
    public let usesTimes: Bool
    let items: ItemCounts
    /// From fine to coarse.
    let groups: [ItemGroups]
    let links: LinkTables
    let tokens: ItemTokens
    /// The most popular of 28 days, 7 days, all time, and those that rise, best first.
    let popular: [[Int32]]

    /// Items that there are.
    public var itemCount: Int { items.itemCount }

    init(
        end: Int64, usesTimes: Bool, items: ItemCounts, groups: [ItemGroups], links: LinkTables, tokens: ItemTokens, popular: [[Int32]]
    ) {
        (self.end, self.usesTimes, self.items) = (end, usesTimes, items)
        (self.groups, self.links, self.tokens, self.popular) = (groups, links, tokens, popular)
    }

    /// Counts.
    ///
    /// - Parameters:
    ///   - end: the moment that the tables are of; nil for that of the newest interaction.
    ///   - levels: of each level, from fine to coarse, the group of each item, −1 for none, and how many there are.
    ///   - tokens: what the items' records say; nil for nothing.
    public init(
        _ events: CountedEvents, end: Int64? = nil, levels: [(group: [Int32], count: Int)] = [], tokens: ItemTokens? = nil,
        rules: Rules = Rules()
    ) {
        let end = end ?? events.newest
        let items = ItemCounts(events, end: end, levels: levels, horizonDays: rules.horizonDays)
        self.end = end
        usesTimes = rules.usesTimes
        self.items = items
        groups = levels.map { level in
            ItemGroups(
                level.group, groupCount: level.count, events: events, end: end, popularity: items.columns[ItemCounts.Column.users.rawValue],
                recent: items.columns[ItemCounts.Column.users112.rawValue], horizonDays: rules.horizonDays)
        }
        links = LinkTables(events, bounds: rules.links)
        let none = ItemTokens([[String]](repeating: [], count: events.itemCount))
        self.tokens = tokens ?? none
        popular = Self.popular(items)
    }

    private static func popular(_ items: ItemCounts) -> [[Int32]] {
        func users(_ column: ItemCounts.Column) -> (Int) -> Float { { items[column, Int32($0)] + 1e-4 * items[.users, Int32($0)] } }
        return [users(.users28), users(.users7), users(.users), { items[.rise, Int32($0)] + log(1 + items[.users28, Int32($0)]) }]
            .map { items.best(popularKept, by: $0) }
    }

    /// The same tables under other row numbers: items that are new have no counts.
    ///
    /// - Parameter rows: the new row of each item, below 0 where it is gone.
    public func renumbered(_ rows: [Int32], itemCount: Int) -> CandidateTables {
        CandidateTables(
            end: end, usesTimes: usesTimes, items: items.renumbered(rows, itemCount: itemCount),
            groups: groups.map { $0.renumbered(rows, itemCount: itemCount) }, links: links.renumbered(rows, itemCount: itemCount),
            tokens: tokens.renumbered(rows, itemCount: itemCount),
            popular: popular.map { list in list.compactMap { rows[Int($0)] >= 0 ? rows[Int($0)] : nil } })
    }
}

import Features
import Interactions

/// An item with its decayed counts at a time.
public struct TrendingCount: Sendable, Equatable {
    /// The item's id.
    public var itemID: String
    /// At the time that was asked for; 0 where that is too small for a double.
    public var clicks: Double
    /// At the time that was asked for; 0 where that is too small for a double.
    public var purchases: Double
    /// What the items are ordered by, above 0 and falling: both together, a purchase as so many clicks as was asked for; of items with
    /// which hardly anything was done of late a share of the least of those, by all that was done in the last weeks or ever.
    public var score: ScaledValue
}

/// What was done with items in the last weeks before the newest interaction.
public struct RecentCounts: Sendable, Equatable {
    /// The items of which most was done.
    public var itemIDs: [String]
    /// Of each clicks and carts, and purchases as so many clicks as was asked for, in thousandths.
    public var thousandths: [Int64]
    /// The time of the newest interaction; nil where there is none.
    public var newest: EventTime?

    /// How far back is looked.
    public static let days = 28
    /// Newest interactions that are looked at.
    static let eventsLimit = 1_000_000
    /// Items that come back at most.
    static let itemsLimit = 10_000

    /// Nothing was done.
    public init() { (itemIDs, thousandths) = ([], []) }

    /// Whether hardly anything is left of decayed counts at a time, of a half-life: then what is of late is a matter of chance.
    public func isStale(at time: EventTime, halfLifeMilliseconds: Int64) -> Bool {
        guard let newest else { return false }
        return Double(time.milliseconds - newest.milliseconds) > -StoreQueries.leastOfLate * Double(halfLifeMilliseconds)
    }
}

extension StoreQueries {
    /// The items that are popular, best first, of those that may be recommended: hidden and deleted items, and ids that no record names,
    /// take no place, nor does what is sold out or out of its time. What was done with members of groups counts all the same, for the
    /// group. Reads every counter.
    ///
    /// The list does not run dry. It begins with what is popular of late, by decayed counts as they were when the newest event came.
    /// Behind follow items of which less is left than a hundredth of a click (one click 6.6 half-lives before): by what was done in the
    /// last four weeks, then by all that was ever done. Among those the decayed order would be that of the day of the last event.
    ///
    /// - Parameters:
    ///   - time: when the counts are taken. Events after it count for more than one. The order does not depend on it.
    ///   - purchaseWeight: what a purchase is worth in clicks.
    ///   - recent: as ``recentCounts(purchaseWeight:)`` gave it some time ago; nil reads it.
    ///   - isStale: whether nothing is of late, as after an import of old history; see ``RecentCounts/isStale(at:halfLifeMilliseconds:)``.
    public func trending(
        at time: EventTime, limit: Int, purchaseWeight: Double = TrendingScore.purchaseWeight, recent: RecentCounts? = nil,
        isStale: Bool = false
    ) throws(StoreError) -> [TrendingCount] {
        let recent = if let recent { recent } else { try recentCounts(purchaseWeight: purchaseWeight) }
        return try pool.reading { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(Int32(clamping: max(0, limit)))
            parameters.add(Int64(purchaseWeight * 1_000))
            parameters.add(rules.decayPeriodMilliseconds)
            parameters.add(rules.decayHalfLifeMilliseconds)
            parameters.add(recent.itemIDs)
            parameters.add(recent.thousandths)
            parameters.add(isStale)
            parameters.add(time.milliseconds)
            let rows = try connection.run(Self.trendingStatement, parameters)
            var least = ScaledValue(1), last = least, part = 0, most = 0.0
            return (0..<rows.count).map { row in
                func count(_ column: Int) -> ScaledValue {
                    DecayedCount(
                        landmark: rows.int64(row, column) ?? 0, newest: rows.int64(row, column + 1) ?? 0,
                        previous: rows.int64(row, column + 2) ?? 0
                    ).scaledValue(at: time, rules: rules)
                }
                let (clicks, purchases) = (count(1), count(4)), own = Int(rows.int64(row, 7) ?? 0)
                let done = max(1, Double(rows.int64(row, 8) ?? 0))
                var score = TrendingScore.score(clicks: clicks, purchases: purchases, purchaseWeight: purchaseWeight)
                if own > 0 {
                    if own != part { (part, most, least) = (own, done, last) }
                    // The first of a part is half of the last of the one before; equal ones keep the order that they came in.
                    score = least.times(0.5 * done / most * (1 - 1e-12 * Double(row)))
                }
                last = score
                return TrendingCount(itemID: rows.string(row, 0) ?? "", clicks: clicks.double, purchases: purchases.double, score: score)
            }
        }
    }

    /// What was done in the last weeks before the newest interaction, of items that may be recommended. Reads up to a million
    /// interactions: for now and then.
    public func recentCounts(purchaseWeight: Double = TrendingScore.purchaseWeight) throws(StoreError) -> RecentCounts {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(Int64(purchaseWeight * 1_000))
            let kept = try NetPurchases(connection).kept("interactions") + OpenErasures.visible("interactions", connection)
            let rows = try connection.run(Self.recentStatement(kept), parameters)
            var found = RecentCounts()
            for row in 0..<rows.count {
                found.newest = rows.time(row, 2)
                guard let id = rows.string(row, 0) else { continue }
                found.itemIDs.append(id)
                found.thousandths.append(rows.int64(row, 1) ?? 0)
            }
            return found
        }
    }

    /// Whether nothing is of late; see ``RecentCounts/isStale(at:halfLifeMilliseconds:)``.
    public func isStale(_ recent: RecentCounts, at time: EventTime) -> Bool {
        recent.isStale(at: time, halfLifeMilliseconds: rules.decayHalfLifeMilliseconds)
    }

    private static func recentStatement(_ kept: String) -> String {
        """
        with newest as (
            select event_time from interactions where type > 0\(kept) order by event_time desc limit 1
        ), looked as (
            select item_id, type from interactions
            where type > 0 and event_time > (select event_time from newest) - interval '\(RecentCounts.days) days'\(kept)
            order by event_time desc limit \(RecentCounts.eventsLimit)
        ), counted as (
            select item_id, least(sum(case when type = 3 then $1::int8 else 1000 end), 4e15)::int8 as done from looked
            where exists (select 1 from items i where i.item_id = looked.item_id and \(Offers.counted("i")))
            group by item_id order by done desc, item_id collate "C" limit \(RecentCounts.itemsLimit)
        )
        select counted.item_id, counted.done, newest.event_time from newest left join counted on true
        """
    }

    /// The logarithm to base 2 of a hundredth of a click.
    static let leastOfLate = -6.643856
    /// All sums decay alike. A landmark is 16 half-lives, a factor of 2^16, and any number of landmarks may lie between two items, so they
    /// are compared by logarithms: the newer landmark of an item's two counts, and what both are relative to it. Of the older count
    /// nothing is left in a double 60 landmarks on. An event at its landmark weighs 2^20.
    private static let trendingStatement = """
        with newest as (
            select max(greatest(click_landmark, purchase_landmark)) as landmark, extract(epoch from max(last_time))::float8 * 1000 as time
            from item_features
        ), recent as (
            select * from unnest($5::text[], $6::int8[]) as told (item_id, done)
        ), counted as (
            select f.item_id, f.click_landmark, f.click_newest, f.click_previous,
                f.purchase_landmark, f.purchase_newest, f.purchase_previous, recent.done as recent,
                least(1000 * (f.clicks::float8 + f.add_to_carts::float8) + $2::float8 * f.purchases::float8, 4e15)::int8 as ever,
                16 * (own.landmark - newest.landmark)::float8 + ln(greatest(1e-300,
                    (f.click_newest::float8 + f.click_previous::float8 / 65536)
                        * power(2::float8, -16 * least(60, own.landmark - f.click_landmark)::float8)
                    + $2::float8 / 1000 * (f.purchase_newest::float8 + f.purchase_previous::float8 / 65536)
                        * power(2::float8, -16 * least(60, own.landmark - f.purchase_landmark)::float8))) / ln(2::float8) as late,
                \(DecayedCount.weightBits) + (newest.time - newest.landmark::float8 * $3::int8::float8) / $4::int8::float8 as halvings
            from item_features f join items i on i.item_id = f.item_id cross join newest
                left join recent on recent.item_id = f.item_id collate "C"
                cross join lateral (select greatest(f.click_landmark, f.purchase_landmark) as landmark) own
            where \(Offers.counted("i", at: "$8::int8")) and (f.clicks > 0 or f.purchases > 0 or f.add_to_carts > 0)
        ), told as (
            select *, case when not $7::bool and late - halvings >= \(leastOfLate) then 0 when recent > 0 then 1 else 2 end as part
            from counted
        )
        select item_id, click_landmark, click_newest, click_previous, purchase_landmark, purchase_newest, purchase_previous, part::int8,
            case when part = 1 then recent else ever end
        from told
        order by part, case when part = 0 then late when part = 1 then recent else ever end desc, ever desc, late desc, item_id
        limit $1
        """
}

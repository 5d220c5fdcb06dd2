import Features
import Interactions

/// What is counted of the newest interactions by what is known of the people behind them.
public struct SegmentRules: Sendable, Equatable {
    /// Newest interactions that are looked at.
    public var eventsLimit: Int
    /// Attributes and fields of the context that make segments; with none of them named, all do.
    public var names: [String]
    /// Age, against the newest interaction, at which one counts half.
    public var halfLifeHours: Double
    /// A segment of fewer different users is left out: it would say what one person does.
    public var minimumUsers: Int
    /// What a purchase is worth in clicks.
    public var purchaseWeight: Double

    /// Segments that come back at most: those with most interactions.
    public static let segmentsLimit = 512
    /// Items of one segment that come back at most.
    public static let itemsLimit = 1_000
    /// To find as many interactions with known items as are counted, so many times as many are looked at.
    static let lookedAtTimes = 10
    /// A longer value makes no segment.
    public static let valueLimitCharacters = 64

    /// Makes rules.
    public init(
        eventsLimit: Int = 100_000, names: [String] = [], halfLifeHours: Double = 168, minimumUsers: Int = 10,
        purchaseWeight: Double = TrendingScore.purchaseWeight
    ) {
        self.eventsLimit = eventsLimit
        self.names = names
        self.halfLifeHours = halfLifeHours
        self.minimumUsers = minimumUsers
        self.purchaseWeight = purchaseWeight
    }
}

/// Decayed interactions with an item in a segment of the users.
public struct SegmentEvents: Sendable, Equatable {
    /// `name=value`; the empty text stands for everybody.
    public var segment: String
    /// The item's id.
    public var itemID: String
    /// Each weighs less the older it is.
    public var events: Double
}

extension StoreQueries {
    /// Counts the newest interactions by segment: by the attributes of the user and by the context of the event. Hidden items
    /// are counted too, since what people like does not depend on them, but they take no place from those that may be shown; ids that
    /// no record names are passed over before anything is cut.
    ///
    /// Memory: at most ``SegmentRules/segmentsLimit`` × ``SegmentRules/itemsLimit`` counts.
    /// - Complexity: O(eventsLimit × attributes), read by the index of times.
    public func segmentEvents(_ rules: SegmentRules) throws(StoreError) -> [SegmentEvents] {
        guard rules.eventsLimit > 0 else { return [] }
        return try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(Int64(rules.eventsLimit))
            parameters.add(rules.names)
            parameters.add(Int64(max(1, rules.halfLifeHours * 3_600_000)))
            parameters.add(Int64(rules.minimumUsers))
            parameters.add(Int64(rules.purchaseWeight * 1_000))
            let kept = try NetPurchases(connection).kept("interactions") + OpenErasures.visible("interactions", connection)
                + Wishes.visible("interactions", connection)
            let rows = try connection.run(Self.segmentStatement(kept), parameters)
            return (0..<rows.count).map { row in
                SegmentEvents(
                    segment: rows.string(row, 0) ?? "", itemID: rows.string(row, 1) ?? "",
                    events: Double(rows.int64(row, 2) ?? 0) / 1_000)
            }
        }
    }

    /// A user's attribute and the same word in the context count once. Weights come as thousandths in whole numbers.
    private static func segmentStatement(_ kept: String) -> String {
        """
        with newest as materialized (
            select e.* from (
                select event_id, event_time, user_id, item_id, type, context
                from interactions where type > 0\(kept) order by event_time desc limit \(SegmentRules.lookedAtTimes) * $1::int8
            ) e where exists (select 1 from items i where i.item_id = e.item_id and not i.deleted) limit $1::int8
        ), clock as (
            select max(event_time) as now from newest
        ), weighed as materialized (
            select event_id, event_time, user_id, item_id, context,
                case when type = 3 then $5::int8::float8 / 1000 else 1 end
                    * power(2::float8, greatest(-60, extract(epoch from event_time - clock.now)::float8 * 1000 / $3::int8::float8))
                    as weight
            from newest cross join clock
        ), told as (
            select event_time, event_id, user_id, item_id, weight, field.key || '=' || field.value as segment
            from weighed cross join lateral json_each_text(case when json_typeof(context) = 'object' then context end) field
            where (cardinality($2::text[]) = 0 or field.key = any($2::text[]))
                and length(field.value) <= \(SegmentRules.valueLimitCharacters) and left(field.value, 1) not in ('[', '{')
            union
            select event_time, event_id, w.user_id, item_id, weight, field.key || '=' || field.value
            from weighed w join users u on u.user_id = w.user_id
                cross join lateral jsonb_each_text(case when jsonb_typeof(u.attributes) = 'object' then u.attributes end) field
            where (cardinality($2::text[]) = 0 or field.key = any($2::text[]))
                and length(field.value) <= \(SegmentRules.valueLimitCharacters) and left(field.value, 1) not in ('[', '{')
        ), kept as (
            select segment from told group by segment having count(distinct user_id) >= $4::int8
            order by sum(weight) desc, segment collate "C" limit \(SegmentRules.segmentsLimit)
        ), counted as (
            select segment, item_id, sum(weight) as weight from told join kept using (segment) group by segment, item_id
            union all
            select '', item_id, sum(weight) from weighed group by item_id
        ), ranked as (
            select counted.*,
                row_number() over (partition by segment order by not \(Offers.counted("i")), weight desc, item_id collate "C") as place
            from counted join items i using (item_id)
        )
        select segment, item_id, least(weight * 1000, 9e18)::int8 from ranked
        where (place <= \(SegmentRules.itemsLimit) or segment = '') and weight * 1000 >= 1
        """
    }
}

import Interactions

/// What the time of a record counts for where records of one id are ordered: the newer wins, but no clock that runs ahead wins
/// for ever.
///
/// - A record counts by the time that its sender gives it, else by that of its source, else it is of 1970.
/// - A deletion is taken whatever its clock says: a time ahead is cut to now, and one that no source gives, or that stems from a clock
///   that was never set, is now. It takes what is dated after now with it; only a clock ahead writes such dates.
/// - A stored row that is dated further ahead than ``believedAhead``, which older versions accepted, is not believed: an item counts as
///   of when it was stored, and a record of a user is replaced by any.
///
/// `docs/data.md` says the same to users.
enum RecordTime {
    /// Clocks of senders differ by minutes; a stored row dated further ahead than this is not believed.
    static let believedAhead = "interval '5 minutes'"

    /// The time by which records of one id are ordered.
    static func ofRecord(_ stated: EventTime?, _ origin: RecordOrigin) -> EventTime {
        stated ?? origin.recordTime ?? EventTime(milliseconds: 0)
    }

    /// The time of a deletion; nil is the moment of its commit, up to which it is cut in any case.
    static func ofDeletion(_ stated: EventTime?, _ origin: RecordOrigin) -> EventTime? {
        guard let time = stated ?? origin.recordTime, time >= DecodingRules.defaultEarliestTime else { return nil }
        return time
    }

    /// SQL: whether a record of `time` replaces the stored row `row`.
    ///
    /// - Parameter stored: SQL for when the row was stored, where that is known.
    static func replaces(_ row: String, at time: String, stored: String? = nil) -> String {
        """
        case when \(row).updated_at <= \(time) then true when \(row).updated_at <= now() + \(believedAhead) then false
            else \(stored.map { "\($0) <= \(time)" } ?? "true") end
        """
    }

    /// SQL: whether a deletion of `time`, which is not after now, removes the stored row `row`.
    static func removes(_ row: String, at time: String) -> String {
        "(\(row).updated_at <= \(time) or \(row).updated_at > now())"
    }
}

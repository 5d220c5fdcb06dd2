/// A signal of a candidate for a user, as the network reads it; the raw value is its place. A network of other signals is refused.
///
/// Counts are 0 where there is nothing to count, days 999, intervals and quotients −1.
public enum CandidateSignal: Int, CaseIterable, Sendable {
    // What the user did with the item: lines, days of the calendar, lines that count half after 20, 60 and 180 days, days of the calendar
    // each of which counts 0.8 of the next newer one.
    case ownLines, ownVisits, ownOf20Days, ownOf60Days, ownOf180Days, ownByVisits
    // Days since the last time, rank of its visit from the newest, days between two times, the quotient of the first and the third.
    case ownLastDays, ownLastVisit, ownInterval, ownOverdue
    // Share of the visits that had it; ln of the days since the last time beside the item's own interval; how often it is taken again.
    case ownVisitShare, ownAgainstItem, ownRebuyRate
    // ln of what was paid for it in all, a line, and last, relative to the mean line of all; purchases of it and days since the last.
    case ownWorth, ownLineWorth, ownLastWorth, ownPurchases, ownPurchaseDays
    // Of the item: see `ItemCounts.Column`.
    case users7, users28, users112, users, rise, itemLastDays, itemFirstDays, rebuyRate, takeRate, itemWorth
    // Of the user: visits, days since the last, days between them, the quotient; lines a visit; distinct items; the share of what they had
    // before, of all lines and of the last three visits; the mean worth of a line.
    case visits, lastDays, visitInterval, overdue, basket, distinctItems, repeatShare, lateRepeatShare, worth
    // What goes with what the user had (each also beside the user's best): EASE over all, over what counts half after 60 days, over the
    // newest; what follows within ten steps of the newest 40, of the newest 8; what comes next; neighbours by the same people.
    case ease, easeOf60Days, easeOfNewest, followers, newestFollowers, next, neighbours
    case easeShare, easeOf60DaysShare, easeOfNewestShare, followersShare, newestFollowersShare, nextShare, neighboursShare
    // How like the item's record is to those of what the user met lately, and of the newest two.
    case likeness, newestLikeness
    // Of the item's finest group: the user's lines, those that count half after 120 days, days since the last, how often the group is taken
    // again, ln of the item's share of the group in all and of late, ln of what is to be expected of it, the user's share of it.
    case groupLines, groupOf120Days, groupLastDays, groupRebuyRate, groupShare, groupLateShare, groupExpected, groupOwnShare
    // The same of the next coarser one.
    case upperLines, upperOf120Days, upperLastDays, upperRebuyRate, upperShare, upperLateShare, upperExpected, upperOwnShare

    /// How many there are.
    public static let count = allCases.count

    /// The name in reports and files.
    public var name: String { "\(self)" }

    /// Whether it means nothing where times only tell an order.
    var isOfTimes: Bool {
        switch self {
        case .ownVisits, .ownOf20Days, .ownOf60Days, .ownOf180Days, .ownByVisits, .ownLastDays, .ownLastVisit, .ownInterval, .ownOverdue,
            .ownVisitShare, .ownAgainstItem, .ownPurchaseDays, .users7, .users28, .users112, .rise, .itemLastDays, .itemFirstDays,
            .takeRate, .visits, .lastDays, .visitInterval, .overdue, .basket, .lateRepeatShare, .groupOf120Days, .groupLastDays,
            .groupLateShare, .groupExpected, .upperOf120Days, .upperLastDays, .upperLateShare, .upperExpected: true
        default: false
        }
    }

    static let placesOfTimes = allCases.filter(\.isOfTimes).map(\.rawValue)
}

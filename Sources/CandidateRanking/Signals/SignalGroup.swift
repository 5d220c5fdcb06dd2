/// What kind of knowledge a signal is: what people are told when it put an item where it is.
public enum SignalGroup: Int, CaseIterable, Sendable {
    /// What the user did with the item itself.
    case own
    /// What goes with, follows, or is like other items of the user's history.
    case goesWith
    /// What the user did in the item's groups, such as categories.
    case category
    /// What the towers found of the user's taste.
    case towers
    /// What everybody does with the item.
    case popularity

    /// The name in reports and records.
    public var name: String {
        switch self {
        case .own: "own"
        case .goesWith: "goes_with"
        case .category: "category"
        case .towers: "towers"
        case .popularity: "popularity"
        }
    }
}

extension CandidateSignal {
    /// The kind that it is of; nil for what says nothing of why one item stands above another: the user's own pace, and prices.
    public var group: SignalGroup? {
        switch self {
        case .ownLines, .ownVisits, .ownOf20Days, .ownOf60Days, .ownOf180Days, .ownByVisits, .ownLastDays, .ownLastVisit, .ownInterval,
            .ownOverdue, .ownVisitShare, .ownAgainstItem, .ownRebuyRate, .ownWorth, .ownLineWorth, .ownLastWorth, .ownPurchases,
            .ownPurchaseDays, .groupOwnShare, .upperOwnShare: .own
        case .users7, .users28, .users112, .users, .rise, .itemLastDays, .itemFirstDays, .rebuyRate, .takeRate, .groupShare,
            .groupLateShare, .upperShare, .upperLateShare: .popularity
        case .ease, .easeOf60Days, .easeOfNewest, .followers, .newestFollowers, .next, .neighbours, .easeShare, .easeOf60DaysShare,
            .easeOfNewestShare, .followersShare, .newestFollowersShare, .nextShare, .neighboursShare, .likeness, .newestLikeness: .goesWith
        case .groupLines, .groupOf120Days, .groupLastDays, .groupRebuyRate, .groupExpected, .upperLines, .upperOf120Days, .upperLastDays,
            .upperRebuyRate, .upperExpected: .category
        case .itemWorth, .visits, .lastDays, .visitInterval, .overdue, .basket, .distinctItems, .repeatShare, .lateRepeatShare, .worth: nil
        }
    }
}

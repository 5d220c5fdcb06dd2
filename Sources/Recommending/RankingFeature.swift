/// A signal that the ranking weighs. The raw value is the place of its weight in a blend; a model that was trained with others is refused.
///
/// A new one is computed for a user and an item in ``UserSignals/write(featuresOf:tower:trend:tables:into:)``, by which training and
/// serving go.
public enum RankingFeature: Int, CaseIterable, Sendable {
    /// The inner product of the two towers, a logit.
    case tower
    /// ln of the item's share of all events, relative to an even share.
    case popularity
    /// The same with older events counting less, as of the training.
    case recentPopularity
    /// How popular the item is now, from the trending list: ln(1 + 100 × share of the top score).
    case trend
    /// ln(1 + 100 × score) of the item after the user's newest items: see ``TransitionTable``.
    case transition
    /// 1 where the item is in the user's history.
    case own
    /// ln of how often it is there.
    case ownCount
    /// ``popularity`` where the item is in the history, else 0: what is popular with all says less about what one repeats.
    case ownPopularity
    /// ln of how often the item is repeated by those who had it, relative to the mean; 0 where it is not in the history.
    case ownRepeatRate
    /// ln(1 + days since the user last had it); 0 where it is not in the history.
    case ownAge
    /// ``recentPopularity`` times how long the user was away: see ``UserSignals/returning``.
    case returningRecentPopularity
    /// ``trend`` times the same.
    case returningTrend
    /// ``transition`` times the same: what follows the last item says less after a pause.
    case returningTransition

    /// Whether it is multiplied by ``UserSignals/returning``.
    var isOfPause: Bool {
        switch self {
        case .returningRecentPopularity, .returningTrend, .returningTransition: true
        case .tower, .popularity, .recentPopularity, .trend, .transition, .own, .ownCount, .ownPopularity, .ownRepeatRate, .ownAge: false
        }
    }

    /// Whether it is the same for all users but for the pause and the towers: then a snapshot's `BlendColumn` adds it to every item. Any
    /// other says something of items of the user's history and of what follows them alone, and ``RankingBlend/bonuses(_:)`` adds it.
    var isShared: Bool {
        switch self {
        case .tower, .popularity, .recentPopularity, .trend, .returningRecentPopularity, .returningTrend: true
        case .transition, .own, .ownCount, .ownPopularity, .ownRepeatRate, .ownAge, .returningTransition: false
        }
    }

    /// The places of those that are not ``isShared``.
    static let placesOfUsers = allCases.filter { !$0.isShared }.map(\.rawValue)

    /// The places of those that say what follows the user's newest items.
    static let placesOfTransitions: Set<Int> = [transition.rawValue, returningTransition.rawValue]

    /// How many there are.
    public static var count: Int { allCases.count }

    /// The name in reports and files.
    public var name: String { "\(self)" }
}

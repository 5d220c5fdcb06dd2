/// What a look says yes or no to, by the bounds of the rules.
///
/// Beside a former look each sign stays as it was until its figure is clear of the bound, by a quarter of it: figures that wander about a
/// bound from night to night would choose one tower today and another tomorrow.
public struct AutoSigns: Sendable, Equatable {
    /// One of them. Raw values are what the registry keeps.
    public enum Sign: String, CaseIterable, Sendable {
        /// Enough users and events to choose by.
        case enough
        /// Times only keep an order.
        case madeUpTimes = "made_up_times"
        /// Nobody takes anything twice.
        case neverRepeated = "never_repeated"
        /// People take again what they had.
        case repeated
        /// Most happens at one instant with something else.
        case together
        /// Several things happen in one visit.
        case visits
        /// Pairs that were found again are enough for their ratio to be more than chance.
        case orderKnown = "order_known"
        /// Neighbours follow each other in other histories, too.
        case ordered
        /// They do not.
        case unordered
        /// Histories are long enough for a transformer.
        case longHistories = "long_histories"
        /// Histories are so short that a large model would learn them by heart.
        case shortHistories = "short_histories"
        /// Events are enough for a transformer, and not too many to wait for it.
        case sequenceSized = "sequence_sized"
        /// Most events are purchases.
        case bought
        /// Most items have texts or tags.
        case described
        /// Most of what is new is by users who are new.
        case newcomers
        /// The log spans three months.
        case months
        /// The log spans four months.
        case seasons
    }

    private var held: Set<Sign>

    /// How far a figure must be beyond its bound before a sign changes: by this factor.
    public static let margin = 1.25

    /// Reads a look.
    ///
    /// - Parameter former: the signs that a choice in force went by; nil where there is none.
    public init(_ look: DataLook, former: AutoSigns? = nil) {
        held = Set(Sign.allCases.filter { sign in
            guard let former else { return Self.holds(sign, look) }
            return Self.holds(sign, look, slack: former.held.contains(sign) ? Self.margin : 1 / Self.margin)
        })
    }

    /// Signs that the registry kept; names that this program does not know are left out.
    public init(names: [String]) { held = Set(names.compactMap(Sign.init)) }

    /// The names of those that hold, in the order of ``Sign``.
    public var names: [String] { Sign.allCases.filter(held.contains).map(\.rawValue) }

    func contains(_ sign: Sign) -> Bool { held.contains(sign) }

    /// Whether a sign holds where its bounds are moved by a factor: above 1 it holds more easily.
    static func holds(_ sign: Sign, _ look: DataLook, slack: Double = 1) -> Bool {
        func reaches(_ value: Double, _ bound: Double) -> Bool { value >= bound / slack }
        func reaches(_ value: Int, _ bound: Int) -> Bool { reaches(Double(value), Double(bound)) }
        switch sign {
        case .enough: return reaches(look.users, AutoChoice.leastUsers) && reaches(look.events, AutoChoice.leastEvents)
        case .madeUpTimes:
            // One step between all events, or none: a log whose events all have one time says no more.
            let isOneStep = 1 - look.commonestGap <= 0.25 * slack || 1 - look.tied <= 0.01 * slack
            return look.users >= DataLook.leastUsersOfTimes && isOneStep && reaches(look.commonestEnd, 0.5)
        case .neverRepeated: return reaches(look.askedPairs, AutoChoice.leastPairs) && look.repeats < 0.001 * slack
        case .repeated: return reaches(look.askedPairs, AutoChoice.leastPairs) && reaches(look.repeats, 0.02)
        case .together: return reaches(look.tied, 0.4)
        case .visits: return reaches(look.eventsPerVisit, 5)
        case .orderKnown: return reaches(Double(look.orderPairs) * look.order, 200)
        // A ratio of 1 is no order, so its distance from 1 is what counts.
        case .ordered: return reaches(look.order, 0.1) && reaches((look.orderRatio ?? 1) - 1, 0.2 - 1e-9)
        case .unordered: return (look.orderRatio ?? 2) - 1 < 0.1 * slack
        case .longHistories: return reaches(look.eventsPerUser, 30)
        case .shortHistories: return Double(look.eventsPerUser) <= 10 * slack
        case .sequenceSized:
            return reaches(look.events, AutoChoice.leastSequenceEvents)
                && Double(look.events) <= Double(AutoChoice.sequenceLimitEvents) * slack
        case .bought: return reaches(look.purchases, 0.5)
        case .described: return reaches(max(look.content.texts, look.content.tags), 0.5)
        case .newcomers: return reaches(look.newUsers, 0.5)
        case .months: return reaches(look.spanDays, 90)
        case .seasons: return reaches(look.spanDays, 120)
        }
    }
}

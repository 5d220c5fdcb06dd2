/// All that was found of a model: what the registry keeps of a version, what a report shows, and what the gate reads of the predecessor.
///
/// A record of an earlier version of the program has what that version knew; what is missing, or of another kind, is nil.
public struct EvaluationRecord: Codable, Sendable, Equatable {
    /// How the questions were put, in words.
    public var split: String?
    /// Users that were asked.
    public var users: Int?
    /// The model itself.
    public var model: MetricsRecord?
    /// What all have most.
    public var popularity: MetricsRecord?
    /// What all had most lately.
    public var recentPopularity: MetricsRecord?
    /// Transitions within ten steps.
    public var windowedMarkov: MetricsRecord?
    /// The linear model in closed form.
    public var ease: MetricsRecord?
    /// Neighbours of the user's items.
    public var itemItem: MetricsRecord?
    /// What the user had most.
    public var buyAgain: MetricsRecord?
    /// What was kept out of answers, why, and what that costs.
    public var exclusion: ExclusionRecord?
    /// The model on items that were new in what was held out, beside rivals by content; nil where nobody took any.
    public var newItems: NewItemsRecord?
    /// What was set of the rivals, in words by their names; those with nothing to set are not there.
    public var rivalSettings: [String: String]?
    /// Which counter the version is; nil for a model that learned its order.
    public var counter: CounterRecord?
    /// The version that was in force when this one was judged.
    public var promotedVersion: Int?
    /// What that one answered.
    public var promoted: MetricsRecord?
    /// Of an incremental training: what it went on from.
    public var increment: IncrementRecord?
    /// What the gate decided.
    public var gate: GateRecord?
    /// The ranking blend.
    public var ranking: RankingRecord?
    /// Adapters of domains; nil where none were wanted.
    public var domains: [DomainRecord]?
    /// The ranking heads; nil where there was nothing to learn from.
    public var objectives: ObjectivesRecord?
    /// Places of the tail dial; nil where no blend was tried.
    public var tailCurve: TailCurveRecord?
    /// How many lists an item may be in, and what that cost; nil where it was not bounded.
    public var itemShare: ItemShareRecord?
    /// Shares of repeats, discoveries and new items that were set, and what they cost; nil where none were.
    public var listShares: ListSharesRecord?
    /// The weights of the content channel; nil where there is none.
    public var contentChannel: ContentChannelRecord?
    /// How it adapts to new categories; nil where it does not.
    public var adaptation: AdaptationRecord?
    /// Lines about the data.
    public var data: [DataNote]?
    /// Profiles of the data, to compare the next training's with.
    public var dataProfile: DataRecord?
    /// What was chosen by what the data look like; nil where all was set.
    public var choice: ChoiceRecord?
    /// Epochs by stage.
    public var curves: [LearningCurve]?
    /// Steps of the run.
    public var timings: [StepTiming]?

    private enum CodingKeys: String, CodingKey {
        case split, users, model, popularity
        case recentPopularity = "recent_popularity"
        case windowedMarkov = "windowed_markov"
        case ease
        case itemItem = "item_item"
        case buyAgain = "buy_again"
        case exclusion
        case newItems = "new_items"
        case rivalSettings = "rival_settings"
        case counter
        case promotedVersion = "promoted_version"
        case promoted, increment, gate, ranking, domains, objectives
        case tailCurve = "tail_curve"
        case itemShare = "item_share"
        case listShares = "list_shares"
        case contentChannel = "content_channel"
        case adaptation, data
        case dataProfile = "data_profile"
        case choice, curves, timings
    }

    /// Nothing found yet.
    public init() {}

    /// Reads what is there: one part that cannot be read takes no other with it.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        split = container.ifReadable(.split)
        users = container.ifReadable(.users)
        model = container.ifReadable(.model)
        popularity = container.ifReadable(.popularity)
        recentPopularity = container.ifReadable(.recentPopularity)
        windowedMarkov = container.ifReadable(.windowedMarkov)
        ease = container.ifReadable(.ease)
        itemItem = container.ifReadable(.itemItem)
        buyAgain = container.ifReadable(.buyAgain)
        exclusion = container.ifReadable(.exclusion)
        newItems = container.ifReadable(.newItems)
        rivalSettings = container.ifReadable(.rivalSettings)
        counter = container.ifReadable(.counter)
        promotedVersion = container.ifReadable(.promotedVersion)
        promoted = container.ifReadable(.promoted)
        increment = container.ifReadable(.increment)
        gate = container.ifReadable(.gate)
        ranking = container.ifReadable(.ranking)
        domains = container.ifReadable(.domains)
        objectives = container.ifReadable(.objectives)
        tailCurve = container.ifReadable(.tailCurve)
        itemShare = container.ifReadable(.itemShare)
        listShares = container.ifReadable(.listShares)
        contentChannel = container.ifReadable(.contentChannel)
        adaptation = container.ifReadable(.adaptation)
        data = container.ifReadable(.data)
        dataProfile = container.ifReadable(.dataProfile)
        choice = container.ifReadable(.choice)
        curves = container.ifReadable(.curves)
        timings = container.ifReadable(.timings)
    }

    /// Something that a model is compared with.
    public enum Contestant: String, CaseIterable, Sendable {
        /// The model itself.
        case model
        /// The version in force.
        case promoted
        /// Counting.
        case popularity
        /// Counting that fades.
        case recentPopularity = "recent_popularity"
        /// Transitions.
        case windowedMarkov = "windowed_markov"
        /// A linear model.
        case ease
        /// Neighbours.
        case itemItem = "item_item"
        /// Repeating.
        case buyAgain = "buy_again"

        /// For people.
        public var title: String {
            switch self {
            case .model: "this model"
            case .promoted: "promoted before"
            case .popularity: "popularity"
            case .recentPopularity: "recent popularity"
            case .windowedMarkov: "windowed Markov"
            case .ease: "EASE"
            case .itemItem: "item to item"
            case .buyAgain: "buy it again"
            }
        }
    }

    /// What one contestant achieved; nil where it was not asked.
    public subscript(_ contestant: Contestant) -> MetricsRecord? {
        get { self[keyPath: Self.place(of: contestant)] }
        set { self[keyPath: Self.place(of: contestant)] = newValue }
    }

    private static func place(of contestant: Contestant) -> WritableKeyPath<EvaluationRecord, MetricsRecord?> {
        switch contestant {
        case .model: \.model
        case .promoted: \.promoted
        case .popularity: \.popularity
        case .recentPopularity: \.recentPopularity
        case .windowedMarkov: \.windowedMarkov
        case .ease: \.ease
        case .itemItem: \.itemItem
        case .buyAgain: \.buyAgain
        }
    }
}

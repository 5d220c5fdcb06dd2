/// Predict, then learn: walks events in the order of time, asks every ranker for each group before any of it is learned, and lets
/// all of them learn the same events in the same way.
///
/// Everything before the start is learned first, without questions. A question is a group: one user's events at one instant; its
/// items are what is to be found, whether the rules show them or not: what they keep out is missed.
public struct Replay {
    /// How a replay is run.
    public struct Plan: Sendable {
        /// Events up to this time are learned without questions.
        public var start: Int64
        /// Events to replay at most; the instant that reaches the bound is finished.
        public var eventsLimit: Int
        /// Length of each list.
        public var listLength: Int
        /// Whether an event keeps its item out of the user's later answers.
        public var keepsOut: @Sendable (ReplayEvents.Event) -> Bool

        /// Makes a plan.
        public init(
            start: Int64, eventsLimit: Int = .max, listLength: Int = 100,
            keepsOut: @escaping @Sendable (ReplayEvents.Event) -> Bool = { _ in false }
        ) {
            self.start = start
            self.eventsLimit = eventsLimit
            self.listLength = listLength
            self.keepsOut = keepsOut
        }
    }

    /// Which users a figure is about.
    public enum Audience: String, Sendable, CaseIterable {
        /// Everybody who was asked.
        case all
        /// Users with events before the start.
        case warm
        /// Users who first came after it.
        case new
    }

    /// What one ranker achieved.
    public struct Result: Sendable {
        /// The ranker's name.
        public var name: String
        /// Means over users; of each user the mean over their questions.
        public var reports: [Audience: MetricsReport]
        /// NDCG@10 of each user, in the order of their first question; the same users for every ranker.
        public var perUser: [Audience: [Double]]
        /// Mean NDCG@10 over all questions, each counted once.
        public var perQuestion: Double

        /// All of it.
        package init(
            name: String, reports: [Audience: MetricsReport], perUser: [Audience: [Double]], perQuestion: Double
        ) {
            self.name = name
            self.reports = reports
            self.perUser = perUser
            self.perQuestion = perQuestion
        }
    }

    /// What the replay saw.
    public struct Outcome: Sendable {
        /// One a ranker, in their order.
        public var results: [Result]
        /// Events after the start that were walked.
        public var events: Int
        /// Questions put, and groups that had nothing to ask.
        public var questions, hiddenGroups: Int
        /// The times of the first and the last event walked; nil where there was none.
        public var span: ClosedRange<Int64>?

        /// All of it.
        package init(results: [Result], events: Int, questions: Int, hiddenGroups: Int, span: ClosedRange<Int64>?) {
            self.results = results
            self.events = events
            self.questions = questions
            self.hiddenGroups = hiddenGroups
            self.span = span
        }
    }

    private let events: ReplayEvents
    private let plan: Plan
    private let userCount, itemCount: Int
    private let isHidden: (Int32) -> Bool

    /// Prepares a replay.
    ///
    /// - Parameters:
    ///   - userCount: rows of users are below it; likewise for items.
    ///   - isHidden: items that nobody is shown. They are still learned, and looked for in vain.
    public init(_ events: ReplayEvents, plan: Plan, userCount: Int, itemCount: Int, isHidden: @escaping (Int32) -> Bool = { _ in false }) {
        self.events = events
        self.plan = plan
        self.userCount = userCount
        self.itemCount = itemCount
        self.isHidden = isHidden
    }

    /// Walks the events. Time and memory grow with all events, those before the start included.
    ///
    /// - Parameters:
    ///   - rankers: learn as they go.
    ///   - itemIDs: decide between items of the same number of events when slices are cut.
    ///   - beforeInstant: called with each instant's time after the start, before its questions.
    ///   - progress: called with the events walked.
    /// - Throws: what a ranker or `beforeInstant` throws.
    public func run(
        _ rankers: inout [any ReplayRanker], itemIDs: [String]? = nil, beforeInstant: (Int64) throws -> Void = { _ in },
        progress: (Int) -> Void = { _ in }
    ) throws -> Outcome {
        var users = [ReplayUser](repeating: ReplayUser(), count: userCount)
        let first = events.firstPlace(after: plan.start)
        var counts = [Int](repeating: 0, count: itemCount)
        for event in events.all[..<first] {
            counts[Int(event.item)] += 1
            try learn(event, &rankers, &users)
        }
        let isWarm = users.map { !$0.items.isEmpty }
        let scorer = ListScorer(slices: ItemSlices(counts: counts, itemIDs: itemIDs))
        // Of users who are asked: who they are, in the order of their first question, and what each ranker achieved.
        var asked: [Int32] = [], placeOf: [Int32: Int] = [:]
        var sums = [[ListScoreSums]](repeating: [], count: rankers.count)
        var outcome = Outcome(results: [], events: 0, questions: 0, hiddenGroups: 0, span: nil)
        var perQuestion = [Double](repeating: 0, count: rankers.count)
        let hasGains = events.all.contains { $0.gain > 0 }
        var place = first
        while place < events.all.count, outcome.events < plan.eventsLimit {
            let instant = events.instant(at: place)
            try beforeInstant(instant.time)
            for group in instant.groups {
                let user = Int(group.user)
                var truth: [Int32] = []
                var gains: [Double]? = hasGains ? [] : nil
                for event in group.places.map({ events.all[$0] }) {
                    // Repeats are merged, and their gains add up, where lists are scored.
                    truth.append(event.item)
                    gains?.append(event.gain)
                }
                outcome.questions += 1
                if truth.allSatisfy(users[user].excluded.contains) { outcome.hiddenGroups += 1 }
                let own = placeOf[group.user] ?? asked.count
                if own == asked.count {
                    placeOf[group.user] = own
                    asked.append(group.user)
                    for index in rankers.indices { sums[index].append(ListScoreSums()) }
                }
                for index in rankers.indices {
                    let excluded = users[user].excluded
                    let ranked = try rankers[index].rank(plan.listLength, for: group.user, past: users[user], at: instant.time) {
                        excluded.contains($0) || isHidden($0)
                    }
                    // One list is one user here, so the same scorer serves both means.
                    var alone = RankingMetrics(cutoffs: [10], catalogueSize: itemCount)
                    alone.add(ranked: ranked, relevant: truth)
                    perQuestion[index] += alone.perUserNDCG[0]
                    sums[index][own].add(scorer, ranked: ranked, relevant: truth, gains: gains)
                }
            }
            for place in instant.places { try learn(events.all[place], &rankers, &users) }
            outcome.events += instant.places.count
            outcome.span = (outcome.span?.lowerBound ?? instant.time)...instant.time
            place = instant.places.upperBound
            progress(outcome.events)
        }
        for (index, ranker) in rankers.enumerated() {
            var result = Result(
                name: ranker.name, reports: [:], perUser: [:],
                perQuestion: outcome.questions > 0 ? perQuestion[index] / Double(outcome.questions) : 0)
            for audience in Audience.allCases {
                var metrics = RankingMetrics(catalogueSize: itemCount, slices: ItemSlices(counts: counts, itemIDs: itemIDs))
                for (place, user) in asked.enumerated() where audience == .all || (audience == .warm) == isWarm[Int(user)] {
                    metrics.add(sums[index][place])
                }
                result.reports[audience] = metrics.report()
                result.perUser[audience] = metrics.perUserNDCG
            }
            outcome.results.append(result)
        }
        return outcome
    }

    private func learn(_ event: ReplayEvents.Event, _ rankers: inout [any ReplayRanker], _ users: inout [ReplayUser]) throws {
        let user = Int(event.user)
        for index in rankers.indices { try rankers[index].learn(event, past: users[user]) }
        users[user].append(event, excludes: plan.keepsOut(event))
    }
}

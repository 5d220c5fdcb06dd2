import Evaluation
import Interactions
import Recommending
import TrainingFiles

/// What stays out of a user's answers, decided by whether people take things again, and why.
///
/// What is never repeated is not shown again; what is repeated is left to the ranking, which knows what a user had; and in between what
/// counting answers better with is taken. Clicks and purchases are decided apart: to return to a page says nothing of buying again.
package struct ExclusionDecision: Sendable {
    /// What is kept out.
    package var rule: ExclusionRule
    /// What was counted.
    package var statistics: RepeatStatistics
    /// Why, a sentence each.
    package var reasons: [String]

    /// Below the first share repeats are as good as none; from the second on they are what people do.
    package static let never = 0.001, often = 0.02
    /// The upper end of the interval up to which a log without a repeat says that there are few.
    static let unlikely = 0.1
    /// From this share on repeats of clicks are returns within a visit.
    static let visit = 0.9

    /// What the counts say of one kind of interaction.
    private enum Finding {
        /// It is repeated: nothing is kept out by it.
        case repeated
        /// It is not: what was met so stays out.
        case never
        /// In between.
        case open
        /// There is too little to say.
        case unknown
    }

    /// Decides.
    ///
    /// - Parameters:
    ///   - categories: the names of ``RepeatStatistics/categories``.
    ///   - judge: what counting reaches under each of some rules on what was held out; nil where nothing is.
    package init(_ statistics: RepeatStatistics, categories: [String], judge: (([ExclusionRule]) -> [Double])?) {
        self.statistics = statistics
        reasons = []
        rule = []
        var clicks = Self.finding(statistics.clicked), purchases = Self.finding(statistics.bought)
        reasons += [("clicked", statistics.clicked, clicks), ("bought", statistics.bought, purchases)].compactMap(Self.sentence)
        if clicks == .open, statistics.returns.value >= Self.visit {
            clicks = .repeated
            reasons.append("Clicks are repeated within a visit: people return to a page, and it stays.")
        }
        // Where one kind is not there, the other speaks for both; where neither is, nobody has counted yet.
        switch (clicks, purchases) {
        case (.unknown, .unknown):
            (clicks, purchases) = (.repeated, .never)
            reasons.append("Too little is known of repeats: what was bought stays out until something is bought again.")
        case (.unknown, let known): clicks = known
        case (let known, .unknown): purchases = known
        default: break
        }
        func types(_ finding: Finding) -> Set<InteractionType> {
            Set<InteractionType>(clicks == finding ? [.click, .addToCart] : []).union(purchases == finding ? [.purchase] : [])
        }
        let settled = types(.never), open = types(.open)
        rule = ExclusionRule(open.isEmpty ? settled : judged(settled, open, by: judge))
        keepOutCategories(categories)
    }

    private static func finding(_ share: RepeatStatistics.Share) -> Finding {
        guard share.pairs > 0 else { return .unknown }
        let interval = share.interval
        if share.value >= often { return .repeated }
        if interval.upperBound < never { return .never }
        // A few pairs without a repeat say nothing yet; the interval decides, not the point.
        return interval.upperBound < unlikely ? .open : .unknown
    }

    private static func sentence(_ name: String, _ share: RepeatStatistics.Share, _ finding: Finding) -> String? {
        guard share.pairs > 0 else { return nil }
        let interval = share.interval
        let counted = "Of \(share.pairs) things that users \(name), \(percent(share.value)) had been \(name) by them before "
            + "(95 %: \(percent(interval.lowerBound)) to \(percent(interval.upperBound)))"
        switch finding {
        case .repeated: return counted + ": they may be shown again."
        case .never: return counted + ": what is never repeated is not shown again."
        case .open: return counted + ": rare."
        case .unknown: return counted + ": too few to say."
        }
    }

    /// The better of keeping rare repeats in and out, by what counting reaches; equal figures keep them out, since then nothing is lost.
    private mutating func judged(
        _ settled: Set<InteractionType>, _ open: Set<InteractionType>, by judge: (([ExclusionRule]) -> [Double])?
    ) -> Set<InteractionType> {
        guard let judge else {
            reasons.append("Nothing was held out to judge by, and repeats are rare: they stay out.")
            return settled.union(open)
        }
        let found = judge([ExclusionRule(settled.union(open)), ExclusionRule(settled)])
        let isKept = found[1] > found[0]
        reasons.append(
            "On what was held out counting reaches NDCG@10 \(Self.four(found[0])) without what was had, and \(Self.four(found[1])) "
                + "with it: "
                + (isKept ? "it may be shown again." : "it stays out."))
        return isKept ? settled : settled.union(open)
    }

    /// Keeps out what is bought of categories that are surely bought again less often than what takes its place.
    private mutating func keepOutCategories(_ names: [String]) {
        guard rule.mask & (1 << InteractionType.purchase.rawValue) == 0, statistics.bought.value >= Self.often else { return }
        let left = statistics.categoriesNotRepeated.map { names[$0] }
        guard !left.isEmpty else { return }
        rule = ExclusionRule(rule.everywhere, categoryTypes: [.purchase], categories: Set(left))
        reasons.append(
            "\(left.count) of \(statistics.categories.count) categories are bought again in less than "
                + "\(Self.percent(statistics.discoveryPrecision)) of cases, which is what a popular new thing is worth: "
                + "what was bought of them stays out.")
    }

    private static func percent(_ share: Double) -> String { "\(decimal(share * 100, places: 1)) %" }

    private static func four(_ value: Double) -> String { decimal(value, places: 4) }
}

extension LearningSettings {
    /// The same settings with what is kept out of answers decided by a log, where `rules.exclude` is auto; with what was counted, always.
    ///
    /// - Parameter holdout: what is not learned from and judges; nil counts all of the log.
    package func deciding(
        _ log: TrainingLog, _ holdout: Holdout?, threads: Int
    ) -> (settings: LearningSettings, decision: ExclusionDecision) {
        var rowOf: [String: Int] = [:], names: [String] = []
        let categoryOf = log.contents.map { content -> Int in
            guard let name = content.categories.last else { return -1 }
            if let row = rowOf[name] { return row }
            rowOf[name] = names.count
            names.append(name)
            return names.count - 1
        }
        let statistics = RepeatStatistics(
            RepeatEvents(
                users: log.userIDs.indices.map { holdout?.trainingRows(of: $0, in: log) ?? log.rows(of: $0) },
                itemCount: log.itemIDs.count, categoryCount: names.count, item: { Int(log.items[$0]) },
                isPurchase: { log.types[$0] == InteractionType.purchase.rawValue }, time: { log.times[$0] },
                category: { categoryOf[$0] }))
        var settings = self
        guard self.holdout.decidesExclusion else {
            var decision = ExclusionDecision(statistics, categories: names, judge: { $0.map { _ in 0 } })
            (decision.rule, decision.reasons) = (self.holdout.excludes, ["rules.exclude is set."])
            return (settings, decision)
        }
        let asked = holdout.flatMap { $0.questions.isEmpty ? nil : $0 }
        let decision = ExclusionDecision(
            statistics, categories: names,
            judge: asked.map { HoldoutScoring(log: log, holdout: $0, excludes: [], threads: threads).bestCounted(under:) })
        settings.holdout.excludes = decision.rule
        return (settings, decision)
    }

    /// The same settings with what is kept out of answers, decided by a log where `rules.exclude` is auto; nothing is counted where it is
    /// set.
    package func decided(_ log: TrainingLog, _ holdout: Holdout?, threads: Int) -> LearningSettings {
        self.holdout.decidesExclusion ? deciding(log, holdout, threads: threads).settings : self
    }

    /// The same settings with what a model keeps out of answers: an incremental training goes on with it.
    package func keeping(_ bundle: ModelBundle) -> LearningSettings {
        var settings = self
        settings.holdout.excludes = holdout.exclusion(of: bundle)
        return settings
    }
}

extension ExclusionDecision {
    /// What was decided, for the registry.
    package func record(_ settings: HoldoutSettings) -> ExclusionRecord {
        var record = ExclusionRecord()
        let names = rule.everywhere.map(\.settingName).joined(separator: ", ")
        record.setting = settings.decidesExclusion ? "auto" : rule.isEmpty ? "none" : names
        record.types = rule.everywhere.map(\.name)
        record.categories = Array(rule.categories.sorted().prefix(ExclusionRecord.categoriesLimit))
        record.categoryCount = rule.categories.count
        record.reasons = reasons
        record.clickedAgain = statistics.clicked.pairs > 0 ? statistics.clicked.value : nil
        record.boughtAgain = statistics.bought.pairs > 0 ? statistics.bought.value : nil
        return record
    }

    /// The same with what the rule costs on what was held out.
    ///
    /// - Parameter answer: what the model answers under a rule.
    package func record(
        _ settings: HoldoutSettings, _ scoring: HoldoutScoring, _ candidate: HoldoutScoring.Outcome,
        answer: (ExclusionRule) -> HoldoutScoring.Outcome
    ) -> ExclusionRecord {
        var record = record(settings)
        record.removed = scoring.removedShare
        record.ndcg = candidate.report[HoldoutScoring.gateMetric]
        guard !rule.isEmpty else { return record }
        let free = answer([])
        record.without = free.record
        record.ndcgWithout = free.report[HoldoutScoring.gateMetric]
        return record
    }
}

extension InteractionType {
    /// As `rules.exclude` names it.
    fileprivate var settingName: String {
        switch self {
        case .impression: "shown"
        case .click: "clicked"
        case .addToCart: "carted"
        case .purchase: "purchased"
        case .return: "returned"
        }
    }
}

extension HoldoutScoring {
    /// The mean over questions of the share of what is to be found that the rule keeps out; 0 without questions.
    package var removedShare: Double {
        guard !holdout.questions.isEmpty, !excludes.isEmpty else { return 0 }
        let shares = holdout.questions.map { question in
            let excluded = excluded(question)
            return Double(question.truth.count { excluded.contains($0) }) / Double(max(1, question.truth.count))
        }
        return shares.reduce(0, +) / Double(shares.count)
    }
}

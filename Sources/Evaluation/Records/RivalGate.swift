/// A model beside one rival, on the same questions.
public struct RivalComparison: Sendable, Equatable {
    /// Which rival.
    public var contestant: EvaluationRecord.Contestant
    /// What was set of it, in words; empty where there is nothing to set.
    public var settings: String
    /// The model as candidate, the rival as the other.
    public var paired: PairedComparison
    /// The interval of the model's mean minus the rival's, wide enough for all rivals of the comparison together.
    public var low, high: Double
    /// Whether the rival is better by more than chance, on enough questions.
    public var isBetter: Bool

    /// In the settings of a rival that does without the rule by which a model leaves things out.
    public static let nothingLeftOut = "nothing left out"

    /// The rival with its settings.
    var name: String { settings.isEmpty ? contestant.title : "\(contestant.title) (\(settings))" }

    /// Which settings people should look at where this rival is better.
    var advice: String {
        let exclusion = "rules.exclude (does it keep out what people do again?)"
        // A rival that does without the rule where the model has one says where to look first.
        if contestant != .buyAgain, settings.contains(Self.nothingLeftOut) { return "\(exclusion), train.preset and ranking.blend" }
        switch contestant {
        case .buyAgain: return "\(exclusion), train.preset and ranking.blend"
        case .windowedMarkov: return "train.user_tower (sequence where order matters), train.preset and ranking.blend"
        case .ease, .itemItem: return "train.preset, train.epochs and train.dimension"
        default: return "train.preset, train.epochs and ranking.blend"
        }
    }
}

/// Holds a model against all simple rivals at once.
///
/// Each interval is paired over users. Several rivals are compared, and one of many equal ones is easily the best by luck: so each
/// interval leaves out its part of five per cent alone (Bonferroni), and that any of the rivals is called better than a model that is as
/// good as all of them happens in at most 2.5 of 100 trainings.
public struct RivalGate: Sendable {
    /// What is done where a rival is better.
    public var rule: RivalRule
    /// Fewer questions than this decide nothing.
    public var minimumQuestions: Int

    /// The chance that the interval of any rival misses the true difference.
    public static let outside = 0.05

    /// Makes a gate.
    public init(_ rule: RivalRule, minimumQuestions: Int = PromotionGate.defaultMinimumQuestions) {
        self.rule = rule
        self.minimumQuestions = minimumQuestions
    }

    /// Compares with each rival, in their order. Values that are no numbers, or of other questions, are compared with nothing.
    ///
    /// - Parameter rivals: with NDCG@10 of each question, paired with the candidate's.
    public func compared(
        _ candidate: [Double], with rivals: [(contestant: EvaluationRecord.Contestant, settings: String, values: [Double])]
    ) -> [RivalComparison] {
        let sound = rivals.filter { $0.values.count == candidate.count && $0.values.allSatisfy(\.isFinite) }
        guard !candidate.isEmpty, candidate.allSatisfy(\.isFinite), !sound.isEmpty else { return [] }
        let outside = max(Self.outside / Double(sound.count), 2 * (1 - StudentQuantile.confidences.upperBound))
        return sound.map { rival in
            let paired = PairedComparison(candidate: candidate, other: rival.values, confidence: 0.9)
            let (low, high) = paired.interval(outside: outside)
            return RivalComparison(
                contestant: rival.contestant, settings: rival.settings, paired: paired, low: low, high: high,
                isBetter: candidate.count >= minimumQuestions && high < 0)
        }
    }

    /// Whether the model may be promoted, and a sentence: how it stands beside the best rival, or which rivals are better. No sentence
    /// where nothing was compared or nobody asks.
    public func decide(_ compared: [RivalComparison]) -> GateDecision {
        guard rule != .off, let best = compared.max(by: { $0.paired.otherMean < $1.paired.otherMean }) else {
            return GateDecision(passes: true, reasons: [])
        }
        let better = compared.filter(\.isBetter).sorted { $0.paired.difference < $1.paired.difference }
        guard let first = better.first else {
            let questions = best.paired.questions
            let gain = best.paired.otherMean > 0
                ? signed(100 * best.paired.difference / best.paired.otherMean, places: 1) + " %" : signed(best.paired.difference, places: 4)
            let figures = "\(gain) against the best, \(best.name), \(decimal(best.paired.otherMean)); difference "
                + "\(signed(best.paired.difference, places: 4)) (\(signed(best.low, places: 4)) to \(signed(best.high, places: 4)))"
            if best.paired.difference >= 0 {
                return GateDecision(passes: true, reasons: ["At least as good as every counter: \(figures)."])
            }
            let few = questions < minimumQuestions ? "; \(questions) questions are too few to tell (\(minimumQuestions) are needed)" : ""
            return GateDecision(passes: true, reasons: ["No counter is better by more than chance: \(figures)\(few)."])
        }
        let paired = first.paired, others = better.dropFirst().map { "\($0.name), \(decimal($0.paired.otherMean))" }
        var sentence = "A counter is better by more than chance: \(first.name) has NDCG@10 \(decimal(paired.otherMean)), the model "
            + "\(decimal(paired.candidateMean)); difference \(decimal(-paired.difference)) (\(decimal(-first.high)) to "
            + "\(decimal(-first.low))): look at \(first.advice)"
        if !others.isEmpty { sentence += ". Better, too: \(others.joined(separator: "; "))" }
        sentence += rule == .refuse ? " (gate.rivals: warn would let it pass)." : " (gate.rivals: warn lets it pass)."
        return GateDecision(passes: rule != .refuse, reasons: [sentence])
    }

    private func signed(_ value: Double, places: Int) -> String { (value >= 0 ? "+" : "") + decimal(value, places: places) }
}

extension RivalComparison {
    /// For the registry.
    public var record: GateRecord.RivalRow { GateRecord.RivalRow(self) }
}

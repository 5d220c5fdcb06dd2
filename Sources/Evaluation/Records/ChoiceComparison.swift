/// What was found where the choice of the rules and its alternatives were trained on a part and asked what was held out.
public struct ChoiceComparison: Codable, Sendable, Equatable {
    /// One of those that were compared.
    public struct Trial: Codable, Sendable, Equatable {
        /// What it is called.
        public var name: String
        /// What is set otherwise than in the choice that the others were held against, for people; empty for that one itself.
        public var settings = ""
        /// One in so many users was learned from and asked; nil where it was not tried.
        public var oneIn: Int?
        /// Questions that were answered.
        public var questions: Int?
        /// NDCG@10 of towers and blend on them.
        public var ndcg: Double?
        /// Of ``ndcg``.
        public var standardError: Double?
        /// ``ndcg`` minus that of the choice that it was held against, with the interval that holds for all alternatives together.
        public var difference: Double?
        /// The interval's ends.
        public var low: Double?, high: Double?
        /// What all its trainings took.
        public var seconds = 0.0
        /// What came of it, a sentence.
        public var note = ""

        private enum CodingKeys: String, CodingKey {
            case name, settings
            case oneIn = "users_one_in"
            case questions
            case ndcg = "ndcg@10"
            case standardError = "standard_error"
            case difference, low, high, seconds, note
        }

        /// Something that has not been tried.
        public init(name: String) { self.name = name }
    }

    /// The seconds that trials might take, and those that they took.
    public var budgetSeconds: Double, seconds: Double
    /// Whether time decided what was tried: with the same seed another machine may compare more.
    public var isTimeDecided: Bool
    /// What was compared, first the choice that the others were held against.
    public var trials: [Trial]
    /// The name of the one that was taken.
    public var taken: String
    /// Why it was, a sentence.
    public var reason: String

    private enum CodingKeys: String, CodingKey {
        case budgetSeconds = "budget_seconds"
        case seconds
        case isTimeDecided = "time_decided"
        case trials = "compared"
        case taken, reason
    }

    /// Nothing compared yet.
    public init(budgetSeconds: Double, taken: String, reason: String = "") {
        self.budgetSeconds = budgetSeconds
        self.taken = taken
        self.reason = reason
        (seconds, isTimeDecided, trials) = (0, false, [])
    }
}

/// Takes an alternative where it is better by more than chance, or as good in less time.
///
/// The choice in force is asked to be beaten: with intervals that hold for all alternatives together, and by more than another seed
/// moves a figure. What has less to learn is compared where everybody was learned from only: with few users it looks better than it is.
public struct ChoiceVerdict: Sendable {
    /// Questions below which nothing is decided.
    public static let leastQuestions = 50
    /// What a figure must gain at least, as a share: another seed moves it by as much.
    public static let leastGain = 0.01
    /// What a cheaper alternative may lose at most, at the end of its interval, as a share.
    public static let mostLoss = 0.02
    /// The chance that the interval of any alternative misses the true difference.
    static let outside = 0.05

    /// One that answered.
    public struct Answered: Sendable {
        /// What it is called.
        public var name: String
        /// As in ``AutoAlternative/appetite``.
        public var appetite: Int
        /// NDCG@10 of each question.
        public var values: [Double]

        /// All of it.
        public init(name: String, appetite: Int, values: [Double]) {
            self.name = name
            self.appetite = appetite
            self.values = values
        }
    }

    /// How an alternative stands.
    public struct Row: Sendable, Equatable {
        /// What it is called.
        public var name: String
        /// Alternative minus choice, and the ends of the interval; nil where it could not be compared.
        public var difference: Double?, low: Double?, high: Double?
        /// Whether it is better by more than chance.
        public var isBetter = false
        /// Whether it has less to learn and loses next to nothing.
        public var isCheaper = false
        /// Whether it is worse by more than chance.
        public var isWorse = false
    }

    /// By alternative.
    public let rows: [Row]
    /// Which alternative is taken; nil where the choice stays.
    public let taken: String?

    /// Compares.
    ///
    /// - Parameters:
    ///   - alternatives: asked the questions of `choice`.
    ///   - isWhole: whether all users were learned from.
    public init(_ choice: Answered, _ alternatives: [Answered], isWhole: Bool) {
        let mean = choice.values.reduce(0, +) / Double(max(1, choice.values.count))
        let outside = Self.outside / Double(max(1, alternatives.count))
        let rows = alternatives.map { other in
            var row = Row(name: other.name)
            guard other.values.count == choice.values.count, choice.values.count >= Self.leastQuestions,
                (choice.values + other.values).allSatisfy(\.isFinite)
            else { return row }
            let paired = PairedComparison(candidate: other.values, other: choice.values, confidence: 0.9)
            let (low, high) = paired.interval(outside: outside)
            (row.difference, row.low, row.high) = (paired.difference, low, high)
            row.isWorse = high < 0
            guard isWhole || other.appetite >= choice.appetite else { return row }
            row.isBetter = low > 0 && paired.difference >= Self.leastGain * mean
            row.isCheaper = isWhole && other.appetite < choice.appetite && low >= -Self.mostLoss * mean
            return row
        }
        self.rows = rows
        func best(_ holds: (Row) -> Bool) -> String? {
            rows.filter(holds).max { ($0.difference ?? 0) < ($1.difference ?? 0) }?.name
        }
        taken = best(\.isBetter) ?? best(\.isCheaper)
    }
}

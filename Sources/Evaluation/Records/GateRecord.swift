/// What the gate decided of a model, by what bar, and what it held it against.
public struct GateRecord: Codable, Sendable, Equatable {
    /// False where nothing was held out, so that nothing could be judged; nil where it was.
    public var judged: Bool?
    /// Whether the gate let it pass; nil where nothing was judged.
    public var passes: Bool?
    /// Why, in sentences.
    public var reasons: [String]?
    /// The level of the one-sided intervals, in percent.
    public var confidencePercent: Double?
    /// The loss that the gate allows, in percent of the other's mean.
    public var marginPercent: Double?
    /// The loss that the gate allows, as a number of the metric.
    public var margin: Double?
    /// The models that it was held against.
    public var comparisons: [Comparison]?
    /// What was done where a simple rival is better: `refuse`, `warn` or `off`; nil where none was held against it.
    public var rivalRule: String?
    /// The simple rivals, each with its difference.
    public var rivals: [RivalRow]?

    /// One simple rival that the candidate was held against.
    public struct RivalRow: Codable, Sendable, Equatable {
        /// As ``EvaluationRecord/Contestant`` names it.
        public var rival: String?
        /// How many questions both answered.
        public var questions: Int?
        /// The candidate's mean.
        public var candidate: Double?
        /// The rival's mean.
        public var other: Double?
        /// The candidate's mean minus the rival's.
        public var difference: Double?
        /// The lower end of the paired interval of ``difference``, wide enough for all rivals together.
        public var low: Double?
        /// The upper end.
        public var high: Double?
        /// Whether the rival is better by more than chance.
        public var isBetter: Bool?

        private enum CodingKeys: String, CodingKey {
            case rival, questions, candidate, other, difference, low, high
            case isBetter = "better"
        }

        /// What was compared.
        public init(_ comparison: RivalComparison) {
            rival = comparison.contestant.rawValue
            questions = comparison.paired.questions
            candidate = comparison.paired.candidateMean
            other = comparison.paired.otherMean
            difference = comparison.paired.difference
            low = comparison.low
            high = comparison.high
            isBetter = comparison.isBetter
        }
    }

    /// One model that the candidate was held against.
    public struct Comparison: Codable, Sendable, Equatable {
        /// `promoted`, `anchor` or `remembered`.
        public var role: String?
        /// The other's version.
        public var version: Int?
        /// By which questions they were compared.
        public var basis: String?
        /// Whether this comparison let the candidate pass.
        public var passes: Bool?
        /// How many questions both answered.
        public var questions: Int?
        /// The candidate's mean.
        public var candidate: Double?
        /// The other's mean.
        public var other: Double?
        /// The candidate's mean minus the other's.
        public var difference: Double?
        /// The standard error of ``difference``.
        public var standardError: Double?
        /// The lower end of the one-sided interval of ``difference``.
        public var lowerBound: Double?
        /// The loss that was allowed.
        public var allowedLoss: Double?

        private enum CodingKeys: String, CodingKey {
            case role, version, basis, passes, questions, candidate, other, difference
            case standardError = "standard_error"
            case lowerBound = "lower_bound"
            case allowedLoss = "allowed_loss"
        }

        /// What was decided beside one model.
        public init(role: String, version: Int, basis: String, decision: GateDecision) {
            self.role = role
            self.version = version
            self.basis = basis
            passes = decision.passes
            questions = decision.comparison?.questions
            candidate = decision.comparison?.candidateMean
            other = decision.comparison?.otherMean
            difference = decision.comparison?.difference
            standardError = decision.comparison?.standardError
            lowerBound = decision.comparison?.lowerBound
            allowedLoss = decision.allowedLoss
        }
    }

    private enum CodingKeys: String, CodingKey {
        case judged, passes, reasons
        case confidencePercent = "confidence_percent"
        case marginPercent = "margin_percent"
        case margin, comparisons
        case rivalRule = "rival_rule"
        case rivals
    }

    /// A decision of people or of checks without a comparison.
    public init(judged: Bool? = nil, passes: Bool? = nil, reasons: [String]) {
        self.judged = judged
        self.passes = passes
        self.reasons = reasons
    }
}

extension PromotionGate {
    /// What was decided, by what bar.
    ///
    /// - Parameters:
    ///   - comparisons: the models behind the reasons.
    ///   - rivals: the simple rivals that it was held against.
    public func record(
        passes: Bool, reasons: [String], comparisons: [GateRecord.Comparison], rivals: [RivalComparison] = []
    ) -> GateRecord {
        var record = GateRecord(passes: passes, reasons: reasons)
        record.confidencePercent = confidence * 100
        switch margin {
        case .share(let share): record.marginPercent = share * 100
        case .absolute(let loss): record.margin = loss
        }
        record.comparisons = comparisons
        if !rivals.isEmpty {
            record.rivalRule = self.rivals.rawValue
            record.rivals = rivals.map(\.record)
        }
        return record
    }
}

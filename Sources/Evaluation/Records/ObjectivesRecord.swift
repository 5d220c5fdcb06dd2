/// What a training found of its ranking heads: mixes of goals, weightings of the losses, and how well probabilities hold.
public struct ObjectivesRecord: Codable, Sendable, Equatable {
    /// Examples that the heads learned from.
    public var examples: Int?
    /// What they are, in words.
    public var examplesFrom: String?
    /// Impressions that were passed over.
    public var declined: Int?
    /// Whether there were clicks to learn from.
    public var clicks: Bool?
    /// Whether there were purchases.
    public var purchases: Bool?
    /// Whether there were orders with an amount.
    public var values: Bool?
    /// The weight of the click head's loss.
    public var clickLossWeight: Double?
    /// The weight of the conversion head's loss.
    public var conversionLossWeight: Double?
    /// The weight of the value head's loss.
    public var valueLossWeight: Double?
    /// Weightings of the losses; nil where only one was tried.
    public var sweep: [Weighting]?
    /// The click head's calibration error before and after correction, and its bins: predicted and observed shares.
    public var clickErrorBefore, clickError: Double?
    /// Pairs of a predicted and an observed share.
    public var clickReliability: [[Double]]?
    /// The same of the conversion head.
    public var conversionErrorBefore, conversionError: Double?
    /// Pairs of a predicted and an observed share.
    public var conversionReliability: [[Double]]?
    /// Mixes of goals.
    public var points: [Point]?
    /// Whether interest is the click head's; else it is the blend's.
    public var clickHead: Bool?
    /// The powers in use.
    public var clickPower, conversionPower, valuePower: Double?

    /// A mix of goals on the held-out questions.
    public struct Point: Codable, Sendable, Equatable {
        /// Its number, by which a person picks it.
        public var point: Int?
        /// Whether interest is the click head's.
        public var clickHead: Bool?
        /// The powers of its parts.
        public var click, conversion, value: Double?
        /// NDCG@10; with gains of revenue; the standard error of that.
        public var ndcg, gainNDCG, gainNDCGError: Double?
        /// The share of the catalogue in some top 10.
        public var coverage: Double?
        /// Whether no other mix is better in both.
        public var front: Bool?

        private enum CodingKeys: String, CodingKey {
            case point
            case clickHead = "click_head"
            case click, conversion, value
            case ndcg = "NDCG@10"
            case gainNDCG = "gNDCG@10"
            case gainNDCGError = "gNDCG@10_se"
            case coverage = "Coverage@10"
            case front
        }

        /// A mix with the number by which it is picked.
        public init(_ point: Int, clickHead: Bool, click: Double, conversion: Double, value: Double, report: MetricsReport, front: Bool) {
            self.point = point
            self.clickHead = clickHead
            self.click = click
            self.conversion = conversion
            self.value = value
            ndcg = report["NDCG@10"]
            gainNDCG = report["gNDCG@10"]
            gainNDCGError = report.metrics["gNDCG@10"]?.standardError ?? 0
            coverage = report.coverageAt10
            self.front = front
        }
    }

    /// A weighting of the heads' losses, with the losses on users that were not learned from.
    public struct Weighting: Codable, Sendable, Equatable {
        /// `fixed` or `uncertainty`.
        public var weighting: String?
        /// Weight and loss of each head.
        public var clickWeight, clickLoss, conversionWeight, conversionLoss, valueWeight, valueLoss: Double?
        /// Whether no other is as good in all losses and better in one.
        public var front: Bool?
        /// Whether it is used.
        public var picked: Bool?

        private enum CodingKeys: String, CodingKey {
            case weighting
            case clickWeight = "click_weight"
            case clickLoss = "click_loss"
            case conversionWeight = "conversion_weight"
            case conversionLoss = "conversion_loss"
            case valueWeight = "value_weight"
            case valueLoss = "value_loss"
            case front, picked
        }

        /// A weighting: weights and losses of click, conversion and value, in that order.
        public init(_ weighting: String, weights: [Double], losses: [Double], front: Bool, picked: Bool) {
            precondition(weights.count == 3 && losses.count == 3, "three heads, got \(weights.count) weights and \(losses.count) losses")
            self.weighting = weighting
            (clickWeight, conversionWeight, valueWeight) = (weights[0], weights[1], weights[2])
            (clickLoss, conversionLoss, valueLoss) = (losses[0], losses[1], losses[2])
            self.front = front
            self.picked = picked
        }

        /// The weights of click, conversion and value; 0 where the record has none.
        public var weights: [Double] { [clickWeight, conversionWeight, valueWeight].map { $0 ?? 0 } }
        /// The losses likewise.
        public var losses: [Double] { [clickLoss, conversionLoss, valueLoss].map { $0 ?? 0 } }
    }

    private enum CodingKeys: String, CodingKey {
        case examples
        case examplesFrom = "examples_from"
        case declined, clicks, purchases, values
        case clickLossWeight = "click_loss_weight"
        case conversionLossWeight = "conversion_loss_weight"
        case valueLossWeight = "value_loss_weight"
        case sweep
        case clickErrorBefore = "click_ece_before"
        case clickError = "click_ece"
        case clickReliability = "click_reliability"
        case conversionErrorBefore = "conversion_ece_before"
        case conversionError = "conversion_ece"
        case conversionReliability = "conversion_reliability"
        case points
        case clickHead = "click_head"
        case clickPower = "click_power"
        case conversionPower = "conversion_power"
        case valuePower = "value_power"
    }

    /// Nothing found yet.
    public init() {}

    /// The heads whose losses are weighed, in the order of ``Weighting/weights``.
    public static let heads = ["click", "conversion", "value"]

    /// How well the probabilities of one head hold.
    public struct HeadCalibration: Sendable {
        /// `click` or `conversion`.
        public var head: String
        /// The calibration error before and after correction.
        public var before, after: Double
        /// Predicted and observed shares.
        public var bins: [(x: Double, y: Double)]
    }

    /// The heads of which bins are known.
    public var calibrations: [HeadCalibration] {
        [
            ("click", clickErrorBefore, clickError, clickReliability),
            ("conversion", conversionErrorBefore, conversionError, conversionReliability),
        ].compactMap { head, before, after, pairs in
            let bins = (pairs ?? []).filter { $0.count == 2 }.map { (x: $0[0], y: $0[1]) }
            return bins.isEmpty ? nil : HeadCalibration(head: head, before: before ?? 0, after: after ?? 0, bins: bins)
        }
    }
}

/// What each place of the tail dial gave and cost on the held-out questions.
public struct TailCurveRecord: Codable, Sendable, Equatable {
    /// One place of the dial.
    public struct Point: Codable, Sendable, Equatable {
        /// What is taken off for popularity: λ.
        public var dial: Double?
        /// What items beyond the head get: δ.
        public var lift: Double?
        /// NDCG@10 of all questions; on items beyond the head; on tail items.
        public var ndcg, beyondHead, tail: Double?
        /// The share of the catalogue in some top 10.
        public var coverage: Double?
        /// Inequality of the top-10 places.
        public var gini: Double?

        private enum CodingKeys: String, CodingKey {
            case dial = "tail_dial"
            case lift = "tail_lift"
            case ndcg = "NDCG@10"
            case beyondHead = "beyond_head_NDCG@10"
            case tail = "tail_NDCG@10"
            case coverage = "Coverage@10"
            case gini = "Gini@10"
        }

        /// What one place gave.
        public init(dial: Double, lift: Double, report: MetricsReport) {
            self.dial = dial
            self.lift = lift
            ndcg = report["NDCG@10"]
            beyondHead = report.slices["beyond_head"]?.metrics["NDCG@10"]?.mean ?? 0
            tail = report.slices["tail"]?.metrics["NDCG@10"]?.mean ?? 0
            coverage = report.coverageAt10
            gini = report.giniAt10 ?? 0
        }
    }

    /// The places in order.
    public var points: [Point]?
    /// λ and δ of the place that is recommended where no budget is set.
    public var recommended, recommendedLift: Double?
    /// λ and δ that are built into the model.
    public var used, usedLift: Double?

    private enum CodingKeys: String, CodingKey {
        case points, recommended
        case recommendedLift = "recommended_lift"
        case used
        case usedLift = "used_lift"
    }

    /// A curve with its places.
    public init(points: [Point], recommended: (dial: Double, lift: Double), used: (dial: Double, lift: Double)) {
        self.points = points
        (self.recommended, recommendedLift) = recommended
        (self.used, usedLift) = used
    }
}

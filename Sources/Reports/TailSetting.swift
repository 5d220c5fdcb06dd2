/// A setting that gives rare items more, by its key.
package enum TailSetting: String, CaseIterable {
    case tailDial = "ranking.tail_dial"
    case tailLift = "ranking.tail_lift"
    case popularityDial = "train.popularity_dial"
    case tailBeta = "train.tail_beta"
    case logitAdjustment = "train.logit_adjustment"
    case propensityPower = "train.propensity_power"

    /// Values that a curve goes through unless others are named; 0, which is no change, is where every curve begins.
    package var values: [Double] {
        switch self {
        case .tailDial: [0.04, 0.08, 0.13, 0.2, 0.3]
        case .tailLift: [0.1, 0.2, 0.3, 0.4, 0.6]
        case .popularityDial: [0.05, 0.1, 0.2, 0.3, 0.5]
        case .tailBeta: [0.9, 0.99, 0.999]
        case .logitAdjustment: [0.1, 0.25, 0.5, 1]
        case .propensityPower: [0.25, 0.5, 1]
        }
    }

    /// Whether it moves scores that are there already, so that no model is trained for it.
    package var isDial: Bool { self == .tailDial || self == .tailLift || self == .popularityDial }

    /// A setting and its values: `train.tail_beta=0.9,0.99`; nil where it is no such text.
    package static func parse(_ text: String) -> (setting: TailSetting, values: [Double])? {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let setting = TailSetting(rawValue: String(parts[0])) else { return nil }
        let values = parts[1].split(separator: ",").map { Double($0) }
        guard !values.isEmpty, values.allSatisfy({ $0.map { $0 > 0 && $0.isFinite } ?? false }) else { return nil }
        return (setting, values.compactMap { $0 })
    }
}

import Foundation

/// What a report shows, read from the JSON that a training or an evaluation leaves in the registry.
struct ReportValues {
    /// The model or something that it is compared with.
    struct Contestant {
        var name: String
        var isOwn: Bool
        /// A class of the page's style: `a` to `g`.
        var style: String
        var numbers: [String: Double]
        /// Numbers by slice.
        var slices: [String: [String: Double]]
        var users: Int { Int(numbers["users"] ?? 0) }
        subscript(name: String) -> Double? { numbers[name] }
    }

    /// One stage of the training.
    struct Curve {
        struct Epoch {
            var epoch, loss: Double
            var validation, seconds, speed: Double?
        }
        var stage: String
        var epochs: [Epoch]
    }

    var contestants: [Contestant] = []
    var curves: [Curve] = []
    /// Steps of the run with their seconds, in order.
    var timings: [(name: String, seconds: Double)] = []
    /// Lines about the data, in order.
    var data: [(name: String, value: String)] = []
    /// Weights of the ranking blend, the largest first; empty where the towers rank alone.
    var weights: [(name: String, value: Double)] = []
    /// NDCG@10 of the towers without a blend.
    var towersAlone: Double?
    /// Goals beside the next item, and the tail dial, as HTML; empty where there is nothing of them.
    var objectivesSection = ""
    /// Domain adapters, as HTML; empty where none were tried.
    var domainsSection = ""
    /// What the gate compared, as HTML; empty where it compared nothing.
    var gateSection = ""
    /// How the questions were put.
    var split: String?
    var users: Double?
    var passes: Bool?
    var reasons: [String] = []

    /// Keys of contestants in the order of the page, with their names.
    static let contestantNames: [(key: String, name: String)] = [
        ("model", "this model"), ("promoted", "promoted before"), ("popularity", "popularity"), ("recent_popularity", "recent popularity"),
        ("windowed_markov", "windowed Markov"), ("ease", "EASE"), ("buy_again", "buy it again"),
    ]
    /// Slices in the order of the page.
    static let slices = ["head", "mid", "tail", "cold"]

    /// Reads what is there; what is missing or of another kind is left out.
    init(metrics: String) {
        guard let object = (try? JSONSerialization.jsonObject(with: Data(metrics.utf8))) as? [String: Any] else { return }
        objectivesSection = ObjectivesSection(metrics: metrics).html
        domainsSection = DomainsSection(metrics: metrics).html
        gateSection = GateSection(metrics: metrics).html
        split = object["split"] as? String
        users = Self.number(object["users"])
        for (place, entry) in Self.contestantNames.enumerated() {
            guard let report = object[entry.key] as? [String: Any] else { continue }
            var name = entry.name
            if entry.key == "promoted", let version = Self.number(object["promoted_version"]) { name = "version \(Int(version)), promoted" }
            var contestant = Contestant(
                name: name, isOwn: entry.key == "model", style: String(UnicodeScalar(UInt8(97 + place))), numbers: [:], slices: [:])
            for (key, value) in report {
                if let number = Self.number(value) { contestant.numbers[key] = number }
                if Self.slices.contains(key), let slice = value as? [String: Any] { contestant.slices[key] = slice.compactMapValues(Self.number) }
            }
            contestants.append(contestant)
        }
        if let ranking = object["ranking"] as? [String: Any] {
            towersAlone = Self.number(ranking["towers_alone_NDCG@10"])
            if ranking["blend"] as? Bool == true {
                weights = (ranking["weights"] as? [String: Any] ?? [:]).compactMap { entry in Self.number(entry.value).map { (entry.key, $0) } }
                weights.sort { abs($0.value) != abs($1.value) ? abs($0.value) > abs($1.value) : $0.name < $1.name }
            }
        }
        if let gate = object["gate"] as? [String: Any] {
            passes = gate["passes"] as? Bool
            reasons = gate["reasons"] as? [String] ?? []
        }
        for curve in object["curves"] as? [[String: Any]] ?? [] {
            let epochs = (curve["epochs"] as? [[String: Any]] ?? []).compactMap { entry -> Curve.Epoch? in
                guard let epoch = Self.number(entry["epoch"]), let loss = Self.number(entry["loss"]) else { return nil }
                return Curve.Epoch(
                    epoch: epoch, loss: loss, validation: Self.number(entry["validation_ndcg@10"]), seconds: Self.number(entry["seconds"]),
                    speed: Self.number(entry["examples_per_second"]))
            }
            if !epochs.isEmpty { curves.append(Curve(stage: curve["stage"] as? String ?? "", epochs: epochs)) }
        }
        for entry in object["timings"] as? [[String: Any]] ?? [] {
            if let name = entry["name"] as? String, let seconds = Self.number(entry["seconds"]) { timings.append((name, seconds)) }
        }
        for entry in object["data"] as? [[String: Any]] ?? [] {
            guard let name = entry["name"] as? String else { continue }
            if let text = entry["value"] as? String {
                data.append((name, text))
            } else if let number = Self.number(entry["value"]) {
                data.append((name, HTMLText.number(number, decimals: number.rounded() == number ? 0 : 2)))
            }
        }
    }

    private static func number(_ value: Any?) -> Double? { (value as? NSNumber)?.doubleValue }
}

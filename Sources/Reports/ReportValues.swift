import Evaluation

/// What a report shows, of what a training or an evaluation found.
struct ReportValues {
    /// The model or something that it is compared with.
    struct Contestant {
        var name: String
        var isOwn: Bool
        /// A class of the page's style: `a` to `g`.
        var style: String
        var record: MetricsRecord
        var users: Int { record.report.users }
        subscript(name: String) -> Double? { record[name] }
    }

    var contestants: [Contestant] = []
    /// Epochs by stage; none without epochs.
    var curves: [LearningCurve] = []
    /// Steps of the run with their seconds, in order.
    var timings: [(name: String, seconds: Double)] = []
    /// Lines about the data, in order.
    var data: [(name: String, value: String)] = []
    /// Weights of the ranking blend, the largest first; empty where the towers rank alone.
    var weights: [(name: String, value: Double)] = []
    /// Shares of the items in top tens by what moved them most, the largest first; those of 0 are left out.
    var carriers: [(name: String, share: Double)] = []
    /// NDCG@10 of the towers without a blend.
    var towersAlone: Double?
    /// What a ranker over counters gave, a line each; empty where none was tried.
    var counters: [(name: String, value: String)] = []
    /// What is kept out of answers, as HTML; empty where nothing is known of it.
    var exclusionSection = ""
    /// Goals beside the next item, and the tail dial, as HTML; empty where there is nothing of them.
    var objectivesSection = ""
    /// Domain adapters, as HTML; empty where none were tried.
    var domainsSection = ""
    /// What was chosen by what the data look like, as HTML; empty where all was set.
    var choiceSection = ""
    /// What the gate compared, as HTML; empty where it compared nothing.
    var gateSection = ""
    /// Items that were new in what was held out, as HTML; empty where nobody took any.
    var newItemsSection = ""
    /// What was done about an item that is in too many lists.
    var itemShare: ItemShareRecord?
    /// Shares that the shop set, and what they cost.
    var listShares: ListSharesRecord?
    /// How the questions were put.
    var split: String?
    /// Users that were asked.
    var users: Int?
    var passes: Bool?
    var reasons: [String] = []

    /// Slices in the order of the page.
    static let slices = ["head", "mid", "tail", "cold"]

    /// Takes what is known; what is not is left out.
    init(_ record: EvaluationRecord) {
        exclusionSection = ExclusionSection(exclusion: record.exclusion).html
        objectivesSection = ObjectivesSection(objectives: record.objectives, tail: record.tailCurve).html
        domainsSection = DomainsSection(rows: record.domains ?? []).html
        gateSection = GateSection(gate: record.gate).html
        newItemsSection = NewItemsSection(record: record.newItems).html
        choiceSection = record.choice.map { ChoiceSection($0).html } ?? ""
        split = record.split
        itemShare = record.itemShare
        listShares = record.listShares
        users = record.users
        for (place, contestant) in EvaluationRecord.Contestant.allCases.enumerated() {
            guard let found = record[contestant] else { continue }
            var name = contestant.title
            if contestant == .promoted, let version = record.promotedVersion { name = "version \(version), promoted" }
            if contestant == .model, let counter = record.counter { name = "this version, the counter \(counter.name)" }
            if let settings = record.rivalSettings?[contestant.rawValue] { name += " (\(settings))" }
            contestants.append(
                Contestant(name: name, isOwn: contestant == .model, style: String(UnicodeScalar(UInt8(97 + place))), record: found))
        }
        towersAlone = record.ranking?.towersAlone
        counters = record.ranking?.counters.map(Self.lines) ?? []
        carriers = (record.ranking?.carriers?.entries ?? []).map { ($0.name, $0.value) }.filter { $0.share > 0 }
        carriers.sort { ($0.share, $1.name) > ($1.share, $0.name) }
        if record.ranking?.blend == true {
            weights = (record.ranking?.weights?.entries ?? []).map { ($0.name, $0.value) }
            weights.sort { abs($0.value) != abs($1.value) ? abs($0.value) > abs($1.value) : $0.name < $1.name }
        }
        passes = record.gate?.passes
        reasons = record.gate?.reasons ?? []
        curves = (record.curves ?? []).filter { !$0.epochs.isEmpty }
        timings = (record.timings ?? []).map { ($0.name, $0.seconds) }
        data = (record.data ?? []).compactMap { note in Self.text(note.value).map { (note.name, $0) } }
    }

    /// What a ranker over counters gave, for people.
    private static func lines(_ found: RankingRecord.Counters) -> [(name: String, value: String)] {
        var lines = [("used", found.used == true ? "yes" : "no: towers and blend alone answer as well")]
        if let without = found.without, let with = found.with {
            lines.append(("NDCG@10", "\(HTMLText.number(with)) with it, \(HTMLText.number(without)) without"))
        }
        if let questions = found.questions, let borders = found.borders {
            let count = HTMLText.count(Double(questions))
            lines.append(("learned from", "\(count) questions at \(borders == 1 ? "one border" : "\(borders) borders")"))
        }
        if let network = found.network { lines.append(("kind", network ? "network" : "linear")) }
        if let share = found.rankingShare {
            lines.append(("weight of towers and blend", "\(HTMLText.number(100 * share, decimals: 0)) %"))
        }
        for short in found.newcomers ?? [] where short.kept {
            let share = HTMLText.number(100 * short.rankingShare, decimals: 0)
            let (own, others) = (HTMLText.number(short.newcomers), HTMLText.number(short.everybody))
            lines.append(("the same up to \(short.historyLimitEvents) events", "\(share) %: NDCG@10 \(own), by everybody's \(others)"))
        }
        if let share = found.valueShare {
            lines.append(("weight of what orders are worth", "\(HTMLText.number(100 * share, decimals: 0)) %"))
        }
        if let taken = found.keptOfTaken, let value = found.keptOfValue {
            let (taken, value) = (HTMLText.number(100 * taken, decimals: 1), HTMLText.number(100 * value, decimals: 1))
            lines.append(("kept by this compromise", "\(taken) % of the best NDCG@10, \(value) % of the best revenue-weighted one"))
        }
        if let seconds = found.seconds { lines.append(("seconds", HTMLText.number(seconds, decimals: 0))) }
        return lines
    }

    private static func text(_ value: DataNote.Value) -> String? {
        switch value {
        case .text(let text): text
        case .integer(let count): HTMLText.count(Double(count))
        case .number(let number): number.isNaN ? nil : HTMLText.number(number, decimals: number.rounded() == number ? 0 : 2)
        }
    }
}

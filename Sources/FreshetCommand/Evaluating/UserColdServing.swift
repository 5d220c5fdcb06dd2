import Features
import Interactions
import Learning
import Recommending
import Tensors
import TowerModel
import TrainingFiles

/// A model that was trained without the new users, asked about them as it would serve: snapshot, blend, segments and rules, and what is
/// trending at the moment of each question.
struct UserColdServing {
    /// Moments at which the trending list is read anew, at most.
    private static let momentsLimit = 500

    private let cut: UserColdCut
    private let log: TrainingLog
    private let recommender: BatchRecommender
    private let featureRules: FeatureRules
    private let trendingLimitItems: Int
    private let excludes: Set<UInt8>
    private let historyLimit: Int
    private let rowOf: [String: Int32]
    /// By user row, JSON objects.
    private let attributes: [String?]

    /// - Parameters:
    ///   - fit: what the blend of the known users' holdout gave; nil for towers alone.
    ///   - usesAttributes: whether the questions say the users' attributes.
    init(
        _ cut: UserColdCut, model: TwoTowerModel, fit: BlendTraining.Fit?, configuration: Configuration, rules: RecommendingRules,
        usesAttributes: Bool, threads: Int
    ) {
        self.cut = cut
        log = cut.log
        featureRules = configuration.featureRules
        trendingLimitItems = configuration.integer("serve.trending_items")
        excludes = Set(configuration.excludedTypes.map(\.rawValue))
        historyLimit = configuration.integer("ingest.history_limit_events")
        let log = cut.log
        let rowOf = Dictionary(log.itemIDs.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
        self.rowOf = rowOf
        attributes = usesAttributes ? log.attributes.map(Self.object) : log.attributes.map { _ in nil }
        let rows = log.userIDs.indices.map { cut.isNew[$0] ? log.userStarts[$0]..<log.userStarts[$0] : log.rows(of: $0) }
        let training = BlendTraining(log: log, configuration: configuration)
        let vectors = model.encodeItems(log.contents, rows: log.itemIDs.map { model.row(of: $0) }, threads: threads)
        let blend = fit.map { fit in
            training.blend(fit.weights, for: model, rows: rows)
                .renumbered(model.itemIDs.map { rowOf[$0] ?? -1 }, itemCount: log.itemIDs.count)
        }
        let entries = log.itemIDs.indices.map { item in
            CatalogueEntry(
                itemID: log.itemIDs[item], title: nil, categories: log.contents[item].categories, priceMicros: nil,
                available: !log.isHidden[item], publishedAt: nil)
        }
        var snapshot = ServingSnapshot(
            catalogue: entries, catalogueVersion: 1, model: ItemEncoder(model: model).servingModel(version: 1), itemVectors: vectors.values,
            rules: rules, blend: blend)
        if let segments = configuration.segmentRules, usesAttributes {
            snapshot = snapshot.withSegments(
                Self.segmentCounts(log, rows, minimumUsers: segments.minimumUsers),
                priorEvents: configuration.number("cold_start.segment_prior_events"))
        }
        recommender = BatchRecommender(snapshot: snapshot)
    }

    /// The first `count` item rows for each question, by its row.
    func lists(_ count: Int, _ questions: [UserColdCut.Question]) -> [Int: [Int32]] {
        let known = cut.known
        var order: [Int32] = []
        for user in known.userIDs.indices { order += known.rows(of: user).map { Int32($0) } }
        order.sort { known.times[Int($0)] < known.times[Int($1)] }
        var clock = TrendingClock(itemCount: log.itemIDs.count, rules: featureRules), next = 0
        var asked = recommender
        var lists: [Int: [Int32]] = [:]
        let step = max(1, (questions.count + Self.momentsLimit - 1) / Self.momentsLimit)
        for (place, question) in questions.sorted(by: { ($0.time, $0.row) < ($1.time, $1.row) }).enumerated() {
            if place % step == 0 {
                while next < order.count, known.times[Int(order[next])] < question.time {
                    let row = Int(order[next])
                    clock.add(known.items[row], type: known.types[row], at: known.times[row])
                    next += 1
                }
                let trending = clock.popular(trendingLimitItems, at: question.time, itemIDs: log.itemIDs, isHidden: log.isHidden)
                asked = recommender.with(snapshot: recommender.current.withTrending(trending))
            }
            lists[question.row] = list(count, question, of: asked)
        }
        return lists
    }

    private func list(_ count: Int, _ question: UserColdCut.Question, of recommender: BatchRecommender) -> [Int32] {
        var history = UserHistory(limit: historyLimit), excluded: [String] = []
        for row in question.known {
            let item = log.itemIDs[Int(log.items[row])]
            history.insert(
                HistoryEntry(
                    itemID: item, type: InteractionType(rawValue: log.types[row]) ?? .click, time: EventTime(milliseconds: log.times[row]),
                    position: Position(partition: Position.filePartition, offset: Int64(row))))
            if excludes.contains(log.types[row]) { excluded.append(item) }
        }
        return recommender.recommend(
            count: count, history: history, excluded: excluded, attributes: attributes[question.user],
            now: EventTime(milliseconds: question.time), userID: log.userIDs[question.user]
        ).compactMap { rowOf[$0.itemID] }
    }

    /// Tokens `name=value` as the JSON object that has them.
    private static func object(_ tokens: [String]) -> String? {
        var values: [String: [String]] = [:]
        for token in tokens {
            guard let sign = token.firstIndex(of: "=") else { continue }
            values[String(token[..<sign]), default: []].append(JSONText.quoted(String(token[token.index(after: sign)...])))
        }
        guard !values.isEmpty else { return nil }
        return "{" + values.sorted { $0.key < $1.key }.map { "\(JSONText.quoted($0.key)):[\($0.value.joined(separator: ","))]" }.joined(separator: ",") + "}"
    }

    /// What a store would count by segment, without decay.
    private static func segmentCounts(_ log: TrainingLog, _ rows: [Range<Int>], minimumUsers: Int) -> [SegmentCount] {
        var users: [String: Int] = [:]
        for user in rows.indices where !rows[user].isEmpty { for token in log.attributes[user] { users[token, default: 0] += 1 } }
        var counts: [String: [Int32: Double]] = [:]
        for user in rows.indices {
            let segments = [""] + log.attributes[user].filter { users[$0, default: 0] >= minimumUsers }
            for row in rows[user] { for segment in segments { counts[segment, default: [:]][log.items[row], default: 0] += 1 } }
        }
        return counts.flatMap { segment, items in
            items.map { SegmentCount(segment: segment, itemID: log.itemIDs[Int($0.key)], events: $0.value) }
        }
    }
}

import Features
import Interactions
import Recommending

/// SplitMix64: the same numbers on every machine.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func vector(_ dimension: Int) -> [Float] {
        (0..<dimension).map { _ in Float.random(in: -1...1, using: &self) }
    }
}

/// An exact index, so that answers can be compared with a reference.
struct ExactIndex: CandidateIndex {
    let vectors: [Float]
    let dimension: Int

    var count: Int { vectors.count / dimension }

    func search(_ query: UnsafeBufferPointer<Float>, count wanted: Int) -> [Candidate] {
        let found = (0..<count).map { row in
            Candidate(row: Int32(row), score: dot(Array(vectors[row * dimension..<(row + 1) * dimension]), Array(query)))
        }
        return Array(found.sorted { ($0.score, -$0.row) > ($1.score, -$1.row) }.prefix(wanted))
    }
}

func dot(_ left: [Float], _ right: [Float]) -> Float {
    zip(left, right).reduce(0) { $0 + $1.0 * $1.1 }
}

/// A model whose user vector is the mean of the history's vectors: easy to repeat in a test.
func meanModel(_ dimension: Int, version: Int = 3, historyLimitItems: Int = 5) -> ServingModel {
    ServingModel(version: version, dimension: dimension, historyLimitItems: historyLimitItems, temperature: 0.1) {
        input, _ in
        guard !input.rows.isEmpty else { return nil }
        var mean = [Float](repeating: 0, count: dimension)
        for (place, value) in input.vectors.enumerated() { mean[place % dimension] += value / Float(input.rows.count) }
        return mean
    }
}

func history(_ items: [String], type: InteractionType = .click) -> UserHistory {
    var history = UserHistory(limit: 200)
    for (place, itemID) in items.enumerated() {
        history.insert(
            HistoryEntry(
                itemID: itemID, type: type, time: EventTime(milliseconds: Int64(1_000 + place)),
                position: Position(partition: 0, offset: Int64(place))))
    }
    return history
}

let now = EventTime(milliseconds: 1_000_000)

extension ServingSnapshot {
    /// An answer's items for a user with a history.
    func answer(
        _ query: RecommendationQuery = RecommendationQuery(), history items: [String] = [], excluded: [String] = []
    ) -> [RecommendedItem] {
        recommend(
            query, history: history(items), excluded: excluded, attributes: nil, snapshot: self, now: now,
            requestID: "r1"
        ).items
    }
}

/// A random shop together with the plainest model of what a snapshot should know of it.
struct Shop {
    static let dimension = 8
    static let categories = ["shoes", "tents", "maps", "ropes"]

    var random: SeededRandom
    var entries: [String: CatalogueEntry] = [:]
    var vectors: [String: [Float]] = [:]
    var origins: [String: VectorOrigin] = [:]
    var trending: [TrendingItem] = []
    var snapshot: ServingSnapshot

    init(
        seed: UInt64, items: Int, indexed: Bool = true, rules: RecommendingRules = RecommendingRules(), blend: RankingBlend? = nil
    ) {
        random = SeededRandom(state: seed)
        var catalogue: [CatalogueEntry] = []
        var table: [Float] = []
        for place in 0..<items {
            let entry = Self.entry("i\(place)", &random)
            catalogue.append(entry)
            entries[entry.itemID] = entry
            let vector = random.vector(Self.dimension)
            vectors[entry.itemID] = vector
            origins[entry.itemID] = .trained
            table += vector
            if place % 3 == 0 {
                trending.append(TrendingItem(itemID: entry.itemID, score: Double.random(in: 1...100, using: &random)))
            }
        }
        snapshot = ServingSnapshot(
            catalogue: catalogue, catalogueVersion: 1, model: meanModel(Self.dimension), itemVectors: table,
            index: indexed ? ExactIndex(vectors: table, dimension: Self.dimension) : nil, trending: trending,
            rules: rules, blend: blend)
    }

    static func entry(_ itemID: String, _ random: inout SeededRandom) -> CatalogueEntry {
        CatalogueEntry(
            itemID: itemID, title: "Title of \(itemID)",
            categories: categories.filter { _ in Int.random(in: 0..<3, using: &random) == 0 },
            priceMicros: Int64.random(in: 1...50, using: &random) * 1_000_000,
            available: Int.random(in: 0..<8, using: &random) > 0,
            publishedAt: EventTime(milliseconds: Int64.random(in: 0..<1_000, using: &random)))
    }

    /// Applies random changes to the snapshot and to the plain model.
    mutating func change(_ count: Int) {
        var changes: [CatalogueChange] = []
        for _ in 0..<count {
            let known = entries.keys.sorted()
            let itemID = Bool.random(using: &random) ? known.randomElement(using: &random) ?? "i0" : "n\(known.count)"
            if Int.random(in: 0..<4, using: &random) == 0 {
                changes.append(.delete(itemID: itemID))
                entries[itemID]?.available = false
                // What came after the build goes with the item; a vector of the build would count again.
                if origins[itemID] != .trained {
                    vectors[itemID] = nil
                    origins[itemID] = nil
                }
            } else {
                let entry = Self.entry(itemID, &random)
                let vector = Int.random(in: 0..<3, using: &random) == 0 ? nil : random.vector(Self.dimension)
                changes.append(.upsert(entry, vector: vector, origin: .content))
                entries[itemID] = entry
                if let vector {
                    vectors[itemID] = vector
                    origins[itemID] = .content
                }
            }
        }
        snapshot = snapshot.applying(changes, catalogueVersion: snapshot.catalogueVersion + 1)
    }

    func admissible(_ category: String?, excluding: Set<String>) -> [String] {
        entries.values.filter {
            $0.available && !excluding.contains($0.itemID) && (category.map($0.categories.contains) ?? true)
        }.map(\.itemID)
    }

    /// The user's vector as ``meanModel(_:version:historyLimitItems:)`` computes it.
    func userVector(_ history: [String]) -> [Float]? {
        let met = history.compactMap { vectors[$0] }.suffix(5)
        guard !met.isEmpty else { return nil }
        return (0..<Self.dimension).map { place in met.reduce(0) { $0 + $1[place] } / Float(met.count) }
    }

    /// The best items with a vector, by the plainest means.
    func reference(_ history: [String], _ count: Int, category: String? = nil, excluding: Set<String> = []) -> [String] {
        guard let user = userVector(history) else { return [] }
        let scored = admissible(category, excluding: excluding).compactMap { id in vectors[id].map { (id, dot($0, user)) } }
        return scored.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }.prefix(count).map(\.0)
    }
}

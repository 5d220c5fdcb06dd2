import Recommending
import Synchronization
import Testing
import VectorIndex

/// What each item was, version by version of the catalogue: kept apart from the snapshot, to judge its answers by.
private final class ItemTruth: Sendable {
    struct State {
        var version: Int64
        var category: String?
    }

    /// A state without a category is hidden or deleted.
    private let states = Mutex<[String: [State]]>([:])

    func note(_ itemID: String, _ version: Int64, _ category: String?) {
        states.withLock { $0[itemID, default: []].append(State(version: version, category: category)) }
    }

    /// Items that must not be in an answer of a snapshot of this version for this category.
    func wrong(_ items: [String], version: Int64, category: String?) -> [String] {
        states.withLock { states in
            items.filter { itemID in
                guard let state = states[itemID]?.last(where: { $0.version <= version }), let own = state.category else {
                    return true
                }
                return category.map { $0 != own } ?? false
            }
        }
    }
}

/// A serving snapshot over an index of codes, replaced while it is asked.
private final class Shop: Sendable {
    static let dimension = 32
    static let categories = 6

    private let snapshot: Mutex<ServingSnapshot>
    private let truth: ItemTruth
    private let done = Mutex(false)
    let items: Int

    init(items: Int, random: inout Clusters) throws {
        self.items = items
        let truth = ItemTruth()
        let table = random.table(items, Self.dimension, centres: 60)
        let entries = (0..<items).map { row in
            CatalogueEntry(itemID: "i\(row)", categories: [Self.category(row)], available: row % 11 != 0)
        }
        for (row, entry) in entries.enumerated() { truth.note(entry.itemID, 0, entry.available ? Self.category(row) : nil) }
        let index = try ItemIndex.build(vectors: table, dimension: Self.dimension, kind: .lists(nil))
        let model = ServingModel(version: 1, dimension: Self.dimension) { _, _ in nil }
        snapshot = Mutex(
            ServingSnapshot(
                catalogue: entries, catalogueVersion: 0, model: model, itemVectors: table, index: index,
                rules: RecommendingRules(exactCategoryItems: 100)))
        self.truth = truth
    }

    static func category(_ row: Int) -> String { "c\(row % categories)" }

    /// New items, other vectors, other categories, hidden and deleted ones: all in one batch.
    func change(_ round: Int, _ random: inout Clusters) {
        let version = Int64(round + 1)
        var changes: [CatalogueChange] = []
        for place in 0..<40 {
            let row = Int(random.next() % UInt64(items))
            let itemID = place < 20 ? "n\(round * 20 + place)" : "i\(row)"
            let category = Self.category(Int(random.next() % 100))
            switch place % 4 {
            case 0, 1:
                truth.note(itemID, version, category)
                let entry = CatalogueEntry(itemID: itemID, categories: [category])
                changes.append(.upsert(entry, vector: random.unit(Self.dimension), origin: .content))
            case 2:
                truth.note(itemID, version, nil)
                let entry = CatalogueEntry(itemID: itemID, categories: [category], available: false)
                changes.append(.upsert(entry, vector: random.unit(Self.dimension), origin: .content))
            default:
                truth.note(itemID, version, nil)
                changes.append(.delete(itemID: itemID))
            }
        }
        snapshot.withLock { $0 = $0.applying(changes, catalogueVersion: version) }
    }

    func finish() { done.withLock { $0 = true } }

    /// Answers, those with too few items, and items in them that must not be there.
    func ask(_ seed: Int) async -> (asked: Int, short: Int, wrong: [String]) {
        var asked = 0
        var short = 0
        var wrong: [String] = []
        while !done.withLock({ $0 }) || asked < 50 {
            let now = snapshot.withLock { $0 }
            let category = asked % 2 == 0 ? nil : Self.category(asked / 2)
            let answer = similar(
                to: "i\((asked * 131 + seed) % items)", count: 40, category: category, snapshot: now, requestID: "r")
            let found = answer?.items.map(\.itemID) ?? []
            asked += 1
            if found.count < 40 || Set(found).count < found.count { short += 1 }
            wrong += truth.wrong(found, version: now.catalogueVersion, category: category)
            // Whoever changes the shop needs one of the few threads that all tests share.
            await Task.yield()
        }
        return (asked, short, wrong)
    }
}

struct ServingChurnTests {
    @Test func whatIsHiddenOrOfAnotherCategoryIsNeverInAnAnswer() async throws {
        var random = Clusters(seed: 51)
        let shop = try Shop(items: 11_000, random: &random)
        let changes = random
        let outcome = await withTaskGroup(of: (asked: Int, short: Int, wrong: [String]).self) { group in
            group.addTask { await shop.ask(0) }
            group.addTask {
                var random = changes
                for round in 0..<60 {
                    shop.change(round, &random)
                    await Task.yield()
                }
                shop.finish()
                return (0, 0, [])
            }
            return await group.reduce(into: (asked: 0, short: 0, wrong: [String]())) {
                $0 = ($0.asked + $1.asked, $0.short + $1.short, $0.wrong + $1.wrong)
            }
        }
        #expect(outcome.asked >= 50)
        #expect(outcome.short == 0)
        #expect(outcome.wrong == [])
    }
}

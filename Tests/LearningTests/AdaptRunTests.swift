import Console
import Features
import Interactions
import Learning
import MetaLearning
import Recommending
import Synchronization
import Testing

@Suite("Adapting to new categories, with the store behind its protocol")
struct AdaptRunTests {
    /// A store in memory: events of users, oldest first, and the adapters that were kept.
    private final class Store: AdaptationStore {
        struct Event: Sendable {
            var user: String, item: String, time: Int64, rating: Double? = nil
        }

        struct Kept: Sendable {
            var version: Int32, field: String, category: String, events: Int64, support: [String], payload: [UInt8], metrics: String
        }

        let all: [Event]
        let stored: [String: Int64]
        private let written = Mutex<[Kept]>([])
        private let asked = Mutex<[(from: EventTime, limit: Int)]>([])

        init(_ all: [Event], stored: [String: Int64] = [:]) {
            self.all = all
            self.stored = stored
        }

        var kept: [Kept] { written.withLock { $0 } }
        var reads: [(from: EventTime, limit: Int)] { asked.withLock { $0 } }

        func adapted(version: Int32, field: String) -> [String: Int64] { version == 3 && field == "categories" ? stored : [:] }

        func count(of itemIDs: [String]) -> (count: Int64, first: EventTime?) {
            let own = all.filter { itemIDs.contains($0.item) }
            return (Int64(own.count), own.first.map { EventTime(milliseconds: $0.time) })
        }

        func events(of itemIDs: [String], from: EventTime, limit: Int) -> [(userID: String, itemID: String)] {
            asked.withLock { $0.append((from, limit)) }
            return all.filter { itemIDs.contains($0.item) && $0.time >= from.milliseconds }.suffix(limit).map { ($0.user, $0.item) }
        }

        func history(of userID: String) -> [HistoryEntry] {
            all.enumerated().filter { $0.element.user == userID }.map { place, event in
                HistoryEntry(
                    itemID: event.item, type: .click, time: EventTime(milliseconds: event.time),
                    position: Position(partition: 0, offset: Int64(place)), ratingHundredths: event.rating.map { Int32($0 * 100) })
            }
        }

        func keep(
            version: Int32, field: String, category: String, events: Int64, supportItemIDs: [String], payload: [UInt8], metrics: String
        ) {
            let one = Kept(
                version: version, field: field, category: category, events: events, support: supportItemIDs, payload: payload,
                metrics: metrics)
            written.withLock { $0.append(one) }
        }
    }

    /// People with a history of items of even kind who take new items of even kind.
    private static func events(_ people: Int) -> [Store.Event] {
        var events: [Store.Event] = []
        for person in 0..<people {
            for place in 0..<5 {
                let item = PlantedLog.item((2 * (person + 7 * place)) % 80)
                events.append(Store.Event(user: "p\(person)", item: item, time: Int64(person * 10 + place)))
            }
            events.append(Store.Event(user: "p\(person)", item: "n\(2 * (person % 6))", time: Int64(person * 10 + 9)))
        }
        return events
    }

    private static func run(
        _ store: Store, support: Int = 5, limit: Int = 100, only: [String] = [], method: AdaptationMethod = .fineTune,
        _ change: (inout ModelBundle) -> Void = { _ in }
    ) throws -> [AdaptRun.Outcome] {
        var bundle = try CategoryShop.bundle.get()
        change(&bundle)
        let kit = try #require(bundle.kit)
        return try AdaptRun(store: store, support: support, eventsLimit: limit, method: method)
            .run(CategoryShop.snapshot(of: bundle), kit: kit, only: only)
    }

    @Test("a category with enough events is adapted to, and the adapter is kept with what it was made from")
    func adapted() throws {
        let store = Store(Self.events(12)), outcomes = try Self.run(store)
        #expect(outcomes.count == 1 && outcomes[0].category == "new" && outcomes[0].state == .adapted)
        #expect(outcomes[0].events == 12 && outcomes[0].items == 12)
        let kept = try #require(store.kept.first)
        #expect(store.kept.count == 1 && kept.version == 3 && kept.field == "categories" && kept.events == 12)
        #expect(kept.support == (0..<12).map { "n\(2 * ($0 % 6))" })
        let adapter = try CategoryAdapter(encoded: kept.payload)
        #expect(adapter.isFinite && kept.metrics.contains("\"held_back_loss\""))
        #expect(store.reads.map(\.limit) == [100] && store.reads.first?.from.milliseconds == 9)
        // Who takes items of one kind is asked about the same kind: steps towards it help on the events that were held back.
        let loss = try #require(outcomes[0].loss)
        #expect(loss.adapted < loss.unadapted, "\(loss)")
        #expect(outcomes[0].line.json.contains("\"seconds\""))
    }

    @Test("too few events wait, and the same number as the newest adapter's changes nothing")
    func waiting() throws {
        let few = Store(Self.events(4)), waiting = try Self.run(few)
        #expect(waiting.map(\.state) == [.waiting] && waiting[0].events == 4 && few.kept.isEmpty && few.reads.isEmpty)
        #expect(!waiting[0].line.json.contains("seconds") && !waiting[0].line.json.contains("loss"))
        let known = Store(Self.events(12), stored: ["new": 12])
        #expect(try Self.run(known).map(\.state) == [.unchanged] && known.kept.isEmpty)
        let more = Store(Self.events(12), stored: ["new": 11])
        #expect(try Self.run(more).map(\.state) == [.adapted])
        #expect(try Self.run(Store([])).map(\.state) == [.waiting])
    }

    @Test("with no more events than a support each is judged by an adaptation to the others")
    func judgedInTurn() throws {
        let outcome = try #require(try Self.run(Store(Self.events(5))).first)
        #expect(outcome.state == .adapted && outcome.loss != nil && outcome.ndcg.map { $0.adapted <= 1 && $0.unadapted >= 0 } == true)
    }

    @Test("what somebody rated low is nothing to adapt to")
    func declined() throws {
        var events = Self.events(8)
        for place in events.indices where events[place].item.hasPrefix("n") && place < 24 { events[place].rating = 1 }
        let store = Store(events)
        #expect(try Self.run(store, support: 4) { $0.ratingsFrom = 3 }.map(\.state) == [.adapted])
        #expect(store.kept.first?.support.count == 4)
        let waiting = try Self.run(Store(events), support: 5) { $0.ratingsFrom = 3 }
        #expect(waiting.map(\.state) == [.waiting] && waiting.first?.events == 4)
        // Without such a bound every rating counts.
        #expect(try Self.run(Store(events), support: 5).map(\.state) == [.adapted])
    }

    @Test("a category that is trained, or that nobody has, is refused by name, and so is a snapshot without a model")
    func refused() throws {
        let store = Store(Self.events(12))
        #expect(message { _ = try Self.run(store, only: ["c1"]) }.contains("was trained on 'c1'"))
        #expect(message { _ = try Self.run(store, only: ["nwe"]) }.contains("no item has 'nwe' in its categories"))
        #expect(store.kept.isEmpty)
        #expect(try Self.run(store, only: ["new"]).map(\.state) == [.adapted])
        let kit = try #require(try CategoryShop.bundle.get().kit)
        let nothing = ServingSnapshot(catalogue: [], catalogueVersion: 1)
        let run = AdaptRun(store: store, support: 1, eventsLimit: 1, method: .meta)
        #expect(message { _ = try run.run(nothing, kit: kit) }.contains("no model is in force"))
    }

    @Test("the newest events count, at most so many; hidden items are no rivals")
    func limits() throws {
        let store = Store(Self.events(12))
        #expect(try Self.run(store, limit: 6, method: .meta).map(\.state) == [.adapted])
        #expect(store.kept.first?.support == (6..<12).map { "n\(2 * ($0 % 6))" })
        let bundle = try CategoryShop.bundle.get(), kit = try #require(bundle.kit)
        let hidden = Set((0..<12).filter { $0 % 2 == 1 }.map { "n\($0)" })
        let all = Store(Self.events(12)), shown = Store(Self.events(12))
        let run = { (store: Store, hidden: Set<String>) in
            try AdaptRun(store: store, support: 5, eventsLimit: 100, method: .none).run(
                CategoryShop.snapshot(of: bundle, hidden: hidden), kit: kit)
        }
        let open = try #require(try run(all, []).first?.loss), narrow = try #require(try run(shown, hidden).first?.loss)
        #expect(narrow.unadapted < open.unadapted, "fewer rivals, less to be sure of: \(narrow) beside \(open)")
    }
}

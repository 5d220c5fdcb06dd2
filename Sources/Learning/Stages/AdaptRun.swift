import Console
import Evaluation
import Features
import Interactions
import MetaLearning
import Recommending

/// Adapts a model to categories that it never trained on, from the events that they have so far, and stores the adapters.
package struct AdaptRun: Sendable {
    /// What happened to one category.
    package struct Outcome: Sendable {
        /// How it stands.
        package enum State: String, Sendable { case adapted, unchanged, waiting }
        /// Its name.
        package var category: String
        /// How it stands.
        package var state: State
        /// Interactions with its items.
        package var events: Int64
        /// Its items.
        package var items: Int
        /// Of held-back events: mean −ln p of what was taken among the category's items.
        package var loss: (adapted: Double, unadapted: Double)?
        /// NDCG@10 of the same events.
        package var ndcg: (adapted: Double, unadapted: Double)?
        /// What adapting took.
        package var seconds = 0.0

        /// All of it.
        package init(
            category: String, state: State, events: Int64, items: Int, loss: (adapted: Double, unadapted: Double)? = nil,
            ndcg: (adapted: Double, unadapted: Double)? = nil, seconds: Double = 0.0
        ) {
            self.category = category
            self.state = state
            self.events = events
            self.items = items
            self.loss = loss
            self.ndcg = ndcg
            self.seconds = seconds
        }

        /// For people and programs.
        package var line: ResultLine {
            var line = ResultLine([
                "category": .text(category), "state": .text(state.rawValue), "events": .integer(Int(events)), "items": .integer(items),
            ])
            if let loss, let ndcg {
                line.add("held_back_loss", .number(loss.adapted))
                line.add("held_back_loss_unadapted", .number(loss.unadapted))
                line.add("held_back_ndcg_at_10", .number(ndcg.adapted))
                line.add("held_back_ndcg_at_10_unadapted", .number(ndcg.unadapted))
            }
            if state == .adapted { line.add("seconds", .number(seconds)) }
            return line
        }
    }

    /// Where events are read and adapters kept.
    package let store: any AdaptationStore
    /// Events from which on a category is adapted to.
    package let support: Int
    /// Events that an adaptation is made of at most, the newest.
    package let eventsLimit: Int
    /// How it is adapted.
    package let method: AdaptationMethod

    /// All of it.
    package init(store: any AdaptationStore, support: Int, eventsLimit: Int, method: AdaptationMethod) {
        self.store = store
        self.support = support
        self.eventsLimit = eventsLimit
        self.method = method
    }

    /// Adapts to every new category that has enough events and others than its newest adapter was made from.
    ///
    /// - Parameter only: these categories; empty for all new ones.
    package func run(_ snapshot: ServingSnapshot, kit: CategoryKit, only: [String] = []) throws -> [Outcome] {
        guard let version = snapshot.modelVersion.map({ Int32(clamping: $0) }) else {
            throw CommandFailure("no model is in force: run freshet train")
        }
        let categories = snapshot.newCategories
        for name in only where categories[name] == nil {
            throw CommandFailure(
                snapshot.isTrained(category: name)
                    ? "the model was trained on '\(name)', so there is nothing to adapt: it ranks these items by what it learned"
                    : "no item has '\(name)' in its \(kit.field): send the items first, or look at the spelling")
        }
        let stored = try store.adapted(version: version, field: kit.field)
        var outcomes: [Outcome] = []
        for name in (only.isEmpty ? categories.keys.sorted() : only) {
            guard let items = categories[name] else { continue }
            let known = try store.count(of: items)
            guard known.count >= support, let first = known.first else {
                outcomes.append(Outcome(category: name, state: .waiting, events: known.count, items: items.count))
                continue
            }
            if stored[name] == known.count {
                outcomes.append(Outcome(category: name, state: .unchanged, events: known.count, items: items.count))
                continue
            }
            let started = ContinuousClock.now
            let adapted = try adapt(to: name, items: items, count: known.count, first: first, snapshot, kit, version: version)
            guard var outcome = adapted else { continue }
            if outcome.state == .adapted { outcome.seconds = started.duration(to: .now).inSeconds }
            outcomes.append(outcome)
        }
        return outcomes
    }

    private func adapt(
        to name: String, items: [String], count: Int64, first: EventTime, _ snapshot: ServingSnapshot, _ kit: CategoryKit, version: Int32
    ) throws -> Outcome? {
        let events = try store.events(of: items, from: first, limit: eventsLimit)
        let own = Set(items), ratingsFrom = snapshot.model?.ratingsFrom ?? 0
        func isDeclined(_ entry: HistoryEntry) -> Bool { ratingsFrom != 0 && entry.isRated(below: ratingsFrom) }
        var histories: [String: (taken: [String], declined: Set<String>)] = [:]
        let witnesses = try events.compactMap { event -> CategoryWitness? in
            if histories[event.userID] == nil {
                let entries = try store.history(of: event.userID)
                // What the user rated too low is neither history nor something to adapt to, as in training.
                histories[event.userID] = (
                    entries.compactMap { $0.type == .impression || own.contains($0.itemID) || isDeclined($0) ? nil : $0.itemID },
                    Set(entries.lazy.filter { own.contains($0.itemID) && isDeclined($0) }.map(\.itemID))
                )
            }
            guard let history = histories[event.userID], !history.declined.contains(event.itemID) else { return nil }
            return CategoryWitness(historyItemIDs: history.taken, itemID: event.itemID)
        }
        guard witnesses.count >= support else {
            return Outcome(category: name, state: .waiting, events: Int64(witnesses.count), items: items.count)
        }
        let met = Set(witnesses.map(\.itemID))
        // What nobody is shown is no rival of what was taken, and keeps no place from those that are.
        let others = items.filter { !met.contains($0) && snapshot.state(of: $0) != .hidden }
        // In the order of their ids, so that of equal scores those that were taken have no advantage where it is judged.
        let compared = Array((items.filter(met.contains) + others).prefix(ServingSnapshot.comparedLimitItems)).sorted()
        // Without likeness to the support, as in training: every support item has it.
        guard let questions = snapshot.questions(witnesses, support: [], among: compared) else { return nil }
        var adapter = CategoryAdapter(kit.starts.adapted(to: questions, by: method))
        // The offset is that of what serves, where items are like the support more or less: without that the category as a whole would
        // rise.
        let served = snapshot.questions(witnesses, support: witnesses.map(\.itemID), among: compared) ?? questions
        adapter.offset = snapshot.offset(of: adapter, questions: served, witnesses: witnesses, among: compared)
        guard adapter.isFinite else {
            throw CommandFailure(
                "the adaptation to '\(name)' gives numbers that are not finite: lower adaptation.inner_steps, or train again")
        }
        let judged = judge(witnesses, among: compared, snapshot, kit)
        var outcome = Outcome(category: name, state: .adapted, events: count, items: items.count)
        (outcome.loss, outcome.ndcg) = (judged?.loss, judged?.ndcg)
        try store.keep(
            version: version, field: kit.field, category: name, events: count, supportItemIDs: witnesses.map(\.itemID),
            payload: adapter.encoded(), metrics: outcome.line.json)
        return outcome
    }

    /// Loss and NDCG@10 on events that an adaptation did not see: those after the first `support`; with no more than these, each in turn by
    /// an adaptation to the others.
    private func judge(
        _ witnesses: [CategoryWitness], among items: [String], _ snapshot: ServingSnapshot, _ kit: CategoryKit
    ) -> (loss: (adapted: Double, unadapted: Double), ndcg: (adapted: Double, unadapted: Double))? {
        let parts: [(support: [CategoryWitness], held: [CategoryWitness])] =
            witnesses.count > support
            ? [(Array(witnesses.prefix(support)), Array(witnesses.dropFirst(support)))]
            : witnesses.indices.map { place in
                (witnesses.enumerated().filter { $0.offset != place }.map(\.element), [witnesses[place]])
            }
        var loss = (adapted: 0.0, unadapted: 0.0), ndcg = (adapted: 0.0, unadapted: 0.0), asked = 0.0
        for part in parts {
            let ids = part.support.map(\.itemID)
            guard let support = snapshot.questions(part.support, support: [], among: items),
                let held = snapshot.questions(part.held, support: ids, among: items)
            else { continue }
            let count = Double(held.users.rows)
            let adapted = held.quality(of: kit.starts.adapted(to: support, by: method))
            let unadapted = held.quality(of: kit.starts.adapted(to: nil, by: .none))
            loss.adapted += adapted.loss * count
            ndcg.adapted += adapted.ndcg * count
            loss.unadapted += unadapted.loss * count
            ndcg.unadapted += unadapted.ndcg * count
            asked += count
        }
        guard asked > 0 else { return nil }
        return ((loss.adapted / asked, loss.unadapted / asked), (ndcg.adapted / asked, ndcg.unadapted / asked))
    }
}

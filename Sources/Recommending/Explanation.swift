import Interactions

/// Says in words why an item is recommended.
struct Explanation {
    let snapshot: ServingSnapshot
    let taste: UserTaste

    /// A sentence without a full stop, in English.
    func text(_ ranked: RankedRow) -> String {
        let entry = snapshot.catalogue[ranked.row]
        switch ranked.reason {
        case .similar:
            if let source = source(of: ranked.row), let place = taste.input.rows.lastIndex(of: source) { return because(source, at: place) }
            return taste.newestRow.map { because($0, at: taste.input.rows.count - 1) } ?? "Similar to what you looked at"
        case .personal:
            if let place = taste.input.rows.lastIndex(of: ranked.row) { return "Because you \(verb(place)) it before" }
            return nearest(to: ranked.row).map { because(taste.input.rows[$0], at: $0) } ?? "Chosen for you"
        case .fresh:
            let new = entry.categories.first.map { "New in \($0)" } ?? "New"
            return ranked.isExploration ? "\(new): shown to find out who likes it (exploration)" : new
        case .adapted:
            return entry.categories.first.map { "Up and coming in \($0)" } ?? "Up and coming"
        case .trending:
            return entry.categories.first.map { "Popular now in \($0)" } ?? "Popular now"
        }
    }

    /// The item of the history after which `row` comes most often.
    private func source(of row: Int32) -> Int32? {
        guard let table = snapshot.blend?.blend.tables.transitions, let signals = taste.signals else { return nil }
        var best: (source: Int32, weight: Float)?
        table.forEach(history: signals.history) { source, target, weight in
            if target == row, weight > best?.weight ?? 0 { best = (source, weight) }
        }
        return best?.source
    }

    /// The place in the history of the item that is most like `row`.
    private func nearest(to row: Int32) -> Int? {
        let dimension = snapshot.vectors.dimension
        let compared = dimension - (snapshot.model?.biasComponents ?? 0)
        return snapshot.vectors.withVector(row) { vector in
            taste.input.vectors.withUnsafeBufferPointer { history -> Int? in
                guard let start = history.baseAddress else { return nil }
                var best: (place: Int, score: Float)?
                for place in taste.input.rows.indices {
                    let score = innerProduct(start + place * dimension, vector, compared)
                    if score >= best?.score ?? -.infinity { best = (place, score) }
                }
                return best?.place
            }
        } ?? nil
    }

    private func because(_ row: Int32, at place: Int) -> String {
        let entry = snapshot.catalogue[row]
        return "Because you \(verb(place)) \(entry.title ?? entry.itemID)"
    }

    private func verb(_ place: Int) -> String {
        switch taste.input.types[place] {
        case .purchase: "bought"
        case .addToCart: "put in your cart"
        case .click, .impression, .return: "looked at"
        }
    }
}

import ContentModel
import MetaLearning

extension ContentSignals {
    /// Lets adapters of categories score items without training.
    ///
    /// - Parameters:
    ///   - entries: as the signals were built with.
    ///   - modelRow: the row that the factors know an item's history by.
    ///   - field: `categories`, or the attribute whose values adapt.
    public mutating func enableAdaptation(_ factors: ContentFactors, field: String, entries: [Entry], modelRow: (String) -> Int?) {
        var signals = AdaptationSignals(factors: factors, field: field, entries: entries, modelRow: modelRow)
        for (row, entry) in entries.enumerated() where !entry.isTrained {
            guard let own = vector(Int32(row)) else { continue }
            signals.set(entry.content, row: Int32(row), own: own, channel: channel)
        }
        adaptation = signals
    }

    /// Puts adapters in force, newest first; those that were are forgotten. Adapters of another rank are left out.
    ///
    /// - Parameter rowOf: the row of an item id.
    mutating func install(_ categories: [AdaptedCategory], rowOf: (String) -> Int32?) {
        guard var signals = adaptation else { return }
        let fitting = categories.filter { $0.adapter.scale.count == signals.factors.rank && $0.adapter.isFinite }
        var supports: [ContentChannel.Profile?] = []
        for category in fitting {
            supports.append(channel.profile(category.supportItemIDs.compactMap { id in rowOf(id).flatMap { vector($0) } }))
        }
        signals.install(fitting, supports: supports)
        var rows: [Int32] = []
        signals.items.forEach { row, _ in rows.append(row) }
        for row in rows { assign(row, in: &signals) }
        adaptation = signals
        compareAdapted()
    }

    mutating func assignCategory(_ row: Int32) {
        guard var signals = adaptation else { return }
        // Held in one place only while it changes, so that it is not copied for each item.
        adaptation = nil
        assign(row, in: &signals)
        adaptation = signals
    }

    private func assign(_ row: Int32, in signals: inout AdaptationSignals) {
        guard let item = item(row) else { return }
        let channel = channel
        signals.assign(row, item) { channel.similarity(item, $0) }
    }

    /// Whether an adapter scores a row.
    @inline(__always)
    func isAdapted(_ row: Int32) -> Bool { adaptation?.adapted.contains(row) ?? false }

    /// The score by the adapter of the row's category; nil without one. On the scale of the content channel, which is that of
    /// trained items: see ``CategoryAdapter/offset``.
    func adaptedScore(_ row: Int32, taste: Taste) -> Float? {
        guard let adaptation, adaptation.adapted.contains(row), let own = adaptation.items[row], let item = own.content,
            let place = own.category, place < taste.adapted.count
        else { return nil }
        let level = channel.weights[ContentChannel.Part.level.rawValue] * taste.level
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: CategoryPart.count) { parts in
            guard let start = parts.baseAddress else { return nil }
            channel.writeCategoryParts(item, factors: own.factors, profile: taste.profile, likeness: own.likeness, into: start)
            return adaptation.categories[place].adapter.logit(parts: start, adapted: taste.adapted[place], item: own.factors.vector) + level
        }
    }
}

extension ContentChannel {
    /// The inner product of an item and a profile of length 1; 0 without one.
    public func similarity(_ item: Item, _ profile: Profile?) -> Float {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Part.count) { parts in
            guard let start = parts.baseAddress else { return 0 }
            write(item, profile: profile, tower: 0, level: 0, into: start)
            return start[Part.similarity.rawValue]
        }
    }

    /// The ``CategoryPart``s of an item for a user.
    public func writeCategoryParts(
        _ item: Item, factors: ContentFactors.Item, profile: Profile?, likeness: Float, into parts: UnsafeMutablePointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Part.count) { own in
            guard let start = own.baseAddress else { return }
            write(item, profile: profile, tower: 0, level: 0, into: start)
            parts[CategoryPart.similarity.rawValue] = Self.categoryScale * start[Part.similarity.rawValue]
            parts[CategoryPart.background.rawValue] = Self.categoryScale * start[Part.background.rawValue]
            parts[CategoryPart.popularity.rawValue] = factors.popularity
            parts[CategoryPart.likeness.rawValue] = Self.categoryScale * likeness
        }
    }

    /// Brings cosines to the size of logits, so that one step size serves all weights.
    public static let categoryScale: Float = 8
}

import ContentModel
import Evaluation
import TrainingFiles

extension DataLook {
    /// Looks at a training log. O(events) and the words of its items.
    ///
    /// - Parameter ratings: what the ratings of its store look like, where somebody looked.
    package init(_ log: TrainingLog, ratings: RatingLook? = nil) {
        self = Self.looked(at: log, log.contents.map(\.isDescribed)) { DataLook($0) }
        impressions = log.impressions.outcomes.count { $0 != ImpressionColumns.declined }
        taken = log.impressions.outcomes.indices.count { log.impressions.isTaken($0) }
        content.count(log.contents, ids: log.itemIDs)
        self.ratings = ratings
    }

    /// Looks at how much there is in a training log, and at its times.
    package init(timesOf log: TrainingLog) {
        self = Self.looked(at: log, [Bool](repeating: false, count: log.itemIDs.count)) { DataLook(timesOf: $0) }
    }

    private static func looked(at log: TrainingLog, _ isDescribed: [Bool], by look: (LogColumns) -> DataLook) -> DataLook {
        log.items.withUnsafeBufferPointer { items in
            log.types.withUnsafeBufferPointer { types in
                log.times.withUnsafeBufferPointer { times in
                    log.amounts.withUnsafeBufferPointer { amounts in
                        look(
                            LogColumns(
                                userStarts: log.userStarts, items: items, types: types, times: times, amounts: amounts,
                                isDescribed: isDescribed))
                    }
                }
            }
        }
    }
}

extension ContentLook {
    /// Items whose attributes are looked through for links, at most.
    private static let linkedItemsLimit = 20_000

    fileprivate mutating func count(_ contents: [ItemContent], ids: [String]) {
        guard !contents.isEmpty else { return }
        func share(_ holds: (ItemContent) -> Bool) -> Double { Double(contents.count(where: holds)) / Double(contents.count) }
        titles = share { $0.title?.hasWords(2) ?? false }
        texts = share { $0.description?.hasWords(10) ?? false }
        tags = share { !$0.tags.isEmpty }
        categories = share { !$0.categories.isEmpty }
        prices = share { $0.priceMicros != nil }
        links = Self.links(contents, ids: ids)
    }

    /// Attributes that most of their values' items are in: at least a tenth of the items have one, and half of the values are ids.
    private static func links(_ contents: [ItemContent], ids: [String]) -> [String] {
        let step = max(1, contents.count / linkedItemsLimit)
        let known = Set(ids)
        var values: [Substring: (items: Int, all: Int, ids: Int)] = [:], looked = 0
        for place in stride(from: 0, to: contents.count, by: step) {
            looked += 1
            var names: Set<Substring> = []
            for token in contents[place].attributes {
                guard let end = token.firstIndex(of: "=") else { continue }
                let name = token[..<end]
                var found = values[name] ?? (0, 0, 0)
                if names.insert(name).inserted { found.items += 1 }
                found.all += 1
                // An item that names itself links to nothing.
                let value = String(token[token.index(after: end)...])
                if value != ids[place], known.contains(value) { found.ids += 1 }
                values[name] = found
            }
        }
        let linking = values.filter { $0.value.items * 10 >= looked && $0.value.ids * 2 >= $0.value.all && $0.value.ids >= 20 }
        return linking.keys.map(String.init).filter { name in !name.contains { $0 == "," || $0.isWhitespace } }.sorted()
    }
}

extension ItemContent {
    /// Whether words, tags or categories are known.
    fileprivate var isDescribed: Bool {
        !tags.isEmpty || !categories.isEmpty || title?.hasWords(2) ?? false || description?.hasWords(10) ?? false
    }
}

extension String {
    /// Whether there are so many words, told by spaces.
    fileprivate func hasWords(_ count: Int) -> Bool {
        var words = 0, isInside = false
        for byte in utf8 {
            let isSpace = byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D
            if !isSpace && !isInside {
                words += 1
                if words == count { return true }
            }
            isInside = !isSpace
        }
        return false
    }
}

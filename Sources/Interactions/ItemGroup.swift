import Bytes

/// Variants of one thing, such as the sizes of a shoe. They are learned, counted and ranked as one item, under an id that no item can
/// have; which of them a list shows is decided when it is made.
public enum ItemGroup {
    /// Members whose records say what a group is: of a larger group the first by their ids.
    public static let describingMembersLimit = 64
    /// Values that a group's record keeps of an attribute.
    static let attributeValuesLimit = 64
    /// A group whose attributes together are larger has those of its first member.
    static let attributesLimitBytes = 64 << 10
    /// Begins the ids of groups where items have theirs: ids of items hold no control characters.
    static let mark: Character = "\u{1D}"

    /// Under what a group is learned and ranked.
    public static func unitID(_ groupID: String) -> String { String(mark) + groupID }

    /// What a group's members say together: the words of the first, categories and tags of all, each attribute with every value that it
    /// has, the lowest price of the first one's currency, the first embedding, the earliest publication. It is hidden where all are.
    ///
    /// - Parameter members: at least one, in the order of their ids.
    /// - Complexity: O(text of the members), of ``describingMembersLimit`` at most.
    public static func merged(_ members: [ItemRecord], groupID: String) -> ItemRecord {
        let told = members.prefix(describingMembersLimit)
        var record = ItemRecord(itemID: unitID(groupID), groupID: groupID)
        record.title = told.lazy.compactMap(\.title).first
        record.description = told.lazy.compactMap(\.description).first
        record.categories = distinct(told.flatMap(\.categories))
        record.tags = distinct(told.flatMap(\.tags))
        record.currency = told.lazy.compactMap { $0.priceMicros == nil ? nil : $0.currency }.first ?? told.first?.currency
        record.priceMicros = members.filter { $0.currency == record.currency }.compactMap(\.priceMicros).min()
        record.attributes = attributes(told.compactMap(\.attributes))
        record.embedding = told.lazy.compactMap(\.embedding).first
        record.publishedAt = members.compactMap(\.publishedAt).min()
        record.updatedAt = members.compactMap(\.updatedAt).max()
        record.hidden = members.allSatisfy(\.hidden)
        return record
    }

    /// Of each member the attributes, as tokens `name=value` in lower case, that not all of them have: what tells them apart.
    public static func distinguishing(_ members: [ItemRecord]) -> [[String]] {
        let tokens = members.map { record in
            distinct((record.attributes.map { JSONText.tokens(ofObject: $0) } ?? []).map { $0.lowercased() })
        }
        var holders: [String: Int] = [:]
        for own in tokens { for token in own { holders[token, default: 0] += 1 } }
        return tokens.map { $0.filter { holders[$0] != members.count } }
    }

    private static func distinct(_ values: [String]) -> [String] {
        var seen: Set<String> = []
        return values.filter { seen.insert($0).inserted }
    }

    private static func attributes(_ objects: [String]) -> String? {
        guard let first = objects.first, objects.contains(where: { $0 != first }) else { return objects.first }
        let decoder = RecordDecoder(rules: .stored)
        var values: [String: [JSONTree]] = [:]
        for text in objects {
            var text = text
            let tree = text.withUTF8 { decoder.tree(UnsafeRawBufferPointer($0), maxBytes: $0.count) }
            guard case .success(.object(let members)) = tree else { continue }
            for member in members {
                let own = if case .list(let list) = member.value { list } else { [member.value] }
                for value in own where value != .null {
                    let known = values[member.name] ?? []
                    if known.count < attributeValuesLimit, !known.contains(value) { values[member.name] = known + [value] }
                }
            }
        }
        let merged = JSONWriter.object { object in
            for (name, own) in values.sorted(by: { $0.key < $1.key }) {
                object.key(data: name)
                // Objects inside say what they are by their keys: those of a list would not be read.
                if own.count == 1 || own[0].members != nil {
                    own[0].write(to: &object)
                } else {
                    object.array { array in for value in own { value.write(to: &array) } }
                }
            }
        }
        return merged.utf8.count > attributesLimitBytes ? first : merged
    }
}

extension ItemRecord {
    /// Under what the item is learned and ranked: its own id, or that of its group.
    public var unitID: String { groupID.map(ItemGroup.unitID) ?? itemID }

    /// Whether it may be recommended at some time: it is not hidden, and there are some.
    public var isOffered: Bool { !hidden && stock != 0 }

    /// Whether it may be recommended at a time.
    public func isAvailable(at time: EventTime) -> Bool {
        isOffered && (availableFrom.map { $0 <= time } ?? true) && (availableUntil.map { time < $0 } ?? true)
    }
}

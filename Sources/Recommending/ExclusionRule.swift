import Interactions

/// What a user did with an item that keeps it out of that user's answers: as `rules.exclude` names it, or as a training decided it.
///
/// What somebody had may be shown again where it is taken again. That can differ by category: tea is bought again, a washing machine is
/// not. So there are two parts: kinds of interactions that keep out items of any category, and kinds that keep out only those of some.
public struct ExclusionRule: Sendable, Equatable, ExpressibleByArrayLiteral {
    /// A bit for each kind of interaction, `1 << rawValue`, that keeps an item out whatever its category.
    public private(set) var mask: UInt8
    /// The same for items of ``categories``.
    public private(set) var categoryMask: UInt8
    /// Finest categories, the last ones that records name, whose items ``categoryMask`` keeps out.
    public private(set) var categories: Set<String>

    /// A rule of kinds alone, or with categories.
    ///
    /// - Parameters:
    ///   - types: keep an item out whatever its category. Impressions keep out nothing.
    ///   - categoryTypes, categories: keep out items of these categories.
    public init(
        _ types: some Sequence<InteractionType> = [], categoryTypes: some Sequence<InteractionType> = [], categories: Set<String> = []
    ) {
        mask = Self.mask(types.map(\.rawValue))
        categoryMask = categories.isEmpty ? 0 : Self.mask(categoryTypes.map(\.rawValue))
        self.categories = categoryMask == 0 ? [] : categories
    }

    /// A rule of kinds by their raw values.
    public init(arrayLiteral types: UInt8...) {
        self.init(rawTypes: types)
    }

    /// A rule of kinds by their raw values.
    public init(rawTypes: some Sequence<UInt8>) {
        (mask, categoryMask, categories) = (Self.mask(rawTypes), 0, [])
    }

    /// What was bought stays out: what is done where nothing is known of how people take things again.
    public static let purchased = ExclusionRule([.purchase])
    /// Whatever was met stays out.
    public static let seen = ExclusionRule(InteractionType.acts)

    /// Whether nothing is kept out.
    public var isEmpty: Bool { mask == 0 && categoryMask == 0 }

    /// The kinds of interactions that have to be known of a user.
    public var types: [InteractionType] { Self.types(mask | categoryMask) }

    /// The kinds that keep an item out whatever its category, in their order.
    public var everywhere: [InteractionType] { Self.types(mask) }

    /// Whether an item stays out that was met in some ways.
    ///
    /// - Parameters:
    ///   - ways: a bit for each kind of interaction.
    ///   - category: the item's finest one; asked where it decides only.
    @inline(__always)
    public func keepsOut(_ ways: UInt8, category: () -> String?) -> Bool {
        if ways & mask != 0 { return true }
        guard ways & categoryMask != 0, let category = category() else { return false }
        return categories.contains(category)
    }

    private static func mask(_ types: some Sequence<UInt8>) -> UInt8 {
        types.reduce(0) { $1 > 0 && $1 < 8 ? $0 | 1 << $1 : $0 }
    }

    private static func types(_ mask: UInt8) -> [InteractionType] {
        InteractionType.allCases.filter { mask & (1 << $0.rawValue) != 0 }
    }
}

// As a note of a model: both masks, then each category with its length before it, since a name may hold any sign.
extension ExclusionRule {
    /// The rule in words of one line, the same for equal rules.
    public var encoded: String {
        "\(mask) \(categoryMask)" + categories.sorted().map { " \($0.utf8.count):\($0)" }.joined()
    }

    /// A rule from what ``encoded`` gave; nil for anything else.
    public init?(encoded text: String) {
        var rest = Substring(text).utf8
        func number(endedBy end: UInt8?) -> Int? {
            let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            guard let value = Int(Substring(digits)) else { return nil }
            rest = rest.dropFirst(digits.count)
            guard let end else { return value }
            guard rest.first == end else { return nil }
            rest = rest.dropFirst()
            return value
        }
        guard let first = number(endedBy: UInt8(ascii: " ")), let second = number(endedBy: nil),
            let mask = UInt8(exactly: first), let categoryMask = UInt8(exactly: second)
        else { return nil }
        var categories: Set<String> = []
        while !rest.isEmpty {
            guard rest.first == UInt8(ascii: " ") else { return nil }
            rest = rest.dropFirst()
            guard let length = number(endedBy: UInt8(ascii: ":")), length <= rest.count else { return nil }
            guard let name = String(rest.prefix(length)) else { return nil }
            categories.insert(name)
            rest = rest.dropFirst(length)
        }
        (self.mask, self.categoryMask, self.categories) = (mask, categoryMask, categories)
    }
}

extension ServingSnapshot {
    /// Of items that a user met those that a rule keeps out.
    ///
    /// - Parameters:
    ///   - itemIDs: items that were met in one of the rule's ways.
    ///   - ways: of each, a bit for each way.
    /// - Complexity: O(items); the catalogue is asked only where categories decide.
    public func keptOut(_ itemIDs: [String], ways: [UInt8], by rule: ExclusionRule) -> [String] {
        guard rule.categoryMask != 0 else { return itemIDs }
        return zip(itemIDs, ways).compactMap { id, ways in
            rule.keepsOut(ways) { entry(id)?.categories.last } ? id : nil
        }
    }
}

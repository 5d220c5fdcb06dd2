/// What an item is to a user, where lists have shares for it. Each item is one of them.
public enum ItemKind: Int, Sendable, CaseIterable {
    /// The user had it: clicked it, put it into a cart or bought it, and did not give it back.
    case `repeat`
    /// The model never learned from it, and it is no old item that nobody took; the user did not have it yet.
    case new
    /// The user never had anything of its finest category, nor it; of an item without a category, never had it.
    case discovery
    /// The user had others of its finest category.
    case familiar

    /// Many of them, in words.
    public var plural: String {
        switch self {
        case .repeat: "repeats"
        case .new: "new items"
        case .discovery: "discoveries"
        case .familiar: "familiar items"
        }
    }
}

/// How many of a list a shop wants to be repeats, discoveries and new items.
///
/// Of the first n items of a list, for every n, at least ⌊n · least⌋ and at most ⌈n · most⌉ are of a kind (Geyik et al. 2019): each share
/// is kept as nearly as whole items allow, of a list that is cut anywhere. Where a kind runs out the others fill its places; no list is
/// shorter for it.
public struct ListShares: Sendable, Equatable {
    /// In whole percent, the least and the most of what the user had.
    public var repeats: ClosedRange<Int>
    /// The same of kinds of things that the user never had.
    public var discoveries: ClosedRange<Int>
    /// The same of what is new to everybody.
    public var newItems: ClosedRange<Int>

    /// Any share.
    public static let whole = 0...100

    /// Shares; by default whatever the ranking says.
    public init(
        repeats: ClosedRange<Int> = ListShares.whole, discoveries: ClosedRange<Int> = ListShares.whole,
        newItems: ClosedRange<Int> = ListShares.whole
    ) {
        self.repeats = repeats.clamped(to: Self.whole)
        self.discoveries = discoveries.clamped(to: Self.whole)
        self.newItems = newItems.clamped(to: Self.whole)
    }

    /// Whether anything is asked for.
    public var isSet: Bool { self != ListShares() }

    /// What is asked of a kind.
    public subscript(kind: ItemKind) -> ClosedRange<Int> {
        switch kind {
        case .repeat: repeats
        case .new: newItems
        case .discovery: discoveries
        case .familiar: Self.whole
        }
    }

    /// The fewest of a kind among the first `count` items.
    public func least(_ kind: ItemKind, of count: Int) -> Int { count * self[kind].lowerBound / 100 }

    /// The most of a kind among the first `count` items.
    public func most(_ kind: ItemKind, of count: Int) -> Int { (count * self[kind].upperBound + 99) / 100 }
}

/// Why an item stands before others that the ranking prefers.
public enum ShareCause: Sendable, Equatable {
    /// A kind was due.
    case due(ItemKind)
    /// Of a kind that would have come first there are enough.
    case enough(ItemKind)

    /// In words.
    public var words: String {
        switch self {
        case .due(let kind): "here by the shop's share of \(kind.plural)"
        case .enough(let kind): "here because the shop's share of \(kind.plural) is full"
        }
    }
}

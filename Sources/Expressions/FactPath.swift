import Bytes

/// What an expression is about: the names that it may begin with.
public enum FactRoot: String, Sendable, Hashable, CaseIterable {
    /// The item that may be shown: the fields of its record.
    case item
    /// The user's attributes, by their names.
    case user
    /// What the request says of the moment, by its names.
    case context
    /// What the request is made beside: the items of a cart.
    case cart
    /// The time of the request.
    case now
}

/// One fact that an expression asks for.
public struct FactPath: Sendable, Hashable, CustomStringConvertible {
    /// Where it begins.
    public let root: FactRoot
    /// The field, attribute or name; nil for the whole of `user`, `context` and `now`.
    public let member: String?
    /// The name of one of an item's attributes, where `member` is `attributes`; nil for all of them.
    public let attribute: String?

    /// Makes a path.
    public init(_ root: FactRoot, _ member: String? = nil, attribute: String? = nil) {
        (self.root, self.member, self.attribute) = (root, member, attribute)
    }

    /// As it is written.
    public var description: String {
        [root.rawValue, member, attribute].compactMap { $0 }.joined(separator: ".")
    }

    /// Whether `has()` asks for an element, since the list itself is always there.
    var isListField: Bool {
        switch (root, member) {
        case (.item, "categories"), (.item, "tags"), (.cart, _): true
        default: false
        }
    }
}

/// What is known where an expression is evaluated.
public protocol ExpressionFacts {
    /// The value of a fact; nil where there is none. Lists of an item and of a cart are empty rather than absent.
    func value(of path: FactPath) -> ExpressionValue?
}

/// The names that expressions know, with the types of their values.
enum FactNames {
    /// The fields of an item's record (`schemas/item.v1.json`) but its vectors.
    static let item: [String: StaticType] = [
        "item_id": .string, "title": .string, "description": .string, "categories": .list, "tags": .list, "price": .double,
        "currency": .string, "attributes": .map, "published_at": .timestamp, "updated_at": .timestamp, "hidden": .bool,
        "item_group_id": .string, "available_from": .timestamp, "available_until": .timestamp, "stock": .int,
    ]

    /// What is known of the items that the request names: their ids, and all of their categories and tags.
    static let cart: [String: StaticType] = ["item_ids": .list, "categories": .list, "tags": .list]

    /// The sentence about a name that is not known, with the nearest that is.
    static func unknown(_ name: String, kind: String, among known: some Collection<String>) -> String {
        let sorted = known.sorted()
        let nearest = NearestName.of(name, among: sorted, leastReach: min(3, name.utf8.count - 1))
        let help = nearest.map { "did you mean \($0)?" } ?? "known: \(sorted.joined(separator: ", "))"
        return "there is no \(kind) \(shown(name)); \(help)"
    }

    /// A name for people, cut where it is long.
    private static func shown(_ name: String) -> String {
        name.unicodeScalars.count <= 64 ? name : String(String.UnicodeScalarView(name.unicodeScalars.prefix(64))) + "…"
    }
}

/// What is known of a value's type before it is evaluated.
enum StaticType: String {
    case null, bool, int, uint, double, string, timestamp, duration, list, map
    /// Anything: the facts decide.
    case any

    var isNumber: Bool { self == .int || self == .uint || self == .double }
}

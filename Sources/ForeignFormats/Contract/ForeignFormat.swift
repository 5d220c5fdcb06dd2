import Interactions

/// What wrote a file.
public enum ForeignFormat: String, Sendable, CaseIterable {
    /// A table whose columns `--map` names.
    case csv
    /// RecBole's `.inter`, `.item` and `.user` files: tabs, and a header with types.
    case recbole
    /// A Google Merchant feed: RSS or Atom, or a table with tabs.
    case merchant
    /// JSON Lines as Gorse exports users, items and feedback.
    case gorse
    /// Events of Metarank, one JSON object a line.
    case metarank

    /// The kinds of records that a file may hold, in the order in which they are stored; of files of RecBole and
    /// Gorse the name says the kind.
    public func kinds(ofFileNamed name: String) -> [RecordKind] {
        switch self {
        case .csv: return [.events]
        case .merchant: return [.items]
        case .metarank: return [.items, .users, .impressions, .events]
        case .gorse:
            let small = name.split(separator: "/").last?.lowercased() ?? ""
            return [small.contains("item") ? .items : small.contains("user") ? .users : .events]
        case .recbole:
            let plain = name.hasSuffix(".gz") ? name.dropLast(3) : name[...]
            if plain.hasSuffix(".item") { return [.items] }
            return plain.hasSuffix(".user") ? [.users] : [.events]
        }
    }
}

import Interactions

/// What wrote a file.
public enum ForeignFormat: String, Sendable, CaseIterable {
    /// A table whose columns `--map` names.
    case csv
    /// RecBole's `.inter`, `.item` and `.user` files: tabs, and a header with types.
    case recbole
    /// A Google Merchant feed: RSS or Atom, or a table with tabs.
    case merchant

    /// The kinds of records that a file may hold, in the order in which they are stored; of a file of RecBole its name says the kind.
    public func kinds(ofFileNamed name: String) -> [RecordKind] {
        switch self {
        case .csv: return [.events]
        case .merchant: return [.items]
        case .recbole:
            let plain = name.hasSuffix(".gz") ? name.dropLast(3) : name[...]
            if plain.hasSuffix(".item") { return [.items] }
            return plain.hasSuffix(".user") ? [.users] : [.events]
        }
    }
}

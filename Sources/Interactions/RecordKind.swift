/// What a topic or a file holds.
public enum RecordKind: String, Sendable, CaseIterable {
    case events, items, users, impressions

    /// What a mapped topic holds.
    public init(_ kind: MappedKind) {
        switch kind {
        case .events: self = .events
        case .items: self = .items
        case .users: self = .users
        }
    }
}

/// What a topic or a file holds.
public enum RecordKind: String, Sendable, CaseIterable {
    case events, items, users, impressions
}

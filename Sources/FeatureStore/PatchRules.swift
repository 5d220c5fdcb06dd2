/// What becomes of patches of items that no record has described, and how many of them wait.
public struct PatchRules: Sendable, Equatable {
    /// What a patch of an unknown item does.
    public enum UnknownItems: String, Sendable, CaseIterable {
        /// It waits for the item's record.
        case wait
        /// It makes a bare item, of which it states some fields.
        case create
    }

    /// What a patch of an unknown item does.
    public var unknownItems = UnknownItems.wait
    /// Patches that wait at most; beyond, the oldest become dead letters.
    public var waitingLimitPatches = 100_000
    /// How long one waits at most, in hours; then it becomes a dead letter.
    public var waitingLimitHours = 168

    /// The currency of a price that a patch states where nothing states its currency.
    public var defaultCurrency = "USD"
    /// Whether those that have waited for too long become dead letters with the commits of this store.
    public var looksForOverdue = true

    /// The defaults of the settings.
    public init() {}
}

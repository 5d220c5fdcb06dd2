/// When the index of a snapshot that has changed is built anew.
public struct RebuildPolicy: Sendable, Equatable {
    /// So many vectors outside the index at most: each search compares all of them.
    public var maxFreshItems: Int
    /// The share of the index that may be gone or replaced, from 0 to 1: what is still looked at and never found.
    public var maxRemovedShare: Double

    /// Items that came and went between two builds at most, where the share of the index is smaller: a few hundred bytes each.
    static let lapsedItems = 5_000

    /// Makes a policy.
    public init(maxFreshItems: Int = 20_000, maxRemovedShare: Double = 0.2) {
        self.maxFreshItems = max(maxFreshItems, 0)
        self.maxRemovedShare = maxRemovedShare
    }

    /// Whether the index of a snapshot is to be built anew.
    public func isDue(for snapshot: ServingSnapshot) -> Bool {
        snapshot.freshCount > maxFreshItems || snapshot.lacksContentIndex
            || Double(snapshot.removedCount) > maxRemovedShare * Double(max(snapshot.indexedCount, 1))
            || Double(snapshot.lapsedCount) > max(Double(Self.lapsedItems), maxRemovedShare * Double(snapshot.indexedCount))
    }
}

/// What a person agreed to at the start of a consumer.
public struct IngestConsent: Sendable, Equatable {
    /// Another cluster, or another topic of the same name, is read from its beginning.
    public var newCluster: Bool
    /// A partition whose next records the broker no longer has goes on at the oldest one that it has.
    public var missingRecords: Bool

    /// Makes a consent; whoever takes another cluster takes missing records, too.
    public init(newCluster: Bool = false, missingRecords: Bool = false) {
        self.newCluster = newCluster
        self.missingRecords = missingRecords || newCluster
    }
}

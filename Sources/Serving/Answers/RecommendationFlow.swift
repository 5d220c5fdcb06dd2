import Features
import FeatureStore
import Interactions
import Recommending

/// One request's way: the user's state as the database has it now, the snapshot in force, the answer, its impressions.
package struct RecommendationFlow: Sendable {
    /// Reads the state of users.
    package let states: UserStateReader
    /// Holds the snapshot in force.
    package let feed: SnapshotFeed
    /// Publishes what was shown; nil where nothing is published.
    package let impressions: ImpressionFeed?
    private let excludes: [InteractionType]
    private let clock: ServingClock

    /// A way to answers.
    ///
    /// - Parameter excludes: interactions that keep an item out of answers.
    package init(
        states: UserStateReader, feed: SnapshotFeed, impressions: ImpressionFeed?, excludes: [InteractionType], clock: ServingClock
    ) {
        self.states = states
        self.feed = feed
        self.impressions = impressions
        self.excludes = excludes
        self.clock = clock
    }

    /// An answer with what the database knew of the user.
    struct Outcome: Sendable {
        var answer: RecommendationAnswer
        var watermark: Watermark
        var isColdUser: Bool
        var snapshot: ServingSnapshot
    }

    /// Answers `query`.
    ///
    /// - Parameter isPreview: somebody only looks; nothing is published.
    /// - Throws: `StoreError` when the database does not answer.
    func answer(_ query: RecommendationQuery, requestID: String, isPreview: Bool = false) async throws -> Outcome {
        let session = query.sessionID.map { DecodingRules.sessionPrefix + $0 }
        var history = UserHistory()
        var excluded: [String] = []
        var attributes: String?
        var watermark = Watermark()
        var catalogue = CatalogueMark()
        // A session's own history counts with or without a user: at login nothing is forgotten.
        for id in [query.userID, session].compactMap({ $0 }) {
            let state = try await states.read(userID: id, exclude: excludes)
            history.merge(state.history)
            excluded.append(contentsOf: state.excludedItemIDs)
            attributes = attributes ?? state.attributes
            for position in state.watermark where position.partition >= 0 { watermark.add(position) }
            if state.catalogue.version >= catalogue.version { catalogue = state.catalogue }
        }
        // The state was read after the commit that hid an item: the catalogue must be at least as new.
        let snapshot = try await feed.snapshot(atLeast: catalogue)
        let now = clock.now
        let answer = recommend(
            query, history: history, excluded: excluded, attributes: attributes, snapshot: snapshot, now: now,
            requestID: requestID)
        if !isPreview, let id = query.userID ?? session {
            impressions?.publish(answer, userID: id, sessionID: query.sessionID, at: clock.wall.now())
        }
        return Outcome(
            answer: answer, watermark: watermark, isColdUser: history.entries.isEmpty, snapshot: snapshot)
    }
}

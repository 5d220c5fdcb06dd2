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
    /// What `rules.exclude` keeps out; nil where the model in force says it.
    private let excludes: ExclusionRule?
    private let clock: ServingClock

    /// A way to answers.
    ///
    /// - Parameter excludes: what keeps an item out of answers; nil where the model in force says it.
    package init(
        states: UserStateReader, feed: SnapshotFeed, impressions: ImpressionFeed?, excludes: ExclusionRule?, clock: ServingClock
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
        /// Whether anything of the person was read.
        var isPersonalised: Bool
    }

    /// Answers `query`.
    ///
    /// - Parameter isPreview: somebody only looks; nothing is published.
    /// - Throws: `StoreError` when the database does not answer.
    func answer(_ query: RecommendationQuery, requestID: String, isPreview: Bool = false) async throws -> Outcome {
        let session = query.sessionID.map { DecodingRules.sessionPrefix + $0 }
        var rule = excludes ?? feed.current.exclusion
        var person = try await person(query, session, rule)
        // The state was read after the commit that hid an item: the catalogue must be at least as new.
        var snapshot = try await feed.snapshot(atLeast: person.catalogue)
        // Another model took over meanwhile, and it keeps other items out: what it asks for is read.
        while excludes == nil, snapshot.exclusion != rule {
            rule = snapshot.exclusion
            person = try await self.person(query, session, rule)
            snapshot = try await feed.snapshot(atLeast: person.catalogue)
        }
        let now = clock.now
        // Who does not want it is nobody in particular: the context of the request is all that counts.
        let asked = person.isPersonalised ? query : query.ofNobody
        var answer = recommend(
            asked, history: person.history, excluded: snapshot.keptOut(person.met, ways: person.ways, by: rule),
            attributes: person.attributes, snapshot: snapshot, now: now, requestID: requestID)
        if !isPreview, let id = query.userID ?? session {
            impressions?.publish(
                answer, userID: person.isPersonalised ? id : nil, sessionID: asked.sessionID, at: clock.wall.now())
        }
        answer.userID = query.userID
        return Outcome(
            answer: answer, watermark: person.watermark, isColdUser: person.history.entries.isEmpty, snapshot: snapshot,
            isPersonalised: person.isPersonalised)
    }

    /// What the database knows of whom a query names.
    private struct Person {
        var history: UserHistory
        /// Items that a rule may keep out, each with the ways in which it was met; one may be there twice.
        var met: [String] = [], ways: [UInt8] = []
        var attributes: String?
        var watermark = Watermark()
        var catalogue = CatalogueMark()
        var isPersonalised = true
    }

    /// Reads a user and a session. A session's own history counts with or without a user: at login nothing is forgotten.
    private func person(_ query: RecommendationQuery, _ session: String?, _ rule: ExclusionRule) async throws -> Person {
        var person = Person(history: UserHistory(limit: states.historyLimitEvents))
        guard query.isPersonalised else { return try await unread(rule) }
        for id in [query.userID, session].compactMap({ $0 }) {
            let state = try await states.read(userID: id, exclude: rule.types)
            guard state.isPersonalised else { return try await unread(rule) }
            person.history.merge(state.history)
            person.met.append(contentsOf: state.excludedItemIDs)
            person.ways.append(contentsOf: state.excludedWays)
            person.attributes = person.attributes ?? state.attributes
            for position in state.watermark where position.partition >= 0 { person.watermark.add(position) }
            if state.catalogue.version >= person.catalogue.version { person.catalogue = state.catalogue }
        }
        return person
    }

    /// Nobody: of the database only where its catalogue is.
    private func unread(_ rule: ExclusionRule) async throws -> Person {
        var person = Person(history: UserHistory(limit: states.historyLimitEvents))
        person.catalogue = try await states.read(userID: Interaction.nobody, exclude: rule.types).catalogue
        person.isPersonalised = false
        return person
    }
}

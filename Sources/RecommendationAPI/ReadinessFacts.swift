/// What was last seen of the parts around the service, and the sentences that follow from it.
///
/// Required is what an answer needs: that a user's state can be read, and that the catalogue is as new as that state. Everything
/// else is told apart and keeps no server out of service: answers go on without Kafka, without a model and during a swap.
public struct ReadinessFacts: Sendable {
    /// The registry's word and what became of it.
    public struct Model: Sendable, Equatable {
        /// Whether the registry was read since the start.
        public var isKnown = false
        /// The promoted version; nil where none is.
        public var promoted: Int?
        /// The version that is being loaded, and since when.
        public var loading: (version: Int, since: ContinuousClock.Instant)?
        /// The version that could not be used, and why.
        public var refused: (version: Int, reason: String)?

        /// Nothing known.
        public init() {}

        /// Whether both say the same.
        public static func == (a: Model, b: Model) -> Bool {
            a.isKnown == b.isKnown && a.promoted == b.promoted && a.loading?.version == b.loading?.version
                && a.refused?.version == b.refused?.version && a.refused?.reason == b.refused?.reason
        }
    }

    /// What was found of the records that wait for ingest.
    public struct Ingest: Sendable, Equatable {
        /// Partitions of the topics whose stored offset is of another cluster than the one that answers.
        public var foreignPartitions: Int
        /// Configured topics that the cluster does not have.
        public var missingTopics: [String]
        /// Records that are not stored yet; nil where that is not known.
        public var lagRecords: Int64?
        /// Since when records wait and none was stored; nil where none waits, or one was stored at the last look.
        public internal(set) var waitingSince: ContinuousClock.Instant?
        /// Tells whether something was stored between two looks: the sum of the stored offsets.
        public var storedOffsets: Int64?

        /// Makes a finding.
        public init(foreignPartitions: Int = 0, missingTopics: [String] = [], lagRecords: Int64? = nil, storedOffsets: Int64? = nil) {
            self.storedOffsets = storedOffsets
            self.foreignPartitions = foreignPartitions
            self.missingTopics = missingTopics
            self.lagRecords = lagRecords
        }
    }

    /// Reading a user's state, as every answer does.
    public var database = PartLook()
    /// Bringing the catalogue to the version that this state names.
    public var catalogue = PartLook()
    /// Kafka's metadata and ends of partitions.
    public var broker = PartLook()
    /// The loop that looks for changed items and promoted models.
    public var updates = PartLook()
    /// The loop that reads what is popular.
    public var trending = PartLook()
    /// The loop that counts what segments of the users do.
    public var segments = PartLook()
    /// Of the model.
    public var model = Model()
    /// Of what stores.
    public var ingest = Ingest()
    /// Since when records are refused at once, as Kafka does not take them; nil while it does.
    public var intakeAwaySince: ContinuousClock.Instant?
    /// Answers whose impressions were not published since the start.
    public var lostImpressions = 0
    /// When that last happened, and what was said.
    public var impressionsLostAt: ContinuousClock.Instant?
    /// Why impressions are not recorded; nil where they are.
    public var impressionsProblem: String?

    /// Nothing seen yet.
    public init() {}

    /// A part that has not answered for so long is away.
    public static let silence = Duration.seconds(5)
    /// The loops come round every few seconds: one that has not for so long has stopped.
    public static let watch = Duration.seconds(60)

    /// Records wait for so long before ingest counts as standing still: it joins its group, or looks at a backlog, within that.
    public static let standstill = Duration.seconds(30)

    /// Takes in what was found of ingest at a look.
    public mutating func see(_ found: Ingest, at now: ContinuousClock.Instant) {
        let before = ingest
        ingest = found
        guard let lag = found.lagRecords, lag > 0 else { return }
        ingest.waitingSince = found.storedOffsets == before.storedOffsets ? before.waitingSince ?? now : now
    }

    /// Every part, those that are required first.
    public func parts(
        servedModel: Int?, availableItems: Int, at now: ContinuousClock.Instant
    ) -> [PartStatus] {
        [databasePart(now), cataloguePart(availableItems, now), modelPart(servedModel, now), brokerPart(now), intakePart(now),
         ingestPart(now), updatesPart(now), trendingPart(now), segmentsPart(now),
         impressionsPart(now)]
    }

    private func databasePart(_ now: ContinuousClock.Instant) -> PartStatus {
        let (state, seconds) = database.state(at: now, silence: Self.silence)
        let detail =
            switch state {
            case .ok: "answers"
            case .silent: "has not answered for \(seconds) s: recommendations and look-ups wait and are answered 503 or 504"
            case .away: "does not answer: recommendations and look-ups are answered 503, events are still taken by Kafka"
            default: "was not asked yet"
            }
        return PartStatus(name: "database", isReady: state == .ok, detail: detail, state: state, reason: database.problem)
    }

    private func cataloguePart(_ available: Int, _ now: ContinuousClock.Instant) -> PartStatus {
        let (state, seconds) = catalogue.state(at: now, silence: Self.silence)
        let detail =
            switch state {
            case .ok: "\(available) items may be recommended"
            case .silent: "what has changed in it has been read for \(seconds) s, and answers wait for it"
            case .away: "what has changed in it cannot be read, so that answers are 503"
            default: "was not read yet"
            }
        return PartStatus(name: "catalogue", isReady: state == .ok, detail: detail, state: state, reason: catalogue.problem)
    }

    private func modelPart(_ served: Int?, _ now: ContinuousClock.Instant) -> PartStatus {
        func part(_ state: PartState, _ detail: String, _ reason: String? = nil) -> PartStatus {
            PartStatus(
                name: "model", isReady: state != .refused && state != .unknown, detail: detail, state: state, isRequired: false,
                reason: reason)
        }
        let answers = served.map { "version \($0) answers" } ?? "answers come from what is trending"
        // One that is tried again is still one that could not be used.
        if let refused = model.refused, refused.version != served, refused.version == model.promoted ?? refused.version {
            return part(.refused, "version \(refused.version) is promoted and cannot be used; \(answers)", refused.reason)
        }
        if let loading = model.loading {
            let seconds = PartLook.seconds(loading.since, now)
            if loading.version == served { return part(.loading, "\(answers); its index has been built anew for \(seconds) s") }
            return part(.loading, "version \(loading.version) has been loading for \(seconds) s; until then \(answers)")
        }
        guard model.isKnown else {
            return served == nil ? part(.unknown, "which one is promoted was not read yet; \(answers)") : part(.ok, answers)
        }
        switch (model.promoted, served) {
        case (nil, nil): return part(.none, "none is promoted yet; \(answers)")
        case (nil, _): return part(.ok, "\(answers), and none is promoted any more")
        case (let promoted?, _) where promoted == served: return part(.ok, answers)
        case (let promoted?, _): return part(.loading, "version \(promoted) is promoted and not loaded yet; \(answers)")
        }
    }

    private func brokerPart(_ now: ContinuousClock.Instant) -> PartStatus {
        let (state, seconds) = broker.state(at: now, silence: Self.silence, watch: Self.watch)
        let detail =
            switch state {
            case .ok: "answers"
            case .silent: "has not answered for \(seconds) s: events are refused, recommendations go on"
            case .away: "does not answer: events are refused, recommendations go on"
            case .unwatched: "was not asked for \(seconds) s: the loop that asks has stopped, restart the server"
            default: "was not asked yet"
            }
        return PartStatus(
            name: "broker", isReady: state == .ok, detail: detail, state: state, isRequired: false, reason: broker.problem)
    }

    private func intakePart(_ now: ContinuousClock.Instant) -> PartStatus {
        let seconds = intakeAwaySince.map { PartLook.seconds($0, now) }
        return PartStatus(
            name: "intake", isReady: seconds == nil,
            detail: seconds.map { "Kafka has not taken records for \($0) s: what is sent is answered 503 at once until it does" }
                ?? "what is sent is handed to Kafka",
            isRequired: false)
    }

    private func ingestPart(_ now: ContinuousClock.Instant) -> PartStatus {
        func part(_ state: PartState, _ detail: String, _ reason: String? = nil) -> PartStatus {
            PartStatus(
                name: "ingest", isReady: state == .ok, detail: detail, state: state, isRequired: false, reason: reason)
        }
        if !ingest.missingTopics.isEmpty {
            return part(
                .away, ingest.missingTopics.count == 1 ? "a configured topic does not exist" : "configured topics do not exist",
                "create \(ingest.missingTopics.joined(separator: ", ")), or correct the names under topics")
        }
        if ingest.foreignPartitions > 0 {
            return part(
                .other,
                "the stored offsets of \(ingest.foreignPartitions) partitions are of another cluster than the one that answers: "
                    + "freshet ingest --accept-new-cluster takes it over")
        }
        guard let lag = ingest.lagRecords else { return part(.unknown, "how far it is behind is not known now") }
        if let since = ingest.waitingSince, since.duration(to: now) >= Self.standstill {
            let words =
                "\(lag) records are not stored yet, and none was for \(PartLook.seconds(since, now)) s: see that freshet ingest runs; "
                + "where it does, its log and freshet doctor say whether a partition waits for a schema or stands still"
            return part(.silent, words)
        }
        return part(.ok, lag == 0 ? "has stored all records" : "\(lag) records are not stored yet")
    }

    private func updatesPart(_ now: ContinuousClock.Instant) -> PartStatus {
        // A model is loaded and an index built within a round.
        let isLoading = model.loading != nil
        let (state, seconds) = updates.state(
            at: now, silence: Self.watch, watch: isLoading ? nil : Self.watch)
        let detail =
            switch state {
            case .ok: isLoading ? "a model is being put in force" : "changed items and promoted models are looked for"
            case .away: "changed items and promoted models cannot be looked for"
            case .unwatched:
                "changed items and promoted models were not looked for in \(seconds) s: the loop has stopped, restart the server"
            default: "was not looked for yet"
            }
        return PartStatus(
            name: "updates", isReady: state == .ok, detail: detail, state: state, isRequired: false, reason: updates.problem)
    }

    private func trendingPart(_ now: ContinuousClock.Instant) -> PartStatus {
        // Counting takes a tenth of the time at most, so that a slow count has long pauses.
        let (state, seconds) = trending.state(at: now, silence: Self.watch, watch: Self.watch * 10)
        let detail =
            switch state {
            case .ok: "was read \(seconds) s ago"
            case .away: "cannot be read: lists go on with what was trending before"
            case .silent: "has been read for \(seconds) s: lists go on with what was trending before"
            case .unwatched: "was not read for \(seconds) s: the loop that reads it has stopped, restart the server"
            default: "is read for the first time"
            }
        return PartStatus(
            name: "trending", isReady: state == .ok || state == .unknown, detail: detail, state: state, isRequired: false,
            reason: trending.problem)
    }

    private func segmentsPart(_ now: ContinuousClock.Instant) -> PartStatus {
        let (state, seconds) = segments.state(at: now, silence: Self.watch * 10)
        let detail =
            switch state {
            case .ok: "were counted \(seconds) s ago"
            case .away: "cannot be counted: lists of new users go on with what was counted before"
            case .silent: "have been counted for \(seconds) s: lists of new users go on with what was counted before"
            default: "are counted for the first time"
            }
        return PartStatus(
            name: "segments", isReady: state == .ok || state == .unknown, detail: detail, state: state, isRequired: false,
            reason: segments.problem)
    }

    private func impressionsPart(_ now: ContinuousClock.Instant) -> PartStatus {
        let isLosing = impressionsLostAt.map { $0.duration(to: now) < Self.watch } ?? false
        let lost = "of \(lostImpressions) answers they were lost since the start"
        return PartStatus(
            name: "impressions", isReady: !isLosing,
            detail: isLosing
                ? "are lost now, answers go on: \(lost), which nobody learns from"
                : lostImpressions == 0 ? "are published" : "are published; \(lost)",
            isRequired: false, reason: isLosing ? impressionsProblem : nil)
    }
}

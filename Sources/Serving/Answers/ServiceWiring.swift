import Console
import Evaluation
import FeatureStore
import Interactions
import RecommendationAPI
import Recommending
import Reports

/// Fills in what the HTTP service asks for: each operation in terms of the database, the stream and the snapshot.
package struct ServiceWiring: Sendable {
    private let flow: RecommendationFlow
    let intake: IntakeFlow
    let store: StoreQueries
    private let board: StatisticsBoard

    /// Operations that answer by these.
    package init(flow: RecommendationFlow, intake: IntakeFlow, store: StoreQueries, board: StatisticsBoard) {
        self.flow = flow
        self.intake = intake
        self.store = store
        self.board = board
    }

    /// The operations of the service.
    package var operations: ServiceOperations {
        var operations = ownOperations
        operations.foreign = foreignDoors
        return operations
    }

    private var ownOperations: ServiceOperations {
        ServiceOperations(
            recommend: { try await recommend($0) },
            similar: { try await similar($0) },
            submitEvents: { submission in
                let outcome = try await explaining { try await intake.submit(submission) }
                return outcome
            },
            putItem: { submission in try await explaining { try await intake.putItem(submission) } },
            deleteItem: { request in try await explaining { try await intake.deleteItem(request) } },
            putUser: { submission in try await explaining { try await intake.putUser(submission) } },
            deleteUser: { request in try await explaining { try await intake.deleteUser(request) } },
            user: { id in try await explaining { try await user(IDForm.nfc.of(id)) } },
            item: { id in try await explaining { try await item(IDForm.nfc.of(id)) } },
            models: {
                try await explaining { try await store.run { store throws(StoreError) in try store.models() } }.map(\.view)
            },
            promote: { version, request in
                if !request.force { try await checkFiles(of: Int32(clamping: version)) }
                let reason = RegisteredModel.reason("promoted over HTTP", force: request.force, given: request.reason)
                let model = try await explaining {
                    try await store.run { store throws(StoreError) in
                        try store.promoteModel(Int32(clamping: version), reason: reason, force: request.force)
                    }
                }
                return model.view
            },
            rollback: { request in try await rollBack(request).view },
            statistics: { board.statistics() },
            readiness: {
                flow.impressions?.tellFailures()
                return await board.parts.parts(flow.states, flow.feed)
            },
            gauges: {
                // A look at the parts first, so that a scrape sees them as they are.
                flow.impressions?.tellFailures()
                _ = await board.parts.parts(flow.states, flow.feed)
                return board.gauges() + intake.gate.gauges() + (flow.impressions?.gauges() ?? []) + [
                    Gauge(
                        name: "freshet_user_states_cut_short_total",
                        help: "Reads of a user that left something out: more than 1,000 ids of one person, or more than 200,000 items "
                            + "that exclude.",
                        kind: .counter, value: Double(flow.states.cutShortReads)),
                    Gauge(
                        name: "freshet_database_connections_lost_total",
                        help: "Connections to PostgreSQL that ended, whoever ended them; each was replaced.",
                        kind: .counter, value: Double(flow.states.lostConnections + store.lostConnections)),
                ]
            }, export: { id in try await explaining { try await export(IDForm.nfc.of(id)) } })
    }

    private func export(_ id: String) async throws -> PersonalData? {
        guard let export = try await store.run({ store throws(StoreError) in try store.export(of: id) }) else { return nil }
        let pages = PersonPages(export, store)
        return PersonalData(ids: export.ids) { try await explaining { try await pages.next() } }
    }

    private func rollBack(_ request: PromotionRequest) async throws -> RegisteredModel {
        if !request.force {
            let target = try await explaining { try await store.run { store throws(StoreError) in try store.rollbackTarget() } }
            try await checkFiles(target)
        }
        let reason = RegisteredModel.reason("rollback over HTTP", force: request.force, given: request.reason)
        return try await explaining {
            try await store.run { store throws(StoreError) in try store.rollBackModel(reason: reason, force: request.force) }
        }
    }

    /// Refuses to promote a version whose files this server cannot use. Of one that is not registered the registry tells.
    private func checkFiles(of version: Int32) async throws {
        let found = try await explaining { try await store.run { store throws(StoreError) in try store.model(version) } }
        if let found { try await checkFiles(found) }
    }

    private func checkFiles(_ version: RegisteredModel) async throws {
        let artifacts = flow.feed.artifacts
        do {
            _ = try await OwnThread.run(named: "freshet-promotion") { try artifacts.checkPromotion(of: version) }
        } catch let failure as CommandFailure {
            throw ServiceError(.conflict, failure.description)
        }
    }

    private func recommend(_ request: RecommendationRequest) async throws -> RecommendationList {
        if let text = request.waitFor {
            guard let watermark = Watermark(parsing: text) else {
                throw ServiceError(.invalid, "wait is '\(text)', but takes a watermark as POST /v1/events returns it, such as 12@345")
            }
            try await explaining { try await intake.wait(for: watermark) }
        }
        let query = RecommendationQuery(
            userID: request.userID.map(IDForm.nfc.of), sessionID: request.sessionID.map(IDForm.nfc.of), count: request.count,
            category: request.category.map(IDForm.nfc.of), exclude: request.excludedItemIDs.map(IDForm.nfc.of),
            context: Dictionary(
                request.context.map { (IDForm.nfc.of($0.key), IDForm.nfc.of($0.value)) }, uniquingKeysWith: { _, last in last }),
            items: request.candidateItemIDs.map { $0.map(IDForm.nfc.of) },
            explain: request.explain, objective: try ObjectiveWeights(named: request.objective), isPersonalised: request.isPersonalised)
        let outcome = try await explaining { try await flow.answer(query, requestID: request.requestID, isPreview: request.isPreview) }
        if !request.isPreview { board.explored(slots: outcome.answer.items.count(where: \.isExploration)) }
        var watermark = outcome.watermark
        // What was waited for is stored, whether or not it was this user's.
        if let waited = request.waitFor.flatMap({ Watermark(parsing: $0) }) {
            for (partition, offset) in waited.offsets { watermark.add(Position(partition: partition, offset: offset)) }
        }
        return RecommendationList(
            requestID: outcome.answer.requestID, userID: outcome.answer.userID, modelVersion: outcome.answer.modelVersion,
            items: outcome.answer.items.map { entry($0, in: outcome.snapshot, withDetails: request.includeDetails) },
            watermark: watermark.text, isColdUser: outcome.isColdUser, isPersonalised: outcome.isPersonalised,
            warnings: AnswerWarning.of(query, answered: outcome.answer.items.count, snapshot: outcome.snapshot))
    }

    private func similar(_ request: SimilarItemsRequest) async throws -> RecommendationList {
        let snapshot = try await explaining {
            let mark = try await store.run { store throws(StoreError) in try store.catalogueMark() }
            return try await flow.feed.snapshot(atLeast: mark)
        }
        guard let answer = Recommending.similar(
            to: IDForm.nfc.of(request.itemID), count: request.count, category: request.category.map(IDForm.nfc.of),
            exclude: request.excludedItemIDs.map(IDForm.nfc.of), explain: request.explain, snapshot: snapshot,
            requestID: request.requestID)
        else {
            throw ServiceError(.notFound, "there is no item \(request.itemID)")
        }
        return RecommendationList(
            requestID: answer.requestID, modelVersion: answer.modelVersion,
            items: answer.items.map { entry($0, in: snapshot, withDetails: request.includeDetails) })
    }

    private func entry(_ item: RecommendedItem, in snapshot: ServingSnapshot, withDetails: Bool) -> RecommendedEntry {
        RecommendedEntry(
            itemID: item.itemID, score: item.score,
            reason: item.reason, explanation: item.explanation,
            details: withDetails ? snapshot.entry(item.itemID).map(Self.summary) : nil, isExploration: item.isExploration)
    }

    private func user(_ id: String) async throws -> UserView? {
        let found = try await store.run { store throws(StoreError) in
            (try store.user(id), try store.userFeatures(id), try store.wish(of: id))
        }
        guard found.0 != nil || found.1 != nil || found.2 == false else { return nil }
        let snapshot = flow.feed.current
        let features = found.1
        return UserView(
            userID: id, attributes: found.0?.attributes, aliases: found.0?.aliases ?? [],
            personalised: found.2,
            // Of who does not want it no history is read.
            history: (found.2 == false ? [] : features?.history.entries ?? []).reversed().map { entry in
                UserView.HistoryLine(
                    itemID: entry.itemID, type: entry.type, time: entry.time, isReturned: entry.isReturned,
                    item: snapshot.entry(entry.itemID).map(Self.summary))
            },
            counts: InteractionCounts(
                impressions: features?.impressions ?? 0, clicks: features?.clicks ?? 0, addToCarts: features?.addToCarts ?? 0,
                purchases: features?.purchases ?? 0, returns: features?.returns ?? 0),
            firstSeen: features?.firstTime, lastSeen: features?.lastTime)
    }

    private func item(_ id: String) async throws -> ItemView? {
        let found = try await store.run { store throws(StoreError) in
            (try store.item(id), try store.itemFeatures([id]).first, try store.catalogueMark())
        }
        guard let item = found.0, !item.isDeleted else { return nil }
        let snapshot = try await flow.feed.snapshot(atLeast: found.2)
        let state: ItemView.IndexState =
            switch snapshot.state(of: id) {
            case .indexed: .indexed
            case .fresh: .fresh
            case .hidden: .hidden
            case .unknown, .unencoded: .unindexed
            }
        return ItemView(
            record: item.record,
            counts: InteractionCounts(
                impressions: found.1?.impressions ?? 0, clicks: found.1?.clicks ?? 0, addToCarts: found.1?.addToCarts ?? 0,
                purchases: found.1?.purchases ?? 0, returns: found.1?.returns.returns ?? 0),
            indexState: state, catalogueVersion: item.catalogueVersion)
    }

    static func summary(_ entry: CatalogueEntry) -> ItemSummary {
        ItemSummary(
            itemID: entry.itemID, title: entry.title, categories: entry.categories, priceMicros: entry.priceMicros,
            currency: entry.currency, publishedAt: entry.publishedAt)
    }
}

extension RegisteredModel {
    /// The version as the API shows it.
    package var view: ModelVersionView {
        let record = EvaluationRecord(registry: metrics)
        return ModelVersionView(
            version: Int(version), createdAt: createdAt, promotedAt: promotedAt, isPromoted: status == .promoted,
            status: status.rawValue, preset: JSONText.string("preset", inObject: configuration), counter: record.counter?.name,
            metrics: record.model?.main ?? [:], popularityMetrics: record.popularity?.main ?? [:],
            note: reason, refusal: refusal)
    }
}

/// Where the export of a person stands.
private actor PersonPages {
    private var export: PersonExport
    private let store: StoreQueries

    init(_ export: PersonExport, _ store: StoreQueries) { (self.export, self.store) = (export, store) }

    /// The next lines; nil at the end.
    func next() async throws -> [String]? {
        let begun = export
        let (lines, then) = try await store.run { store throws(StoreError) in
            var export = begun
            let lines = try export.nextPage(store)
            return (lines, export)
        }
        export = then
        return lines
    }
}

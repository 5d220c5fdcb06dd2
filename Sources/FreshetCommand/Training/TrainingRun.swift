import Console
import ContentModel
import Evaluation
import FeatureStore
import Foundation
import Interactions
import Learning
import Logging
import ModelArtifacts
import Recommending
import Reports
import TowerModel
import TrainingFiles

/// One retraining, from the database's state to a registered model version.
struct TrainingRun {
    /// What the run ended with.
    struct Outcome: Sendable {
        var version: Int
        var promoted: Bool
        var reasons: [String]
        var interactions: Int
        var seconds: Double
        /// What was found, as the registry keeps it.
        var record: EvaluationRecord
        var ndcg: Double?
        var popularityNDCG: Double?
    }

    let configuration: Configuration
    let logger: Logger
    let resume: Bool
    let asOf: EventTime?
    let stop: StopSignal
    /// The processes that train together.
    var ranks = TrainingRanks.alone
    /// Hears where the run stands.
    var tell: (TrainingStatus) -> Void = { _ in }

    /// Runs to the end.
    ///
    /// - Throws: `CommandFailure` and the adapters' errors, each a sentence.
    func run() throws -> Outcome {
        let started = ContinuousClock.now
        let url = try configuration.databaseURL()
        try Migrator(url: url).check()
        let lock = try TrainingLock(url: url, isPatient: true)
        defer { lock.release() }
        let store = StoreQueries(url: url, rules: configuration.featureRules, connections: 1)
        let folder = TrainingFolder(path: configuration.text(.artifactsPath) + "/training")
        TrainingLeftovers.sweepTemporary()
        let teacher = try TeacherTraining(configuration, store: store)
        guard teacher == nil || !ranks.group.isShared else {
            throw CommandFailure("a training with a teacher runs in one process; start it without mpirun, or leave out --teacher")
        }
        let towers = try configuration.towerConfiguration(ranks: ranks.group.size, hasTeacher: teacher != nil)
        let texts = try ContentEncoder.load(configuration, logger: logger)
        _ = try configuration.headBalances()
        let ratings = try configuration.ratingRules()
        guard !ranks.group.isShared || (texts == nil && configuration.text(.trainMode) != "incremental") else {
            throw CommandFailure(
                "a training in several processes is a full one without content.encoder; start it without mpirun, or unset content.encoder and train.mode")
        }
        var settings = Dictionary(uniqueKeysWithValues: towers.settings.map { ($0.key, $0.value) })
        settings.merge(configuration.trainingSettings) { own, _ in own }
        settings["content.encoder"] = texts?.checksum
        if let rates = try configuration.currencyRates() {
            settings["currency.rates"] = rates.minorFactors.map { "\($0.code)=\($0.factor)" }.joined(separator: ",")
        }

        let artifacts = configuration.artifactStore
        let base = try incrementBase(store, artifacts, towers: towers, settings: &settings)
        var state: TrainingFolder.State
        let erased = resume ? try erasedUsers(in: folder, store) : 0
        if erased > 0 {
            logger.warning(
                """
                \(erased) of the users in the run to resume were erased since it was read: its files are removed, and the training \
                starts from the beginning
                """)
        }
        if resume, erased == 0, let saved = folder.read() {
            guard saved.settings == settings else {
                throw CommandFailure("the run to resume has other train.* settings; start without --resume, or with the settings of that run")
            }
            state = saved
            logger.notice("resuming", metadata: ["stage": "\(state.stage.rawValue)"])
        } else {
            if resume, erased == 0 { logger.notice("there is no run to resume; starting a new one") }
            try folder.clear()
            tell(TrainingStatus(phase: "reading", epoch: 0, epochs: towers.epochs, fraction: 0))
            let progress = ProgressLine("read interactions")
            let readFrom = ContinuousClock.now
            let read = try SnapshotExport(url: url, configuration: configuration, seen: base?.seen).write(
                to: folder.logPath, until: asOf, isStopped: { stop.isRaised }
            ) {
                progress.update($0)
            }
            progress.finish(read.interactions)
            TrainingJournal(folder).note(step: "reading", seconds: readFrom.duration(to: .now).inSeconds)
            try register(read.itemsWithoutRecord, url: url)
            state = TrainingFolder.State(stage: .judged, settings: settings)
        }
        let file = try TrainingFile(path: folder.logPath)
        guard state.log ?? file.identity == file.identity else {
            throw CommandFailure("the training file \(folder.logPath) is of another snapshot than the run to resume; start without --resume")
        }
        state.log = file.identity
        try folder.write(state)
        let amounts = AmountNotes(watermark: file.watermark)
        if let warning = amounts?.warning { logger.warning("\(warning)") }
        let least = configuration.integer(.trainMinInteractions)
        guard file.log.count >= least else {
            throw CommandFailure(
                "there are \(file.log.count) interactions to learn from, and train.min_interactions asks for \(least): ingest or backfill some first")
        }
        var (log, inspection, leftOut) = try inspected(file.log, folder: folder, store: store)
        guard log.count >= least else {
            throw CommandFailure(
                "without the \(leftOut.count) users who look like machines there are \(log.count) interactions to learn from, and train.min_interactions asks for \(least): "
                    + "raise the bounds train.data_max_*, or set train.data_gate=warn")
        }
        tell(TrainingStatus(phase: "reading", epoch: 0, epochs: towers.epochs, fraction: 1))
        log.describeTexts(by: texts, threads: towers.threads)
        let stages = TrainingStages(
            settings: configuration.learningSettings, folder: folder, log: log, towers: towers, logger: logger, stop: stop, ranks: ranks,
            teacher: teacher, tell: tell)
        try ranks.share(file, at: folder.logPath, leavingOut: leftOut)
        var bundle: ModelBundle
        let judged: (model: Double?, popularity: Double?)
        if let base {
            tell(TrainingStatus(phase: "training", epoch: 0, epochs: 1, fraction: 0))
            let found = try IncrementStages(
                settings: configuration.learningSettings, log: log, base: base.base,
                rules: configuration.incrementRules(seed: towers.seed, threads: towers.threads), journal: TrainingJournal(folder),
                logger: logger, stop: stop
            ).train(&state, write: folder.write)
            (bundle, judged) = (found.bundle, (found.judgedNDCG, found.popularityNDCG))
        } else {
            bundle = try stages.train(&state) { try references(store, artifacts) }
            judged = (stages.judgedNDCG, stages.popularityNDCG)
        }

        tell(TrainingStatus(phase: "publishing", epoch: towers.epochs, epochs: towers.epochs, fraction: 1))
        guard lock.isHeld() else {
            throw CommandFailure("the connection that keeps other trainings out was lost; freshet train --resume finishes this one")
        }
        let record = TrainingReport.record(
            state.record ?? EvaluationRecord(), of: log, journal: TrainingJournal(folder), inspection: inspection, amounts: amounts)
        bundle.textEncoder = texts?.checksum
        if ratings.isNeeded { bundle.ratingsFrom = ratings.positiveFrom }
        let gone = try ErasedUsers.count(in: file.log, ledger: store)
        if gone > 0 {
            logger.warning("users erased while this training ran: \(gone); what it learned of them goes with the next training")
        }
        let reference = try artifacts.write(bundle, name: Self.artifactName())
        var reasons = state.reasons ?? ["Nothing was judged."], passes = state.passes == true
        let version = try store.registerModel(
            artifactPath: URL(fileURLWithPath: reference.path).lastPathComponent, artifactChecksum: reference.checksum,
            artifactSHA256: reference.sha256, configuration: ResultLine.object(settings), metrics: record.json, watermark: file.watermark,
            answers: state.answers,
            // At once, so that a run that is killed here leaves no candidate that looks as if it had passed.
            refused: passes ? nil : reasons.joined(separator: " "))
        if passes, let late = try promote(version, reason: reasons.joined(separator: " "), judged: state.judgedAgainst, store, artifacts) {
            passes = false
            reasons.insert(late, at: 0)
        }
        do {
            if let registered = try store.model(version) { try TrainingReport.write(registered, to: reference.path + "/" + TrainingReport.fileName) }
        } catch {
            logger.warning("the report of version \(version) could not be written: \(error)")
        }
        try? FileManager.default.removeItem(atPath: folder.path)
        try StoreQueries(url: url, connections: 1).holdingPromotions { try prune(store, artifacts) }
        let seconds = started.duration(to: .now).inSeconds
        // A refusal is no failure, and nobody should have to look for it.
        logger.log(
            level: passes && state.isUnjudged != true ? .notice : .warning,
            passes
                ? (state.isUnjudged == true ? "promoted without being judged" : "promoted") : "refused by the gate: the promoted model stays",
            metadata: ["version": "\(version)", "seconds": "\(Int(seconds))", "why": "\(reasons.joined(separator: " "))"])
        return Outcome(
            version: Int(version), promoted: passes, reasons: reasons, interactions: log.count, seconds: seconds,
            record: record, ndcg: judged.model, popularityNDCG: judged.popularity)
    }

    /// Promotes a version that the gate let pass. Where another one was promoted since it was judged, it is refused: the reason.
    ///
    /// - Parameter judged: the version that was promoted when it was judged, 0 for none; nil where nothing was judged.
    private func promote(_ version: Int32, reason: String, judged: Int?, _ store: StoreQueries, _ artifacts: ArtifactStore) throws -> String? {
        // What a disk kept is what servers will read.
        if let registered = try store.model(version) { _ = try artifacts.checkPromotion(of: registered) }
        do {
            if let judged {
                try store.promoteModel(version, reason: reason, judgedAgainst: judged > 0 ? Int32(clamping: judged) : nil)
            } else {
                try store.promoteModel(version, reason: reason)
            }
            return nil
        } catch {
            guard error.code == .conflict else { throw error }
            let late = "\(error.message)."
            try store.refuseModel(version, reason: "\(late) \(reason)")
            return late
        }
    }

    /// How many users of a run that may be resumed were erased since; 0 where there is none that can be read.
    private func erasedUsers(in folder: TrainingFolder, _ store: StoreQueries) throws -> Int {
        guard folder.read() != nil, let file = try? TrainingFile(path: folder.logPath) else { return 0 }
        return try ErasedUsers.count(in: file.log, ledger: store)
    }

    /// Items that came with events alone get a bare record, so that what is learned of them can be recommended. A real record, with
    /// any date, replaces it: theirs is the earliest time there is, so that none that came from outside is ever overwritten.
    private func register(_ itemIDs: [String], url: String) throws {
        guard !itemIDs.isEmpty, configuration.boolean(.trainRegisterItems) else { return }
        let ingest = try IngestStore(url: url, rules: configuration.featureRules)
        let origin = RecordOrigin(
            source: "train", cluster: "", position: Position(partition: Position.filePartition, offset: 0))
        for start in stride(from: 0, to: itemIDs.count, by: 10_000) {
            var batch = IngestBatch()
            for id in itemIDs[start..<min(start + 10_000, itemIDs.count)] {
                let record = ItemRecord(itemID: id, updatedAt: .earliestWritable)
                batch.items.append((change: .upsert(record), origin: origin))
            }
            _ = try ingest.commit(batch)
        }
        logger.notice("items without a record were registered; send records to describe them", metadata: ["items": "\(itemIDs.count)"])
    }

    /// Removes the files of old versions; the registry keeps their rows. What serves, what a rollback goes back to, and what the gate holds
    /// candidates against stay.
    private func prune(_ store: StoreQueries, _ artifacts: ArtifactStore) throws {
        let models = try store.models(limit: 1_000)
        let promoted = models.first { $0.status == .promoted }
        let kept = Set(models.prefix(configuration.integer(.artifactsKeepVersions)).map(\.version))
        let anchor = try GateReferences.best(store, anchorDays: configuration.integer(.trainGateAnchorDays)).first?.version
        let needed = kept.union([anchor, promoted?.version, promoted?.replacedVersion].compactMap { $0 })
        for model in models where !needed.contains(model.version) {
            let name = model.artifactName
            // Only what lies in this folder is this folder's to remove.
            guard artifacts.names().contains(name) else { continue }
            try artifacts.remove(name: name)
            logger.info("files of an old version removed", metadata: ["version": "\(model.version)"])
        }
    }

    /// A folder name that sorts by time: `20261121-080000-1a2b3c`.
    static func artifactName() -> String {
        let time = EventTime.now.rfc3339().prefix(19).filter { $0.isNumber || $0 == "T" }.replacing("T", with: "-")
        return time + "-" + String(UInt32.random(in: 0x10_0000...0xFF_FFFF), radix: 16)
    }

    /// The log after the data gate, under `enforce` without suspicious users, whose rows are named. A gate that refuses leaves a page
    /// beside the models.
    private func inspected(
        _ log: TrainingLog, folder: TrainingFolder, store: StoreQueries
    ) throws -> (log: TrainingLog, inspection: DataInspection?, leftOut: [Int]) {
        let mode = configuration.text(.trainDataGate)
        guard mode != "off" else { return (log, nil, []) }
        let former = try store.models(limit: 20).lazy.compactMap { EvaluationRecord(registry: $0.metrics).dataProfile }.first
        let inspection = DataInspection(log, gate: configuration.dataGate, bounds: configuration.userBounds, former: former)
        let isEnforced = mode == "enforce"
        if !inspection.suspicious.isEmpty {
            logger.warning(
                isEnforced ? "users who look like machines are left out" : "some users look like machines; train.data_gate=enforce leaves them out",
                metadata: ["users": "\(inspection.suspicious.count)", "interactions": "\(inspection.suspiciousEvents)"])
        }
        let reasons = inspection.reasons
        guard isEnforced else {
            for reason in reasons { logger.warning("the data look broken: \(reason)") }
            return (log, inspection, [])
        }
        guard reasons.isEmpty else {
            let path = configuration.text(.artifactsPath) + "/data-report.html"
            try TrainingReport.write(inspection.page, to: path)
            throw CommandFailure(
                "the data gate refuses to learn from this: \(reasons.joined(separator: "; ")). The page is \(path); train.data_gate=warn learns all the same")
        }
        let users = inspection.suspicious.keys.sorted()
        return (try log.leavingOut(Set(users), columnsAt: folder.columnsPath + "-kept"), inspection, users)
    }

    private func references(_ store: StoreQueries, _ artifacts: ArtifactStore) throws -> GateReferences {
        try GateReferences.read(store, artifacts, anchorDays: configuration.integer(.trainGateAnchorDays), logger: logger)
    }

    /// What an incremental training goes on from; nil for a full one, and where there is nothing to go on from yet.
    private func incrementBase(
        _ store: StoreQueries, _ artifacts: ArtifactStore, towers: TowerConfiguration, settings: inout [String: String]
    ) throws -> (base: IncrementStages.Base, seen: (snapshot: String, until: EventTime?))? {
        guard configuration.text(.trainMode) == "incremental" else { return nil }
        guard let current = try store.promotedModel() else {
            logger.notice("there is no promoted model to go on from; training in full")
            return nil
        }
        let references = try references(store, artifacts)
        guard let promoted = references.promoted?.model, promoted.version == Int(current.version) else {
            logger.warning("version \(current.version) cannot be read, so nothing goes on from it; training in full")
            return nil
        }
        guard let snapshot = JSONText.string("snapshot", inObject: current.watermark) else {
            throw CommandFailure("the registry does not say what version \(current.version) has learned from; train in full")
        }
        try IncrementStages.check(towers, against: promoted.bundle.model)
        settings["train.mode"] = "incremental"
        settings["train.base_version"] = "\(current.version)"
        return (
            IncrementStages.Base(promoted: promoted, anchor: references.anchor),
            (snapshot, promoted.newestEvent.map { EventTime(milliseconds: $0) })
        )
    }
}

extension ResultLine {
    /// A JSON object of strings, keys in order.
    static func object(_ entries: [String: String]) -> String {
        var line = ResultLine()
        for (key, value) in entries.sorted(by: { $0.key < $1.key }) { line.add(key, .text(value)) }
        return line.json
    }
}

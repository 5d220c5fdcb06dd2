import Console
import ContentModel
import Evaluation
import FeatureStore
import Foundation
import Interactions
import Logging
import Recommending
import Reports
import TowerModel
import TrainingFiles

/// One retraining, from one moment of the store to a registered version: its order and what is decided on the way. Database, files of
/// models and ranks are given to it.
package struct TrainingRun {
    /// What the run ended with.
    package struct Outcome: Sendable {
        /// The version's number.
        package var version: Int
        /// Whether it serves now.
        package var promoted: Bool
        /// Why, a sentence each.
        package var reasons: [String]
        /// What it learned from.
        package var interactions: Int
        /// From the beginning of the run.
        package var seconds: Double
        /// What was found, as the registry keeps it.
        package var record: EvaluationRecord
        /// NDCG@10 of the model that was judged; nil where none was in this process.
        package var ndcg: Double?
        /// What counting reached on the same questions.
        package var popularityNDCG: Double?
        /// The counter that became a version beside it; nil for none.
        package var counter: CounterOutcome?

        /// Whether something serves now that did not before.
        package var servesAnew: Bool { promoted || counter?.promoted == true }
    }

    let plan: TrainingPlan
    let store: any TrainingStore
    let folder: TrainingFolder
    let teacher: TeacherTraining?
    let ranks: TrainingRanks
    let logger: Logger
    let stop: StopSignal
    private let tell: (TrainingStatus) -> Void

    /// A run.
    ///
    /// - Parameters:
    ///   - folder: where what is needed to go on after a kill is kept.
    ///   - ranks: the processes that train together.
    ///   - tell: hears where the run stands.
    package init(
        _ plan: TrainingPlan, store: any TrainingStore, folder: TrainingFolder, teacher: TeacherTraining?, ranks: TrainingRanks,
        logger: Logger, stop: StopSignal, tell: @escaping (TrainingStatus) -> Void
    ) {
        self.plan = plan
        self.store = store
        self.folder = folder
        self.teacher = teacher
        self.ranks = ranks
        self.logger = logger
        self.stop = stop
        self.tell = tell
    }

    /// Runs to the end.
    ///
    /// - Parameters:
    ///   - resumes: whether to go on where a run was stopped, if its settings are these and none of its users was erased since.
    ///   - began: what ``Outcome/seconds`` count from.
    /// - Throws: `CommandFailure` and the errors of store and files, each a sentence.
    package func run(resuming resumes: Bool, since began: ContinuousClock.Instant = .now) throws -> Outcome {
        var settings = plan.settings
        let base = try incrementBase(&settings)
        var state = try opened(resumes, settings, base)
        let file = try TrainingFile(path: folder.logPath)
        guard state.log ?? file.identity == file.identity else {
            throw CommandFailure(
                "the training file \(folder.logPath) is of another snapshot than the run to resume; start without --resume")
        }
        state.log = file.identity
        try folder.write(state)
        let amounts = AmountNotes(watermark: file.watermark)
        if let warning = amounts?.warning { logger.warning("\(warning)") }
        if let left = amounts?.leftOverReturns, !left.isEmpty { logger.notice("\(left)") }
        let looked = try looked(at: file.log)
        var log = looked.log
        tell(TrainingStatus(phase: "reading", epoch: 0, epochs: plan.towers.epochs, fraction: 1))
        plan.texts?.describe(&log)
        let chosen = try chosen(log, base, &state)
        // The plan says what somebody set, and the registry also keeps what was chosen.
        settings = chosen.settings.merging(settings.filter { plan.settings[$0.key] != $0.value }) { $1 }
        return try TrainingRun(
            chosen, store: store, folder: folder, teacher: teacher, ranks: ranks, logger: logger, stop: stop, tell: tell
        ).finish(
            Read(file: file, log: log, leftOut: looked.leftOut, inspection: looked.inspection, amounts: amounts), settings, base?.base,
            state, began)
    }

    /// What was read to learn from.
    private struct Read {
        let file: TrainingFile
        let log: TrainingLog
        let leftOut: [Int]
        let inspection: DataInspection?
        let amounts: AmountNotes?
    }

    /// Learns and publishes, by a plan that leaves nothing open.
    private func finish(
        _ read: Read, _ settings: [String: String], _ base: IncrementStages.Base?, _ begun: TrainingFolder.State,
        _ began: ContinuousClock.Instant
    ) throws -> Outcome {
        var state = begun
        let file = read.file, log = read.log
        try ranks.share(file, at: folder.logPath, leavingOut: read.leftOut)
        let learned = try learn(log, base, &state)

        tell(TrainingStatus(phase: "publishing", epoch: plan.towers.epochs, epochs: plan.towers.epochs, fraction: 1))
        guard store.isLocked() else {
            throw CommandFailure("the connection that keeps other trainings out was lost; freshet train --resume finishes this one")
        }
        var record = (state.record ?? EvaluationRecord()).with(
            log, journal: journal, inspection: read.inspection, amounts: read.amounts)
        record.choice = state.choice
        let gone = try store.erasedUsers(in: file.log)
        if gone > 0 {
            logger.warning("users erased while this training ran: \(gone); what it learned of them goes with the next training")
        }
        let entry = RegistryEntry(
            configuration: ResultLine.object(settings), metrics: record.json, watermark: file.watermark, answers: state.answers,
            // At once, so that a run that is killed here leaves no candidate that looks as if it had passed.
            refused: state.passes == true ? nil : (state.reasons ?? Self.unjudged).joined(separator: " "))
        let (version, passes, reasons) = try registered(learned.bundle, entry, &state)
        let counter = try registeredCounter(learned.counter, of: state, data: record, settings: entry.configuration, file.watermark)
        try? FileManager.default.removeItem(atPath: folder.path)
        try store.holdingPromotions { try prune() }
        let seconds = began.duration(to: .now).inSeconds
        // A refusal is no failure, and nobody should have to look for it.
        logger.log(
            level: passes && state.isUnjudged != true ? .notice : .warning,
            !passes
                ? counter?.promoted == true ? "refused by the gate: a counter serves" : "refused by the gate: what serves stays"
                : state.isUnjudged == true ? "promoted without being judged" : "promoted",
            metadata: ["version": "\(version)", "seconds": "\(Int(seconds))", "why": "\(reasons.joined(separator: " "))"])
        return Outcome(
            version: Int(version), promoted: passes, reasons: reasons, interactions: log.count, seconds: seconds, record: record,
            ndcg: learned.judgedNDCG, popularityNDCG: learned.popularityNDCG, counter: counter)
    }

    private static let unjudged = ["Nothing was judged."]

    private var journal: TrainingJournal { TrainingJournal(folder) }

    /// Where the run stands: where it was stopped, or at its beginning with one moment of the store.
    private func opened(_ resumes: Bool, _ settings: [String: String], _ base: IncrementBase?) throws -> TrainingFolder.State {
        let erased = resumes ? try erasedUsers() : 0
        if erased > 0 {
            logger.warning(
                """
                \(erased) of the users in the run to resume were erased since it was read: its files are removed, and the training \
                starts from the beginning
                """)
        }
        if resumes, erased == 0, let saved = folder.read() {
            guard saved.settings == settings else {
                throw CommandFailure(
                    "the run to resume has other settings: \(TrainingFolder.State.differences(saved.settings, settings)); "
                        + "start without --resume, or with the settings of that run")
            }
            logger.notice("resuming", metadata: ["stage": "\(saved.stage.rawValue)"])
            return saved
        }
        if resumes, erased == 0 { logger.notice("there is no run to resume; starting a new one") }
        try folder.clear()
        tell(TrainingStatus(phase: "reading", epoch: 0, epochs: plan.towers.epochs, fraction: 0))
        let progress = ProgressLine("read interactions"), readFrom = ContinuousClock.now
        func export(likesFrom: Double?) throws -> SnapshotExport.Summary {
            try store.export(to: folder.logPath, seen: base?.seen, likesFrom: likesFrom, isStopped: { stop.isRaised }) {
                progress.update($0)
            }
        }
        var state = TrainingFolder.State(stage: .judged, settings: settings)
        var read = try export(likesFrom: base?.plan.ratingsFrom)
        if base == nil, let (likes, ratings) = try likes(read) {
            state.choice = ChoiceRecord(seen: DataLook(ratings: ratings), decisions: [likes].compactMap { $0 })
            if let from = likes.flatMap({ Double($0.value) }) { read = try export(likesFrom: from) }
        }
        progress.finish(read.interactions)
        journal.note(step: "reading", seconds: readFrom.duration(to: .now).inSeconds)
        if !read.itemsWithoutRecord.isEmpty { try store.register(itemsWithoutRecord: read.itemsWithoutRecord) }
        return state
    }

    // MARK: What is chosen

    /// The plan with what suits the data. A run that was resumed has what it had chosen.
    private func chosen(_ log: TrainingLog, _ base: IncrementBase?, _ state: inout TrainingFolder.State) throws -> TrainingPlan {
        if let base {
            state.choice = base.choice
            return base.plan
        }
        guard let choosing else { return plan }
        tell(TrainingStatus(phase: "choosing", epoch: 0, epochs: plan.towers.epochs, fraction: 0))
        return try choosing.automatic.planned(choosing.choice(log, &state).values)
    }

    /// How many users of a run that may be resumed were erased since; 0 where there is none that can be read.
    private func erasedUsers() throws -> Int {
        guard folder.read() != nil, let file = try? TrainingFile(path: folder.logPath) else { return 0 }
        return try store.erasedUsers(in: file.log)
    }

    /// What is learned, in full or on top of what serves.
    private func learn(
        _ log: TrainingLog, _ base: IncrementStages.Base?, _ state: inout TrainingFolder.State
    ) throws -> IncrementStages.Published {
        var published: IncrementStages.Published
        if let base, let rules = plan.increment {
            tell(TrainingStatus(phase: "training", epoch: 0, epochs: 1, fraction: 0))
            published = try IncrementStages(
                settings: plan.learning, log: log, base: base, rules: rules, journal: journal, logger: logger, stop: stop
            ).train(&state, write: folder.write)
        } else {
            let stages = TrainingStages(
                settings: plan.learning, folder: folder, log: log, towers: plan.towers, logger: logger, stop: stop, ranks: ranks,
                teacher: teacher, tell: tell)
            let bundle = try stages.train(&state) { try references() }
            published = IncrementStages.Published(
                bundle: bundle, judgedNDCG: stages.judgedNDCG, popularityNDCG: stages.popularityNDCG)
            published.counter = stages.counter
        }
        published.bundle.textEncoder = plan.texts?.checksum
        if let from = plan.ratingsFrom { published.bundle.ratingsFrom = from }
        published.counter?.textEncoder = published.bundle.textEncoder
        published.counter?.ratingsFrom = published.bundle.ratingsFrom
        return published
    }

    private func references() throws -> GateReferences {
        try GateReferences.read(store.models, bundle: store.bundle, anchorDays: plan.anchorDays, logger: logger)
    }

    // MARK: The data

    /// The log after the data gate, under `enforce` without suspicious users, whose rows are named. A gate that refuses leaves a page
    /// beside the models.
    private func looked(at log: TrainingLog) throws -> (log: TrainingLog, inspection: DataInspection?, leftOut: [Int]) {
        guard log.count >= plan.leastInteractions else {
            throw CommandFailure(
                "there are \(log.count) interactions to learn from, and train.min_interactions asks for \(plan.leastInteractions): "
                    + "ingest or backfill some first")
        }
        guard let rules = plan.data else { return (log, nil, []) }
        let former = try store.models.models(limit: 20).lazy.compactMap { EvaluationRecord(registry: $0.metrics).dataProfile }.first
        let inspection = DataInspection(log, gate: rules.gate, bounds: rules.bounds, former: former)
        if !inspection.suspicious.isEmpty {
            logger.warning(
                rules.isEnforced
                    ? "users who look like machines are left out"
                    : "some users look like machines; train.data_gate=enforce leaves them out",
                metadata: ["users": "\(inspection.suspicious.count)", "interactions": "\(inspection.suspiciousEvents)"])
        }
        let reasons = inspection.reasons
        guard rules.isEnforced else {
            for reason in reasons { logger.warning("the data look broken: \(reason)") }
            return (log, inspection, [])
        }
        guard reasons.isEmpty else {
            try store.write(inspection.page, to: rules.pagePath)
            throw CommandFailure(
                "the data gate refuses to learn from this: \(reasons.joined(separator: "; ")). The page is \(rules.pagePath); "
                    + "train.data_gate=warn learns all the same")
        }
        let users = inspection.suspicious.keys.sorted()
        let kept = try log.leavingOut(Set(users), columnsAt: folder.columnsPath + "-kept")
        guard kept.count >= plan.leastInteractions else {
            throw CommandFailure(
                "without the \(users.count) users who look like machines there are \(kept.count) interactions to learn from, and "
                    + "train.min_interactions asks for \(plan.leastInteractions): "
                    + "raise the bounds train.data_max_*, or set train.data_gate=warn")
        }
        return (kept, inspection, users)
    }

    // MARK: What an incremental training goes on from

    private struct IncrementBase {
        let base: IncrementStages.Base
        let seen: (snapshot: String, until: EventTime?)
        /// The plan with the base's settings, where nobody set others.
        let plan: TrainingPlan
        let choice: ChoiceRecord?
    }

    /// What an incremental training goes on from; nil for a full one, and where there is nothing to go on from yet.
    private func incrementBase(_ settings: inout [String: String]) throws -> IncrementBase? {
        guard plan.increment != nil else { return nil }
        guard let current = try store.models.promotedModel() else {
            logger.notice("there is no promoted model to go on from; training in full")
            return nil
        }
        let references = try references()
        guard let promoted = references.promoted?.model, promoted.version == Int(current.version) else {
            logger.warning("version \(current.version) cannot be read, so nothing goes on from it; training in full")
            return nil
        }
        guard promoted.bundle.ranker?.weights.isCounter != true else {
            logger.notice("version \(current.version) is a counter, which learned no order to go on from; training in full")
            return nil
        }
        guard let snapshot = JSONText.string("snapshot", inObject: current.watermark) else {
            throw CommandFailure("the registry does not say what version \(current.version) has learned from; train in full")
        }
        let kept = plan.automatic?.kept(
            of: promoted.bundle.model, EvaluationRecord(registry: current.metrics).choice, version: promoted.version)
        let planned = try kept.flatMap { kept in try plan.automatic?.planned(kept.values) } ?? plan
        try IncrementStages.check(planned.towers, against: promoted.bundle.model)
        settings["train.mode"] = "incremental"
        settings["train.base_version"] = "\(current.version)"
        return IncrementBase(
            base: IncrementStages.Base(promoted: promoted, anchor: references.anchor),
            seen: (snapshot, promoted.newestEvent.map { EventTime(milliseconds: $0) }), plan: planned, choice: kept?.choice)
    }

    // MARK: Publishing

    /// Registers the model, and promotes it where the gate let it pass.
    private func registered(
        _ bundle: ModelBundle, _ entry: RegistryEntry, _ state: inout TrainingFolder.State
    ) throws -> (version: Int32, passes: Bool, reasons: [String]) {
        var reasons = state.reasons ?? Self.unjudged, passes = entry.refused == nil
        // A run that was stopped behind this has its version, and perhaps promoted it.
        let known = try state.version.flatMap { try store.models.model($0) }
        if let known, known.status != .candidate {
            report(known.version)
            return (known.version, known.status != .refused, reasons)
        }
        let version = try known?.version ?? store.register(bundle, entry)
        state.version = version
        try folder.write(state)
        if passes, let late = try promote(version, reason: reasons.joined(separator: " "), judged: state.judgedAgainst) {
            passes = false
            reasons.insert(late, at: 0)
        }
        report(version)
        return (version, passes, reasons)
    }

    /// Promotes a version that the gate let pass. Where another one was promoted since it was judged, it is refused: the reason.
    ///
    /// - Parameter judged: the version that was promoted when it was judged, 0 for none; nil where nothing was judged.
    func promote(_ version: Int32, reason: String, judged: Int?) throws -> String? {
        if let registered = try store.models.model(version) { try store.check(registered) }
        do {
            try store.promote(version, reason: reason, judgedAgainst: judged)
            return nil
        } catch let error as StoreError where error.code == .conflict {
            let late = "\(error.message)."
            try store.refuse(version, reason: "\(late) \(reason)")
            return late
        }
    }

    /// Removes the files of old versions; the registry keeps their rows. What serves, what a rollback goes back to, and what the gate holds
    /// candidates against stay.
    private func prune() throws {
        let models = try store.models.models(limit: 1_000)
        let promoted = models.first { $0.status == .promoted }
        let kept = Set(models.prefix(plan.keptVersions).map(\.version))
        let anchor = try GateReferences.best(store.models, anchorDays: plan.anchorDays).first?.version
        let needed = kept.union([anchor, promoted?.version, promoted?.replacedVersion].compactMap { $0 })
        for model in models where !needed.contains(model.version) {
            guard try store.removeFiles(of: model) else { continue }
            logger.info("files of an old version removed", metadata: ["version": "\(model.version)"])
        }
    }
}

extension ResultLine {
    /// A JSON object of strings, keys in order.
    fileprivate static func object(_ entries: [String: String]) -> String {
        var line = ResultLine()
        for (key, value) in entries.sorted(by: { $0.key < $1.key }) { line.add(key, .text(value)) }
        return line.json
    }
}

import Console
import FeatureStore
import Interactions
import Learning
import Logging
import ModelArtifacts
import TowerModel
import TrainingFiles

/// One retraining with what it stands on: the database, under a lock that keeps other trainings out, and the models' files.
struct TrainingRole {
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
    func run() throws -> TrainingRun.Outcome {
        let began = ContinuousClock.now
        let url = try configuration.databaseURL()
        try Migrator(url: url).check()
        let lock = try TrainingLock(url: url, isPatient: true)
        defer { lock.release() }
        let store = StoreQueries(url: url, rules: configuration.featureRules, connections: 1)
        let trainings = StoredTrainings(
            configuration: configuration, url: url, store: store, artifacts: configuration.artifactStore, lock: lock, asOf: asOf,
            logger: logger)
        TrainingLeftovers.sweepTemporary()
        let teacher = try TeacherTraining(
            version: configuration.integer(.trainTeacher), in: store, bundle: trainings.bundle)
        guard teacher == nil || !ranks.group.isShared else {
            throw CommandFailure("a training with a teacher runs in one process; start it without mpirun, or leave out --teacher")
        }
        return try TrainingRun(
            try plan(hasTeacher: teacher != nil), store: trainings,
            folder: TrainingFolder(path: configuration.text(.artifactsPath) + "/training"), teacher: teacher, ranks: ranks,
            logger: logger, stop: stop, tell: tell
        ).run(resuming: resume, since: began)
    }

    /// The settings in force as a training goes by them, and how they are finished by what the data look like.
    private func plan(hasTeacher: Bool) throws -> TrainingPlan {
        var plan = try plan(of: configuration, hasTeacher: hasTeacher)
        if configuration.isAutomatic {
            plan.automatic = AutoPlan(
                own: configuration.ownSettings, budgetSeconds: configuration.number(.trainChoiceBudgetMinutes) * 60
            ) {
                try self.plan(of: configuration.choosing($0), hasTeacher: hasTeacher)
            }
        }
        return plan
    }

    private func plan(of configuration: Configuration, hasTeacher: Bool) throws -> TrainingPlan {
        let towers = try configuration.towerConfiguration(ranks: ranks.group.size, hasTeacher: hasTeacher)
        let texts = try ContentEncoder.load(configuration, logger: logger)
        _ = try configuration.headBalances()
        let ratings = try configuration.ratingRules(), isIncremental = configuration.text(.trainMode) == "incremental"
        guard !ranks.group.isShared || (texts == nil && !isIncremental) else {
            throw CommandFailure(
                "a training in several processes is a full one without content.encoder; start it without mpirun, or unset "
                    + "content.encoder and train.mode")
        }
        var settings = Dictionary(uniqueKeysWithValues: towers.settings.map { ($0.key, $0.value) })
        settings.merge(configuration.trainingSettings) { own, _ in own }
        settings["content.encoder"] = texts?.checksum
        if let rates = try configuration.currencyRates() {
            settings["currency.rates"] = rates.minorFactors.map { "\($0.code)=\($0.factor)" }.joined(separator: ",")
        }
        var plan = TrainingPlan(learning: configuration.learningSettings, towers: towers, settings: settings)
        if isIncremental { plan.increment = configuration.incrementRules(seed: towers.seed, threads: towers.threads) }
        plan.data = dataRules
        plan.leastInteractions = configuration.integer(.trainMinInteractions)
        plan.anchorDays = configuration.integer(.trainGateAnchorDays)
        plan.keptVersions = configuration.integer(.artifactsKeepVersions)
        plan.ratingsFrom = ratings.isNeeded ? ratings.positiveFrom : nil
        plan.texts = texts.map { encoder in
            TrainingPlan.Texts(checksum: encoder.checksum) { $0.describeTexts(by: encoder, threads: towers.threads) }
        }
        return plan
    }

    /// What is looked at before anything is learned; nil where `train.data_gate` is off.
    private var dataRules: TrainingPlan.DataRules? {
        let mode = configuration.text(.trainDataGate)
        guard mode != "off" else { return nil }
        return TrainingPlan.DataRules(
            gate: configuration.dataGate, bounds: configuration.userBounds, isEnforced: mode == "enforce",
            pagePath: configuration.text(.artifactsPath) + "/data-report.html")
    }
}

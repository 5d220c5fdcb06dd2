import Console
import Evaluation
import Foundation
import Recommending
import Reports
import TowerModel
import TowerTraining
import TrainingFiles

/// Freshet with a training after each slice of the replay: the model that answers has learned every event up to the slice's border.
package struct RetrainedRanker: ReplayRanker {
    /// How the model is brought up to date.
    package typealias Kind = RetrainingReport.Kind

    /// What the trainings took.
    package final class Ledger {
        fileprivate(set) var slices = 0
        /// Processor seconds of the trainings alone, and with tables, channel and catalogue.
        fileprivate(set) var trainingSeconds = 0.0, allSeconds = 0.0
        fileprivate(set) var newEvents = 0, replayedEvents = 0
    }

    package var name: String { "freshet \(kind.rawValue)" }
    /// What the trainings took, for the report.
    package var cost: RetrainingReport.Cost {
        RetrainingReport.Cost(
            kind: kind, name: name, slices: ledger.slices, newEvents: ledger.newEvents, replayedEvents: ledger.replayedEvents,
            trainingSeconds: ledger.trainingSeconds, allSeconds: ledger.allSeconds)
    }

    /// How the model is brought up to date.
    package let kind: Kind
    /// What the trainings took.
    package let ledger = Ledger()

    private let source: RetrainingSource
    private let every: Int64
    private var border: Int64
    private var served: ServedRanker
    private var model: TwoTowerModel
    private var kept: Trainer?
    /// Events up to this time are learned by the model.
    private var learned: Int64

    /// - Parameters:
    ///   - every: milliseconds of a slice; start: where the first one begins, up to which the source's model has learned.
    package init(_ kind: Kind, source: RetrainingSource, served: ServedRanker, every: Int64, start: Int64) {
        self.kind = kind
        self.source = source
        self.every = every
        self.served = served
        model = source.bundle.model
        learned = start
        border = start + every
    }

    package mutating func learn(_ event: ReplayEvents.Event, past: borrowing ReplayUser) {
        served.learn(event, past: past)
    }

    package mutating func rank(
        _ count: Int, for user: Int32, past: borrowing ReplayUser, at time: Int64, isExcluded: (Int32) -> Bool
    ) throws -> [Int32] {
        if time > border {
            // Slices without a question have no training of their own.
            border += (time - border - 1) / every * every
            try retrain(until: border)
            border += every
        }
        return served.rank(count, for: user, past: past, at: time, isExcluded: isExcluded)
    }

    private mutating func retrain(until border: Int64) throws {
        let log = source.log
        let ends = log.userIDs.indices.map { log.firstRow(of: $0, after: border) }
        let newRows = log.userIDs.indices.flatMap { Array(min(log.firstRow(of: $0, after: learned), ends[$0])..<ends[$0]) }
        guard !newRows.isEmpty else { return }
        let started = ProcessorTime.now
        switch kind {
        case .full: model = try source.learn(until: ends)
        case .incremental:
            let found = try IncrementTraining(log: log, rules: source.rules).learn(
                newRows, ends: ends, from: model, keeping: source.keepsOptimizer ? kept : nil)
            model = found.model
            if source.keepsOptimizer { kept = found.trainer }
            ledger.replayedEvents += found.replayedEvents
        }
        ledger.trainingSeconds += ProcessorTime.now - started
        served.replace(try source.snapshot(of: model, until: ends))
        ledger.allSeconds += ProcessorTime.now - started
        ledger.newEvents += newRows.count
        ledger.slices += 1
        learned = border
    }
}

/// Processor time of this process, all threads together, in seconds.
package enum ProcessorTime {
    /// Seconds since the process began.
    package static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// What trainings within a replay learn from, and what they publish: a model with its parts, counted anew. The weights of all stay those of
/// the version that the replay began with; adapters of domains and of categories are fitted to one model and go with it.
package struct RetrainingSource {
    /// All events, those that are yet to be replayed included.
    package let log: TrainingLog
    /// The version; the settings of its model are those of a full retraining.
    package let bundle: ModelBundle
    /// How the version answers.
    package let served: ServedSettings
    /// How an increment learns.
    package let rules: IncrementTraining.Rules
    /// Whether an incremental training goes on with the optimizer's state of the one before.
    package let keepsOptimizer: Bool
    /// How parts are learned.
    package let settings: LearningSettings
    /// The items that are ranked, without vectors.
    package let catalogue: ServedCatalogue
    /// The version's number in the registry.
    package let version: Int

    /// All of it.
    package init(
        log: TrainingLog, bundle: ModelBundle, served: ServedSettings, rules: IncrementTraining.Rules, keepsOptimizer: Bool,
        settings: LearningSettings, catalogue: ServedCatalogue, version: Int
    ) {
        self.log = log
        self.bundle = bundle
        self.served = served
        self.rules = rules
        self.keepsOptimizer = keepsOptimizer
        self.settings = settings
        self.catalogue = catalogue
        self.version = version
    }

    /// A full training on each user's rows before `ends`, as the last stage of `freshet train` is.
    package func learn(until ends: [Int]) throws -> TwoTowerModel {
        let path = NSTemporaryDirectory() + "freshet-replay-\(ProcessInfo.processInfo.processIdentifier)"
        var settings = bundle.model.configuration
        settings.seed = rules.seed
        settings.threads = rules.threads
        let trainer = try log.trainer(settings, until: ends, columnsAt: path)
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        return trainer.model()
    }

    /// What serving would have with a model that learned each user's rows before `ends`. Trending comes from the replay.
    package func snapshot(of model: TwoTowerModel, until ends: [Int]) throws -> ServingSnapshot {
        let rows = log.userIDs.indices.map { log.userStarts[$0]..<ends[$0] }
        let parts = BundleTraining(log: log, settings: settings)
        let own = parts.bundle(model, PartWeights(bundle), rows: rows)
        var served = catalogue
        served.vectors = own.vectors(of: zip(catalogue.entries, catalogue.contents).map { ($0.itemID, $1) }, threads: rules.threads)
        return own.snapshot(over: served, version: version, settings: self.served)
    }
}

import Console
import Evaluation
import FeatureStore
import Foundation
import Interactions
import Learning
import Recommending
import Reports
import TowerModel
import TowerTraining
import TrainingFiles

/// Freshet with a training after each slice of the replay: the model that answers has learned every event up to the slice's border.
struct RetrainedRanker: ReplayRanker {
    /// How the model is brought up to date.
    typealias Kind = RetrainingReport.Kind

    /// What the trainings took.
    final class Ledger {
        fileprivate(set) var slices = 0
        /// Processor seconds of the trainings alone, and with tables, channel and catalogue.
        fileprivate(set) var trainingSeconds = 0.0, allSeconds = 0.0
        fileprivate(set) var newEvents = 0, replayedEvents = 0
    }

    var name: String { "freshet \(kind.rawValue)" }
    /// What the trainings took, for the report.
    var cost: RetrainingReport.Cost {
        RetrainingReport.Cost(
            kind: kind, name: name, slices: ledger.slices, newEvents: ledger.newEvents, replayedEvents: ledger.replayedEvents,
            trainingSeconds: ledger.trainingSeconds, allSeconds: ledger.allSeconds)
    }

    let kind: Kind
    let ledger = Ledger()

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
    init(_ kind: Kind, source: RetrainingSource, served: ServedRanker, every: Int64, start: Int64) {
        self.kind = kind
        self.source = source
        self.every = every
        self.served = served
        model = source.model
        learned = start
        border = start + every
    }

    mutating func learn(_ event: ReplayEvents.Event, past: borrowing ReplayUser) {
        served.learn(event, past: past)
    }

    mutating func rank(
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
enum ProcessorTime {
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// What trainings within a replay learn from, and what they publish: a model with its ranking tables and its content channel, counted
/// anew. The weights of both stay those of the version that the replay began with.
struct RetrainingSource {
    let log: TrainingLog
    /// The version's model; its settings are those of a full retraining.
    let model: TwoTowerModel
    let blend: BlendWeights?
    let channel: [Float]?
    let rules: IncrementTraining.Rules
    let keepsOptimizer: Bool
    let configuration: Configuration
    let catalogue: [CatalogueItem]
    let version: Int

    /// A full training on each user's rows before `ends`, as the last stage of `freshet train` is.
    func learn(until ends: [Int]) throws -> TwoTowerModel {
        let path = NSTemporaryDirectory() + "freshet-replay-\(ProcessInfo.processInfo.processIdentifier)"
        var settings = model.configuration
        settings.seed = rules.seed
        settings.threads = rules.threads
        let trainer: Trainer
        do {
            trainer = try Trainer(log.trainingSet(until: ends, columnsAt: path), configuration: settings)
        } catch let error as TowerModel.ConfigurationError {
            throw CommandFailure(error.description)
        }
        while !trainer.isFinished { _ = trainer.runEpoch(now: { 0 }) }
        return trainer.model()
    }

    /// What serving would have with a model that learned each user's rows before `ends`. Trending comes from the replay.
    func snapshot(of model: TwoTowerModel, until ends: [Int]) throws -> ServingSnapshot {
        let rows = log.userIDs.indices.map { log.userStarts[$0]..<ends[$0] }
        let encoder = ItemEncoder(model: model)
        let vectors = encoder.encode(catalogue, threads: rules.threads).flatMap { $0 }
        var ranking: RankingBlend?
        if let blend {
            let places = Dictionary(catalogue.enumerated().map { ($1.record.itemID, Int32($0)) }) { first, _ in first }
            ranking = BlendTraining(log: log, configuration: configuration).blend(blend, for: model, rows: rows).renumbered(
                model.itemIDs.map { places[$0] ?? -1 }, itemCount: catalogue.count)
        }
        var content: ContentSignals?
        if let channel {
            var learned = ContentTraining(log: log, configuration: configuration).learning(rows).channel
            learned.weights = channel
            content = ContentSignals(
                channel: learned, entries: catalogue.map { $0.contentEntry(isTrained: model.row(of: $0.record.itemID) != nil) },
                itemVectors: vectors, dimension: model.dimension)
        }
        return ServingSnapshot(
            catalogue: catalogue.map(\.entry), catalogueVersion: 0, model: encoder.servingModel(version: version), itemVectors: vectors,
            index: nil, trending: [], blend: ranking
        ).withContent(content)
    }
}

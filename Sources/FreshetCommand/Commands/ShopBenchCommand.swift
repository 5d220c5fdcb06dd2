import ArgumentParser
import Console
import Foundation
import Learning
import Logging
import Recommending
import TrainingFiles
import Workloads

/// `freshet bench shop`
struct ShopBenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop", abstract: "A simulated shop in a closed loop: popularity, one goal, several goals; needs no database.",
        discussion: """
            Each seed makes a shop with its own tastes, which nothing that recommends can see, and a past with impressions. A model
            learns from it once. Then the same shoppers come to each of the three. Printed are clicks and order value by what was shown
            and the share of it beyond the most popular fifth, with 95 % intervals over users. It is a simulation: it says what the
            method does where shoppers behave as assumed, not what a shop would earn.
            """)
    @OptionGroup var options: GlobalOptions
    @Option(help: "The seeds of the shops; the fixed ones otherwise.") var seed: [Int] = []
    @Flag(help: "Print as JSON (always).") var json = false

    func run() throws {
        let configuration = try options.configuration(), logger = configuration.logger("bench"), stop = StopSignal()
        let seeds = seed.isEmpty ? ShopBench.seeds : seed.map { UInt64(bitPattern: Int64($0)) }
        try ShopBench(logger: logger) { log, seed in
            try ShopBenchTraining(configuration: configuration, logger: logger, stop: stop).train(log, seed: seed)
        }.run(seeds: seeds).print(asJSON: true)
    }
}

/// One training of the simulated shop, in a folder that goes with it; both goals rank by the same towers and the same blend.
private struct ShopBenchTraining {
    let configuration: Configuration
    let logger: Logger
    let stop: StopSignal

    func train(_ log: TrainingLog, seed: UInt64) throws -> ShopModel {
        let own = try configuration.setting(
            [
                ("objectives.tune", "value"), ("ranking.tail_budget_percent", ShopBench.tailBudgetPercent), ("train.seed", String(seed)),
            ], source: "bench shop")
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("freshet-shop-\(getpid())-\(seed)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = TrainingFolder(path: path)
        try folder.clear()
        let stages = TrainingStages(
            settings: own.learningSettings, folder: folder, log: log, towers: try own.towerConfiguration(), logger: logger, stop: stop,
            ranks: .alone, teacher: nil, tell: { _ in })
        var state = TrainingFolder.State(stage: .judged, settings: [:])
        let bundle = try stages.train(&state, references: { .none })
        let curve = state.record?.tailCurve
        return ShopModel(bundle: bundle, dial: TailDial(lambda: Float(curve?.used ?? 0), lift: Float(curve?.usedLift ?? 0)))
    }
}

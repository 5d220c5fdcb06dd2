import Foundation
import Simulation
import Tensors
import TwoTower

/// The training workload: Zipf items, synthetic users, the default towers with the sampled loss; examples a second.
struct TrainBench {
    let users: Int
    let items: Int
    let examples: Int
    let towers: TowerConfiguration

    func run() throws -> ResultLine {
        var random = SplitMix64(seed: 1)
        let draw = ZipfDraw(count: items, exponent: 1)
        var builder = TrainingSet.Builder()
        let perUser = max(2, examples / users)
        for user in 0..<users {
            for place in 0..<perUser {
                builder.append(user: "u\(user)", item: "i\(draw.draw(&random))", time: Int64(place) * 60_000)
            }
        }
        let set = builder.build()
        var configuration = towers
        try configuration.set("epochs", "1")
        let trainer = try Trainer(set, configuration: configuration)
        let clock = ContinuousClock.now
        let summary = trainer.runEpoch(now: { clock.duration(to: .now).inSeconds })
        return ResultLine([
            "bench": .text("train"), "users": .integer(users), "items": .integer(set.itemCount), "examples": .integer(summary.examples),
            "seconds": .number(clock.duration(to: .now).inSeconds), "examples_per_s": .number(summary.examplesPerSecond.rounded()),
            "loss": .number(Double(summary.loss)), "threads": .integer(configuration.threads), "kernels": .text(Kernels.description),
        ])
    }
}

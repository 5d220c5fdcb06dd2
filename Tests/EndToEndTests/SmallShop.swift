import Foundation
import TestSupport

/// A simulated shop whose past is stored and learned from, with a broker, a consumer and a service that run.
final class SmallShop: Sendable {
    let bench: Workbench
    let broker: Program.Role
    let address: String
    let ingest: Program.Role
    let service: Service

    /// Settings that give every training a model, however small the shop, and let no test hang on what the gate thinks of it.
    static let training = ["FRESHET_TRAIN_PRESET": "small", "FRESHET_TRAIN_EPOCHS": "2", "FRESHET_TRAIN_REFUSED_STATUS": "0"]

    init() throws {
        bench = try Workbench()
        try Self.writePast(into: bench)
        (broker, address) = try bench.startBroker()
        let program = bench.program(broker: address, Self.training)
        try Self.check(program.run("backfill", "--items", "items.jsonl", "--users", "users.jsonl", "--events", "events.jsonl"))
        try Self.check(program.run("train", "--set", "holdout=none"))
        ingest = try program.start("ingest")
        // Without slots by chance, so that the same question has the same answer. Whatever is bought again in it, nothing is shown again.
        service = try bench.startService(
            broker: address, ["FRESHET_EXPLORATION_EVERY_SLOTS": "0", "FRESHET_RULES_EXCLUDE": "purchased"])
        guard ingest.waitFor("partitions taken over") else { throw TestDatabase.Failure("the consumer did not start: \(ingest.log)") }
    }

    /// The past of 200 users and 300 items: `items.jsonl`, `users.jsonl`, `events.jsonl`.
    static func writePast(into bench: Workbench) throws {
        // The shop opened yesterday, so that what is popular in it is recent.
        let opening = ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: -86_400))
        try check(
            bench.program().run(
                "simulate", "--users", "200", "--items", "300", "--events", "8000", "--opening", opening, "--output", bench.directory.path))
    }

    static func check(_ result: Program.Result) throws {
        guard result.status == 0 else { throw TestDatabase.Failure("status \(result.status): \(result.errors)") }
    }

    var program: Program { bench.program(broker: address, Self.training) }
}

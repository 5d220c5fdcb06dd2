import ArgumentParser
import Console
import FeatureStore
import Foundation
import Intake
import Interactions
import Workloads

/// `freshet bench`
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Fixed workloads on this machine, for sizing; one JSON line each.",
        discussion: "ops/bench runs them beside what a Python team would write, in turns, and prints the ratio.",
        subcommands: [
            Ingest.self, IndexBenchCommand.self, NewItemsBenchCommand.self, TextBenchCommand.self, TrainBenchCommand.self, Serve.self,
            Freshness.self, FreshItems.self, Adapt.self, Churn.self, ShopBenchCommand.self,
        ])

    /// A schema name that no other run has.
    static func schemaName() -> String {
        "bench_\(String(EventTime.now.milliseconds, radix: 36))_\(getpid())"
    }

    struct Ingest: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Decoding alone, then Kafka to PostgreSQL. Works in a schema of its own, and brings its own broker.")
        @OptionGroup var options: GlobalOptions
        @Option(help: "Events of about 200 bytes.") var events = 1_000_000
        @Flag(help: "Print as JSON (always).") var json = false

        func run() throws {
            var configuration = try options.configuration()
            let schema = try ScratchSchema(databaseURL: try configuration.databaseURL(), name: BenchCommand.schemaName())
            defer { withExtendedLifetime(schema) {} }
            try configuration.set("database.url", .scalar(schema.url), source: "bench")
            try IngestBench(
                settings: configuration.ingestSettings(), eventsTopic: configuration.text(.topicsEvents), events: events,
                logger: configuration.logger("ingest")
            ).run().print(asJSON: true)
        }
    }

    struct Target: ParsableArguments {
        @Option(help: "The running service.") var url = "http://127.0.0.1:8080"
        @Option(help: "A file of user ids; the users u0 to u99999 otherwise.") var users: String?

        func service() throws -> ServiceClient {
            try ServiceClient(base: url, apiKey: ProcessInfo.processInfo.environment["FRESHET_BENCH_KEY"])
        }

        func userIDs() throws -> [String] {
            try users.map { try IDFile.read($0, field: "user_id") } ?? (0..<100_000).map { "u\($0)" }
        }
    }

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Requests a second and their latency: of a shop of 100,000 items made for it, or of a running service.",
            discussion: """
                Without --url, the shop is made in a schema of its own, a model is trained briefly, and the service runs in this process.
                """)
        @OptionGroup var options: GlobalOptions
        @Option(help: "A running service to ask instead.") var url: String?
        @Option(help: "A file of user ids, with --url.") var users: String?
        @Option(help: "Users of the shop that is made.") var shopUsers = 20_000
        @Option var connections = 16
        @Option var seconds = 10
        @Option(help: "Requests a second of the open loop; half of what the closed loop reached otherwise.") var rate: Int?
        @Flag(help: "Print as JSON (always).") var json = false

        func run() async throws {
            guard connections > 0, seconds > 0 else { throw ValidationError("--connections and --seconds take numbers above 0") }
            if let url {
                let ids = try users.map { try IDFile.read($0, field: "user_id") } ?? (0..<100_000).map { "u\($0)" }
                let service = try ServiceClient(
                    base: url, apiKey: ProcessInfo.processInfo.environment["FRESHET_BENCH_KEY"])
                guard let user = ids.first else { throw ValidationError("--users names a file without ids") }
                try await BenchReadiness(service: service, userID: user).check([])
                try await ServeBench(service: service, users: ids, connections: connections, seconds: seconds, rate: rate)
                    .run().print(asJSON: true)
                return
            }
            var configuration = try options.configuration()
            let schema = try ScratchSchema(databaseURL: try configuration.databaseURL(), name: BenchCommand.schemaName())
            defer { withExtendedLifetime(schema) {} }
            let artifacts = FileManager.default.temporaryDirectory.appendingPathComponent(BenchCommand.schemaName()).path
            defer { try? FileManager.default.removeItem(atPath: artifacts) }
            for (key, value) in [
                ("database.url", schema.url), ("artifacts.path", artifacts), ("http.port", "0"), ("serve.impressions", "false"),
                ("train.preset", "small"), ("train.dimension", "64"), ("train.epochs", "1"), ("train.holdout", "none"),
                ("train.loss", "sampled"),
            ] { try configuration.set(key, .scalar(value), source: "bench") }
            let shop = ServeBenchShop(users: shopUsers)
            try shop.fill(schema.url, rules: configuration.featureRules)
            _ = try await OwnThread.run(named: "freshet-train") { [configuration] in
                try TrainingRole(
                    configuration: configuration, logger: configuration.logger("bench"), resume: false, asOf: nil, stop: StopSignal()
                ).run()
            }
            let role = ServeBenchRole(configuration: configuration, shop: shop)
            try await role.measure(connections: connections, seconds: seconds, rate: rate).print(asJSON: true)
        }
    }

    struct Freshness: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The time from a click to the answer that knows it, while events and requests come at fixed rates.")
        @OptionGroup var target: Target
        @Option(help: "A file of item ids to click on.") var items: String
        @Option var clicks = 200
        @Option(help: "Events a second meanwhile.") var events = 1_000
        @Option(help: "Requests a second meanwhile.") var requests = 100
        @Flag(help: "Print as JSON (always).") var json = false

        func run() async throws {
            let users = try target.userIDs()
            let items = try IDFile.read(items, field: "item_id")
            guard users.count >= 8, !items.isEmpty else { throw ValidationError("at least 8 users and an item are needed") }
            // Load comes from the second half of the users: probes and control stay untouched.
            let load = BenchLoad(
                service: try target.service(), users: Array(users[(users.count / 2)...]), items: items, eventsPerSecond: events,
                requestsPerSecond: requests)
            let run = FreshnessRun(service: try target.service(), users: users, items: items, clicks: clicks, load: load)
            let result = try await run.run { if $0.isMultiple(of: 20) { StandardError.write("\($0) clicks\n") } }
            result.line(clicks: clicks).print(asJSON: true)
        }
    }
}

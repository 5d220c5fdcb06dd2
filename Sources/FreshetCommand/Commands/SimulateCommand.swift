import ArgumentParser
import Console
import EventStream
import Foundation
import Interactions
import Simulation
import Workloads

/// `freshet simulate`
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "A shop with known tastes as a source of events: its past as files, or live shoppers against a running service.",
        discussion: "The same seed gives the same shop and the same past.",
        subcommands: [Past.self, Shoppers.self], defaultSubcommand: Past.self)

    struct Shape: ParsableArguments {
        @Option(help: "Users at the opening.") var users = 2_000
        @Option(help: "Items at the opening.") var items = 3_000
        @Option(help: "Decides everything that is random.") var seed: UInt64 = 1
        @Option(help: "When the shop opens; its past lies before.") var opening = "2026-11-01T00:00:00Z"

        func shop() throws -> Shop {
            guard let time = EventTime(rfc3339: opening) else {
                throw ValidationError("--opening is \(opening), but takes a time such as 2026-11-01T00:00:00Z")
            }
            guard (1...100_000_000).contains(users), (1...100_000_000).contains(items) else {
                throw ValidationError("--users and --items take 1 to 100000000")
            }
            return Shop(configuration: ShopConfiguration(users: users, items: items, opening: time), seed: seed)
        }
    }

    struct Past: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Writes items.jsonl, users.jsonl and events.jsonl.")
        @OptionGroup var shape: Shape
        @Option(help: "Events of the past.") var events = 100_000
        @Option(help: "Days that they spread over.") var days = 14
        @Option(help: "The folder to write into.") var output = "."

        func run() throws {
            guard (0...10_000_000_000).contains(events), (1...36_500).contains(days) else {
                throw ValidationError("--events takes 0 to 10000000000, --days 1 to 36500")
            }
            var shop = try shape.shop()
            let end = shop.configuration.opening
            try write("items.jsonl") { writer in for item in shop.catalogue(openedBy: end) { try writer.write(item.json()) } }
            try write("users.jsonl") { writer in for user in shop.users() { try writer.write(user.json()) } }
            let start = EventTime(milliseconds: end.milliseconds - Int64(days) * 86_400_000)
            let progress = ProgressLine("simulate", total: events)
            var made = 0
            try write("events.jsonl") { writer in
                try shop.history(events: events, from: start, to: end) { event in
                    try writer.write(event.json())
                    made += 1
                    progress.update(made)
                }
            }
            progress.finish(made)
        }

        private func write(_ name: String, _ body: (LineWriter) throws -> Void) throws {
            let writer = try LineWriter(path: output + "/" + name)
            try body(writer)
            try writer.close()
        }
    }

    struct Shoppers: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Live shoppers who look at recommendations, click and buy.")
        @OptionGroup var options: GlobalOptions
        @OptionGroup var shape: Shape
        @Option(help: "The service.") var url = "http://127.0.0.1:8080"
        @Option(help: "How long, in seconds.") var seconds = 60
        @Option(help: "Visits that begin in a second.") var visits = 4.0
        @Option(help: "The service's key, where it asks for one; better in FRESHET_SIMULATE_KEY.") var key: String?

        func run() async throws {
            guard visits > 0, visits <= 100_000, (1...31_536_000).contains(seconds) else {
                throw ValidationError("--visits takes a number above 0 and at most 100000, --seconds 1 to 31536000")
            }
            let service = try ServiceClient(
                base: url, apiKey: key ?? ProcessInfo.processInfo.environment["FRESHET_SIMULATE_KEY"])
            let shop = DemoShop(shop: try shape.shop(), run: "sim\(String(EventTime.now.milliseconds, radix: 36))")
            let done = try await ShopperLoad(shop: shop, service: service, visitsPerSecond: visits).run(for: .seconds(seconds))
            ResultLine(["visits": .integer(done.visits), "events": .integer(done.events)]).print(asJSON: false)
        }
    }
}

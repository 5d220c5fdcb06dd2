import ArgumentParser
import Console
import Intake
import Interactions
import Workloads

extension BenchCommand {
    /// `freshet bench fresh-items`
    struct FreshItems: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "fresh-items",
            abstract: "The time from a new item's record to the first answer that has it, while events and requests come at fixed rates.")
        @OptionGroup var target: Target
        @Option(help: "A file of item ids that the load clicks on.") var items: String
        @Option(help: "New items, one after another; each is deleted again.") var count = 500
        @Option(help: "Length of the answers in which they are looked for.") var depth = 20
        @Option(help: "Events a second meanwhile.") var events = 1_000
        @Option(help: "Requests a second meanwhile.") var requests = 100
        @Flag(help: "Print as JSON (always).") var json = false

        func run() async throws {
            let users = try target.userIDs()
            let items = try IDFile.read(items, field: "item_id")
            guard users.count >= 2, !items.isEmpty, count > 0, 1...1_000 ~= depth else {
                throw ValidationError("at least 2 users, an item, a --count above 0 and a --depth of 1 to 1,000 are needed")
            }
            // Load comes from the second half of the users: the others stay as they are.
            let load = BenchLoad(
                service: try target.service(), users: Array(users[(users.count / 2)...]), items: items, eventsPerSecond: events,
                requestsPerSecond: requests)
            let run = FreshItemsRun(
                service: try target.service(), users: Array(users[..<(users.count / 2)]), newItems: count, depth: depth, load: load)
            let result = try await run.run { if $0.isMultiple(of: 50) { StandardError.write("\($0) items\n") } }
            result.line(items: count).print(asJSON: true)
        }
    }

    /// `freshet bench adapt`
    struct Adapt: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "adapt",
            abstract: """
                The time from a new category's fifth event to the first answer that carries its adapter, while freshet adapt --watch runs.
                """)
        @OptionGroup var target: Target
        @Option(help: "New categories, one after another; their items are deleted again.") var count = 20
        @Option(help: "Items of each.") var items = 20
        @Option(help: "Events that an adaptation begins with (adaptation.support).") var support = 5
        @Flag(help: "Print as JSON (always).") var json = false

        func run() async throws {
            let users = try target.userIDs()
            guard users.count >= 2, count > 0, support > 0, items >= support else {
                throw ValidationError("at least 2 users, a --count and a --support above 0, and as many --items as --support are needed")
            }
            let run = NewCategoriesRun(
                service: try target.service(), users: users, categories: count, itemsPerCategory: items, support: support)
            let result = try await run.run { if $0.isMultiple(of: 5) { StandardError.write("\($0) categories\n") } }
            result.line(categories: count).print(asJSON: true)
        }
    }

    /// `freshet bench churn`
    struct Churn: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "churn",
            abstract: "Adds, updates and removes many items while answers are asked for, and judges every answer.",
            discussion: """
                A tenth of the items is hidden by its update. Each change is waited for, so that an answer asked for later must know it.
                """)
        @OptionGroup var target: Target
        @Option(help: "Items that come, change and go.") var items = 100_000
        @Option(help: "Changes under way at once.") var writers = 64
        @Option(help: "Questions under way at once.") var readers = 4
        @Option(help: "The process of the service, to read its memory.") var pid: Int32?
        @Flag(help: "Print as JSON (always).") var json = false

        func run() async throws {
            let users = try target.userIDs()
            guard !users.isEmpty, items > 0, writers > 0, readers > 0 else {
                throw ValidationError("a user is needed, and --items, --writers and --readers above 0")
            }
            let result = try await ChurnRun(
                service: try target.service(), users: users, items: items, writers: writers, readers: readers, processID: pid
            ).run { [items] in if $0 % max(items / 10, 1_000) == 0 { StandardError.write("\($0) changes\n") } }
            result.line(items: items).print(asJSON: true)
        }
    }
}

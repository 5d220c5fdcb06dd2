import ArgumentParser
import Workloads

/// `freshet bench new-items`
struct NewItemsBenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new-items", abstract: "Lists of a catalogue where many items are new: time, and what the index of contents finds.",
        discussion: "A made catalogue of 20,000 trained items and so many new ones, in this process; a line for each number.")

    @Option(parsing: .upToNextOption, help: "Numbers of new items, at most 2,000,000 each.") var items = [0, 5_000, 100_000]
    @Option(help: "Threads that build.") var threads = 2
    @Flag(help: "Print as JSON (always).") var json = false

    func validate() throws {
        guard !items.isEmpty, items.allSatisfy({ 0...2_000_000 ~= $0 }), threads > 0 else {
            throw ValidationError("--items takes numbers from 0 to 2000000, --threads one above 0")
        }
    }

    func run() throws {
        try NewItemsBench(sizes: items, threads: threads).run { $0.print(asJSON: true) }
    }
}

import ArgumentParser
import Console

/// `freshet bench shop`
struct ShopBenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop", abstract: "A simulated shop in a closed loop: popularity, one goal, several goals; needs no database.",
        discussion: """
            Each seed makes a shop with its own tastes, which nothing that recommends can see, and a past with impressions. A model learns from it
            once. Then the same shoppers come to each of the three. Printed are clicks and order value by what was shown and the share of it
            beyond the most popular fifth, with 95 % intervals over users. It is a simulation: it says what the method does where shoppers behave
            as assumed, not what a shop would earn.
            """)
    @OptionGroup var options: GlobalOptions
    @Option(help: "The seeds of the shops; the fixed ones otherwise.") var seed: [Int] = []
    @Flag(help: "Print as JSON (always).") var json = false

    func run() throws {
        let configuration = try options.configuration()
        let seeds = seed.isEmpty ? ShopBench.seeds : seed.map { UInt64(bitPattern: Int64($0)) }
        try ShopBench(configuration: configuration, logger: configuration.logger("bench"), stop: StopSignal()).run(seeds: seeds).print(asJSON: true)
    }
}

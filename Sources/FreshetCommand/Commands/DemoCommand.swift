import ArgumentParser

/// `freshet demo`
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Everything at once: an embedded broker, a simulated shop, training, the service, shoppers that click.",
        discussion: """
            It needs a PostgreSQL of its own: ops/demo starts one and calls this. Its shop is a simulation with known tastes.
            """)

    @OptionGroup var options: GlobalOptions
    @Flag(help: "Look at what the demonstration does, say so, and end with status 0 or 1.") var check = false
    @Option(help: "The port of the service; http.port otherwise.") var port: Int?

    func run() async throws {
        var configuration = try options.configuration()
        if let port { try configuration.set("http.port", .scalar(String(port)), source: "--port") }
        try await DemoRun(configuration: configuration, logger: configuration.logger("demo"), checks: check).run()
    }
}

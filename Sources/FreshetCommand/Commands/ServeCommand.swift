import ArgumentParser
import Console
import FeatureStore
import Foundation
import Logging
import ServiceLifecycle
import Tensors

/// `freshet serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "The HTTP service: recommendations, events, items, users, models, the dashboard.")

    /// Bodies, snapshots and indexes have blocks of this size; what a request needs to be answered is smaller.
    private static let largeBlockBytes = 1 << 20

    @OptionGroup var options: GlobalOptions
    @Option(help: "The port; http.port otherwise.") var port: Int?

    func run() async throws {
        Kernels.limitArenas()
        Kernels.returnLargeBlocks(ofBytes: Self.largeBlockBytes)
        var configuration = try options.configuration()
        if let port { try configuration.set("http.port", .scalar(String(port)), source: "--port") }
        let logger = configuration.logger("serve")
        // What listens where is settled before anything is waited for.
        _ = try configuration.apiConfiguration()
        for note in configuration.keyNotes { logger.notice("\(note)") }
        let again = options.again(port: port)
        let stop = StopSignal.onSignals()
        let found = try await Patience.until(logger, "the database", unless: stop) { [configuration] in
            try ServeRole(configuration: configuration, again: again) { port in
                logger.notice("ready", metadata: ["url": "\(configuration.serviceURL(port: port))"])
            }
        }
        guard let role = found else { return }
        guard try await Patience.until(logger, "the database", unless: stop, { try await role.prepare() }) != nil else { return }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: try role.services().map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger.quiet))
        try await group.run()
        logger.notice("stopped: every request that was under way has its answer")
    }
}

/// Waiting for a part that is not there yet.
enum Patience {
    /// Tries until it works; says so once. An error that trying again cannot mend is thrown; nil where a stop was asked for.
    static func until<Result>(
        _ logger: Logger, _ what: String, unless stop: StopSignal, _ work: () async throws -> Result
    ) async throws -> Result? {
        var told = false
        while !stop.isRaised {
            do {
                let result = try await work()
                if told { logger.notice("\(what) answers") }
                return result
            } catch let error as StoreError where error.isRetriable {
                if !told { logger.warning("waiting for \(what): \(error.message)") }
                told = true
                for _ in 0..<10 where !stop.isRaised { try await Task.sleep(for: .milliseconds(100)) }
            }
        }
        return nil
    }
}

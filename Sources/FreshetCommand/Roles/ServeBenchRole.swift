import Console
import FeatureStore
import Interactions
import ServiceLifecycle
import Serving
import Workloads

/// The serving benchmark with a service in this process, over a shop that was made for it.
struct ServeBenchRole {
    let configuration: Configuration
    let shop: ServeBenchShop

    /// Serves the promoted model, and measures.
    func measure(connections: Int, seconds: Int, rate: Int?) async throws -> ResultLine {
        let (listening, told) = AsyncStream.makeStream(of: Int.self)
        let role = try ServeRole(configuration: configuration) { told.yield($0) }
        try await role.prepare()
        let ids = shop.userIDs
        let result = SnapshotCell<ResultLine?>(nil)
        let script = LoopService { [configuration] in
            var ports = listening.makeAsyncIterator()
            guard let port = await ports.next() else { return }
            let service = try ServiceClient(base: "http://\(configuration.text(.httpHost)):\(port)", apiKey: nil)
            let bench = ServeBench(service: service, users: ids, connections: connections, seconds: seconds, rate: rate)
            var line = try await bench.run()
            line.add("items", .integer(role.feed.current.itemCount))
            line.add("indexed", .integer(role.feed.current.indexedCount))
            line.add("client", .text("in the same process"))
            result.replace(by: line)
        }
        var services = try role.services().map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
        services.append(
            .init(
                service: script, successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup))
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: role.logger.quiet)
        ).run()
        guard let line = result.current else { throw CommandFailure("the serving benchmark did not come to its end") }
        return line
    }
}

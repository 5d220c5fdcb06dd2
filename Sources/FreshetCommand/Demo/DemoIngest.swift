import Console
import EventStream
import Foundation
import Intake
import Logging

/// The demonstration's consumer: where the broker has become another, empty one, it goes on with that one, which is nobody's
/// production.
struct DemoIngest: Sendable {
    let configuration: Configuration
    let logger: Logger
    let stop: StopSignal

    private static let answerLimit = Duration.seconds(60)

    /// Consumes until `stop`.
    func run() throws {
        while true {
            let before = try identity()
            do {
                _ = try IngestRole(
                    settings: try configuration.ingestSettings(), acceptNewCluster: true, logger: configuration.logger("ingest"),
                    isStopping: { stop.isRaised }
                ).run(untilEnd: false)
                return
            } catch let failure as IntakeError {
                guard !stop.isRaised, let before, let now = try identity(), now != before else { throw failure }
                logger.warning("the demonstration's broker is another, empty one now; ingest goes on with it")
            }
        }
    }

    /// The cluster that answers; nil where none does in time, or where a stop was asked for.
    private func identity() throws -> String? {
        let consumer = try StreamConsumer(reading: configuration.kafkaSettings)
        defer { consumer.close() }
        let limit = ContinuousClock.now + Self.answerLimit
        while !stop.isRaised, ContinuousClock.now < limit {
            do {
                return try consumer.clusterID(timeoutMilliseconds: 2_000)
            } catch {
                guard error.isRetriable else { throw error }
                Thread.sleep(forTimeInterval: 0.2)
            }
        }
        return nil
    }
}

import ArgumentParser
import Console
import EventStream
import FeatureStore
import Foundation
import Intake
import Interactions
import Serving
import Tensors

/// `freshet ingest`
struct IngestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "The consumer: Kafka's records become features in PostgreSQL, each exactly once.",
        discussion: """
            Run as many as there are partitions to share. Offsets live in the database, in the same transaction as the features;
            Kafka's own offsets follow for the tools that watch lag.
            """)

    @OptionGroup var options: GlobalOptions
    @Flag(name: .customLong("until-end"), help: "Stop once everything is stored that was in the topics at the start.")
    var untilEnd = false
    @Flag(
        name: .customLong("accept-new-cluster"),
        help: """
            Go on although the broker is another one than before, or a topic was made anew: what is new is read from its beginning. Known \
            events with an event_id count once, events without one count again.
            """)
    var acceptNewCluster = false
    @Flag(
        name: .customLong("accept-missing-records"),
        help: """
            Go on with a partition of which the broker has dropped the next records, at the oldest one that it has. What is missing is \
            counted and named.
            """)
    var acceptMissingRecords = false
    @Flag(help: "Print the result as JSON.") var json = false

    func run() throws {
        Kernels.limitArenas()
        let configuration = try options.configuration()
        let stop = StopSignal.onSignals()
        let started = ContinuousClock.now
        let progress = ProgressLine("ingest")
        let logger = configuration.logger("ingest")
        let isWatched = untilEnd || StandardError.isTerminal
        var told = (stored: 0, at: ContinuousClock.now)
        var growth = GrowthWatch()
        let totals = try IngestRole(
            settings: try configuration.ingestSettings(), acceptNewCluster: acceptNewCluster, acceptMissingRecords: acceptMissingRecords,
            logger: logger, isStopping: { stop.isRaised })
            .run(untilEnd: untilEnd, progress: { totals in
                FreedMemory.giveBack(ifDue: &growth)
                if isWatched {
                    if totals.records > 0 { progress.update(totals.records, note: "\(totals.stored) stored") }
                } else if totals.stored > told.stored, told.at.duration(to: .now) >= .seconds(60) {
                    let seconds = told.at.duration(to: .now).inSeconds
                    logger.info(
                        "stored",
                        metadata: [
                            "events": "\(totals.stored)", "rejected": "\(totals.rejected)",
                            "per_second": "\(Int(Double(totals.stored - told.stored) / seconds))",
                        ])
                    told = (totals.stored, .now)
                }
            })
        progress.finish(totals.records, note: "\(totals.stored) stored")
        let seconds = started.duration(to: .now).inSeconds
        ResultLine([
            "records": .integer(totals.records), "stored": .integer(totals.stored), "duplicates": .integer(totals.duplicates),
            "items": .integer(totals.items), "users": .integer(totals.users), "rejected": .integer(totals.rejected),
            "gaps": .integer(totals.gaps), "missing": .integer(totals.missing),
            "returns": .integer(Int(totals.returns.returns)), "returns_unmatched": .integer(Int(max(0, totals.returns.unmatched))),
            "returns_matched_late": .integer(Int(max(0, -totals.returns.unmatched))),
            "unmatched_pieces": .integer(Int(max(0, totals.returns.unmatchedPieces))), "seconds": .number(seconds),
        ]).print(asJSON: json)
    }
}

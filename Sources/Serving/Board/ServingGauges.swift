import Console
import FeatureStore
import RecommendationAPI
import Recommending

/// What `/metrics` shows of the parts around the HTTP service.
package struct ServingGauges {
    /// What answers.
    package var snapshot: ServingSnapshot
    /// Each part as it was last seen.
    package var parts: [PartStatus]
    /// What the gate refused; nil before the registry was asked.
    package var refusals: ModelRefusals?
    /// Slots given to explored items since the start.
    package var exploredSlots: Int64 = 0
    /// How often the catalogue was read again from the beginning.
    package var rereads = 0
    /// Since the snapshot last changed; nil before anybody looked.
    package var snapshotAgeSeconds: Double?
    /// Users whose rows are still to be removed; nil where nobody knows.
    package var openErasures: Int?
    /// How many people a long silence has erased; nil before the first look.
    package var idleErasures: Int?
    /// What came back, and what of it matches no purchase; nil before the database was asked.
    package var returns: ReturnTally?
    /// Records that the broker had dropped before ingest read them.
    package var missingRecords: Int64 = 0
    /// Partitions that stand still.
    package var haltedPartitions = 0
    /// How far this machine's clock is ahead of PostgreSQL's.
    package var clockAheadSeconds = 0.0
    /// Log lines that could not be written.
    package var droppedLogLines = 0
    /// Records that are not stored yet; nil where the broker does not say.
    package var lagRecords: Int64?

    /// Of a snapshot and its parts.
    package init(snapshot: ServingSnapshot, parts: [PartStatus]) {
        self.snapshot = snapshot
        self.parts = parts
    }

    /// The series, in their order.
    package var all: [Gauge] { ofSnapshot + ofModels + ofIngest + ofParts }

    private func gauge(_ name: String, _ value: Double, _ help: String) -> Gauge {
        Gauge(name: "freshet_" + name, help: help, value: value)
    }

    private func counter(_ name: String, _ value: Double, _ help: String) -> Gauge {
        Gauge(name: "freshet_" + name + "_total", help: help, kind: .counter, value: value)
    }

    private var ofSnapshot: [Gauge] {
        [
            gauge("catalogue_items", Double(snapshot.itemCount), "Items known to serving."),
            gauge("catalogue_available_items", Double(snapshot.availableCount), "Items that may be recommended."),
            gauge("catalogue_fresh_items", Double(snapshot.freshCount), "Items searched outside the index."),
            gauge("exploration_items", Double(snapshot.explored.items), "New items that get slots of their own."),
            gauge(
                "exploration_impressions", Double(snapshot.explored.impressions),
                "How often the items that are explored now were shown."),
            gauge("exploration_clicks", Double(snapshot.explored.clicks), "How often they were clicked."),
            counter("exploration_slots", Double(exploredSlots), "Slots given to explored items."),
            gauge("catalogue_version", Double(snapshot.catalogueVersion), "The catalogue version served."),
            gauge("model_version", Double(snapshot.modelVersion ?? 0), "The model version served; 0 without one."),
        ]
    }

    private var ofModels: [Gauge] {
        var gauges: [Gauge] = []
        if let refusals {
            gauges += [
                counter("trainings_refused", Double(refusals.total), "Model versions that the gate refused, as the registry has them."),
                gauge(
                    "trainings_refused_in_a_row", Double(refusals.inARow),
                    "Trainings since the newest model that was ever promoted, all refused by the gate."),
            ]
        }
        gauges += [
            gauge(
                "model_unusable", parts.contains { $0.name == "model" && $0.state == .refused } ? 1 : 0,
                "1 while the promoted model cannot be used and is tried again."),
            counter(
                "catalogue_rereads", Double(rereads),
                "How often the database's catalogue did not go on from the one served and was read again from the beginning."),
        ]
        if let snapshotAgeSeconds {
            gauges.append(gauge("snapshot_age_seconds", snapshotAgeSeconds, "Since the serving snapshot last changed."))
        }
        return gauges
    }

    private var ofIngest: [Gauge] {
        var gauges: [Gauge] = []
        if let openErasures {
            gauges.append(
                gauge("erasures_open", Double(openErasures), "Erased users, hidden from everybody, whose rows are still to be removed."))
        }
        if let idleErasures {
            gauges.append(
                counter("idle_users_erased", Double(idleErasures), "People who were erased since they had been silent for long."))
        }
        gauges += [
            counter("ingest_missing_records", Double(missingRecords), "Records that the broker had dropped before ingest read them."),
            gauge("ingest_halted_partitions", Double(haltedPartitions), "Partitions that stand still until somebody decides."),
            gauge("clock_ahead_seconds", clockAheadSeconds, "How far this machine's clock is ahead of PostgreSQL's."),
            counter("log_lines_dropped", Double(droppedLogLines), "Log lines that could not be written."),
        ]
        if let returns {
            gauges += [
                counter("returns", Double(returns.returns), "Returns that were stored."),
                gauge("returns_unmatched", Double(returns.unmatched), "Returns that match no purchase and change nothing."),
                gauge("returned_pieces_unmatched", Double(returns.unmatchedPieces), "Pieces of returns that match no purchase."),
            ]
        }
        if let lagRecords { gauges.append(gauge("ingest_lag_records", Double(lagRecords), "Records in Kafka that are not stored yet.")) }
        return gauges
    }

    private var ofParts: [Gauge] {
        parts.map { part in
            Gauge(
                name: "freshet_part_ready", help: "Whether a part does its work; without a required one the service cannot answer.",
                labels: ["part": part.name, "required": "\(part.isRequired)"], value: part.isReady ? 1 : 0)
        }
    }
}
